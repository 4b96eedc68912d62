#include "kernel/base/bitmap.h"
#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/group_layout.h"

struct exclusion {
    const struct journal *journal;
    u64 group_start;
};

static bool is_freed(const void *context, u64 bit)
{
    const struct exclusion *exclusion = context;
    return journal_is_freed(exclusion->journal, exclusion->group_start + bit);
}

/* The best run in one group from bit `from` on; in disk blocks. */
static enum status search_group(struct ext4 *fs, u32 number, u64 from, u64 wanted,
                                struct ext4_block_run *run)
{
    struct ext4_group group;
    struct buffer *bitmap;
    *run = (struct ext4_block_run){ 0, 0 };
    enum status status = ext4_group_load(fs, number, &group);
    if (status != OK || group.free_blocks == 0)
        return status;
    status = ext4_group_block_bitmap(fs, &group, &bitmap);
    if (status != OK)
        return status;

    u64 start = ext4_group_first_block(fs, number);
    struct exclusion exclusion = { fs->journal, start };
    *run =
        ext4_find_free_run(bitmap->data, from, ext4_group_block_count(fs, number), wanted,
                           journal_has_freed(fs->journal) ? is_freed : NULL, &exclusion);
    run->first += start;
    cache_release(bitmap);
    return OK;
}

/* Behind the goal in its group, the groups after it, those before it, before the goal. */
static enum status search(struct ext4 *fs, u64 goal, u64 wanted,
                          struct ext4_block_run *best)
{
    u32 groups = fs->superblock.group_count;
    u32 first_group = ext4_group_of_block(fs, goal);
    u64 good_enough = min_u64(wanted, fs->superblock.blocks_per_group / 4);
    *best = (struct ext4_block_run){ 0, 0 };

    for (u32 i = 0; i <= groups && best->count < good_enough; i++) {
        u32 number = (u32)(((u64)first_group + i) % groups);
        u64 from = i == 0 ? goal - ext4_group_first_block(fs, number) : 0;
        struct ext4_block_run run;
        enum status status = search_group(fs, number, from, wanted, &run);
        if (status != OK)
            return status;
        if (run.count > best->count)
            *best = run;
    }
    return best->count > 0 ? OK : ERR_NO_SPACE;
}

enum bitmap_change { TAKE, GIVE_BACK };

/* Changes bits and counts of a range within one group. */
static enum status change_range(struct ext4 *fs, const struct ext4_block_run *run,
                                enum bitmap_change change)
{
    u32 number = ext4_group_of_block(fs, run->first);
    u64 bit = run->first - ext4_group_first_block(fs, number);
    struct ext4_group group;
    struct buffer *bitmap;
    enum status status = ext4_group_load(fs, number, &group);
    if (status == OK)
        status = ext4_group_block_bitmap(fs, &group, &bitmap);
    if (status != OK)
        return status;

    u64 end = bit + run->count;
    bool wrong = change == TAKE ? group.free_blocks < run->count
                                : bitmap_find_clear(bitmap->data, bit, end) < end;
    if (wrong) {
        log_error("ext4: group %u: count and bitmap disagree at block %llu", number,
                  (unsigned long long)run->first);
        status = ERR_CORRUPT;
        goto release;
    }
    status = journal_modify(fs->journal, bitmap);
    if (status != OK)
        goto release;
    if (change == TAKE) {
        bitmap_set_range(bitmap->data, bit, run->count);
        group.free_blocks -= (u32)run->count;
    } else {
        bitmap_clear_range(bitmap->data, bit, run->count);
        group.free_blocks += (u32)run->count;
    }
    status = ext4_group_store_bitmaps(fs, &group, bitmap, NULL);
release:
    cache_release(bitmap);
    return status;
}

enum status ext4_blocks_allocate(struct ext4 *fs, u64 goal, u64 wanted,
                                 struct ext4_block_run *run)
{
    const struct ext4_superblock *superblock = &fs->superblock;
    if (goal < superblock->first_data_block || goal >= superblock->block_count)
        goal = superblock->first_data_block;

    struct ext4_block_run found;
    enum status status = search(fs, goal, wanted, &found);
    if (status == OK)
        status = change_range(fs, &found, TAKE);
    if (status == OK)
        status = ext4_running_add_fresh(fs, found.first, found.count);
    if (status != OK)
        return status;
    fs->running.free.blocks -= found.count;
    for (u64 i = 0; i < found.count; i++) /* an earlier life as metadata is over */
        cache_forget(&fs->cache, found.first + i);
    *run = found;
    return OK;
}

/* Would freeing this range within a group hit the group's own structures? */
static enum status check_not_metadata(struct ext4 *fs, const struct ext4_block_run *run)
{
    u32 number = ext4_group_of_block(fs, run->first);
    u64 start = ext4_group_first_block(fs, number);
    struct ext4_group group;
    enum status status = ext4_group_load(fs, number, &group);
    if (status != OK)
        return status;

    u64 end = run->first + run->count;
    u64 table_end = group.inode_table + ext4_inode_table_blocks(fs);
    bool hit = run->first < start + ext4_group_head_blocks(fs, number) ||
               (run->first <= group.block_bitmap && group.block_bitmap < end) ||
               (run->first <= group.inode_bitmap && group.inode_bitmap < end) ||
               (run->first < table_end && group.inode_table < end);
    if (hit) {
        log_error("ext4: group %u: a file claims metadata at block %llu", number,
                  (unsigned long long)run->first);
        return ERR_CORRUPT;
    }
    return OK;
}

enum status ext4_blocks_free(struct ext4 *fs, u64 first, u64 count)
{
    if (first <= fs->superblock.first_data_block ||
        !range_inside(first, count, fs->superblock.block_count)) {
        log_error("ext4: freeing blocks outside the disk: %llu",
                  (unsigned long long)first);
        return ERR_CORRUPT;
    }
    while (count > 0) {
        u32 number = ext4_group_of_block(fs, first);
        u64 group_end =
            ext4_group_first_block(fs, number) + ext4_group_block_count(fs, number);
        struct ext4_block_run run = { first, min_u64(count, group_end - first) };
        enum status status = check_not_metadata(fs, &run);
        if (status == OK)
            status = change_range(fs, &run, GIVE_BACK);
        if (status == OK)
            status = journal_revoke(fs->journal, run.first, run.count);
        if (status != OK)
            return status;
        fs->running.free.blocks += run.count;
        for (u64 i = 0; i < run.count; i++)
            cache_forget(&fs->cache, run.first + i);
        first += run.count;
        count -= run.count;
    }
    return OK;
}

u64 ext4_metadata_goal(const struct ext4 *fs, u32 inode)
{
    return ext4_group_first_block(fs, ext4_group_of_inode(fs, inode));
}
