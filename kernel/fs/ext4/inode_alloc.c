#include "kernel/base/bitmap.h"
#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/group.h"

struct exclusion {
    const struct map *freed;
    u64 first_inode; /* number of the group's bit 0 */
};

static bool is_freed(const void *context, u64 bit)
{
    const struct exclusion *exclusion = context;
    u64 value;
    return exclusion->freed->count > 0 &&
           map_get(exclusion->freed, exclusion->first_inode + bit, &value);
}

static u32 first_inode_of(const struct ext4 *fs, u32 group)
{
    return group * fs->superblock.inodes_per_group + 1;
}

/* From the goal to the end, else from the start; the search never skips unused inodes (A2). */
static struct ext4_block_run find_in_bitmap(struct ext4 *fs,
                                            const struct ext4_group *group,
                                            const u8 *bits, u32 goal, u32 wanted)
{
    u32 inodes = fs->superblock.inodes_per_group;
    struct exclusion exclusion = { &fs->running.freed_inodes,
                                   first_inode_of(fs, group->number) };
    u64 from = min_u64(goal, inodes - group->unused_inodes);
    struct ext4_block_run run =
        ext4_find_free_run(bits, from, inodes, wanted, is_freed, &exclusion);
    if (run.count < wanted && from > 0) {
        struct ext4_block_run other =
            ext4_find_free_run(bits, 0, inodes, wanted, is_freed, &exclusion);
        if (other.count > run.count)
            run = other;
    }
    return run;
}

/* Takes a run in this group if it has free inodes; run->count 0 if not. */
static enum status allocate_in_group(struct ext4 *fs, u32 number, u32 goal, u32 wanted,
                                     u32 directories, struct ext4_inode_run *result)
{
    u32 inodes = fs->superblock.inodes_per_group;
    struct ext4_group group;
    struct buffer *bitmap;
    result->count = 0;
    enum status status = ext4_group_load(fs, number, &group);
    if (status != OK || group.free_inodes == 0)
        return status;
    status = ext4_group_inode_bitmap(fs, &group, &bitmap);
    if (status != OK)
        return status;

    struct ext4_block_run run = find_in_bitmap(fs, &group, bitmap->data, goal, wanted);
    if (run.count == 0)
        goto release;
    if (run.count > group.free_inodes) {
        log_error("ext4: group %u: free inode count %u, bitmap has more", number,
                  group.free_inodes);
        status = ERR_CORRUPT;
        goto release;
    }
    status = journal_modify(fs->journal, bitmap);
    if (status != OK)
        goto release;
    bitmap_set_range(bitmap->data, run.first, run.count);
    group.free_inodes -= (u32)run.count;
    group.directories += directories;
    u32 behind = inodes - (u32)(run.first + run.count);
    if (group.unused_inodes > behind)
        group.unused_inodes = behind;
    status = ext4_group_store_bitmaps(fs, &group, NULL, bitmap);
    if (status != OK)
        goto release;
    fs->running.free.inodes -= run.count;
    *result = (struct ext4_inode_run){ first_inode_of(fs, number) + (u32)run.first,
                                       (u32)run.count };
release:
    cache_release(bitmap);
    return status;
}

/*
 * A group whose inodes come into use must have a real block bitmap too: e2fsck takes a group
 * without one for unused.
 */
static enum status initialise_block_bitmap(struct ext4 *fs, u32 number)
{
    struct ext4_group group;
    struct buffer *bitmap;
    enum status status = ext4_group_load(fs, number, &group);
    if (status != OK || !(group.flags & EXT4_GROUP_BLOCKS_UNINITIALISED))
        return status;
    status = ext4_group_block_bitmap(fs, &group, &bitmap);
    if (status == OK)
        cache_release(bitmap);
    return status;
}

static enum status allocate_from(struct ext4 *fs, u32 first_group, u32 wanted,
                                 u32 directories, struct ext4_inode_run *run)
{
    u32 groups = fs->superblock.group_count;
    for (u32 i = 0; i < groups; i++) {
        u32 number = (u32)(((u64)first_group + i) % groups);
        u32 first = first_inode_of(fs, number);
        u32 goal = fs->inode_goal >= first ? fs->inode_goal - first : 0;
        if (goal >= fs->superblock.inodes_per_group)
            goal = 0;
        enum status status =
            allocate_in_group(fs, number, goal, wanted, directories, run);
        if (status != OK)
            return status;
        if (run->count > 0) {
            fs->inode_goal = run->first + run->count;
            return initialise_block_bitmap(fs, number);
        }
    }
    return ERR_NO_SPACE;
}

enum status ext4_inodes_allocate(struct ext4 *fs, u32 parent, u32 wanted,
                                 struct ext4_inode_run *run)
{
    return allocate_from(fs, ext4_group_of_inode(fs, parent), wanted, 0, run);
}

/*
 * The group for a new directory: its parent's, unless that is nearly full; then the one with the most
 * free inodes, and that again until half of them are used: looking at all groups is paid for by what
 * they give.
 */
static enum status choose_group(struct ext4 *fs, u32 near, u32 *choice)
{
    struct ext4_directory_group *last = &fs->directory_group;
    struct ext4_group group;
    enum status status = ext4_group_load(fs, near, &group);
    *choice = near;
    if (status != OK || group.free_inodes > fs->superblock.inodes_per_group / 8)
        return status;
    status = ext4_group_load(fs, last->number, &group);
    *choice = last->number;
    if (status != OK || group.free_inodes > last->spare)
        return status;

    u32 most = 0;
    for (u32 i = 0; i < fs->superblock.group_count; i++) {
        u32 number = (u32)(((u64)near + i) % fs->superblock.group_count);
        status = ext4_group_load(fs, number, &group);
        if (status != OK)
            return status;
        if (group.free_inodes > most) {
            most = group.free_inodes;
            *choice = number;
        }
    }
    *last = (struct ext4_directory_group){ *choice, most / 2 };
    return OK;
}

enum status ext4_inode_allocate_directory(struct ext4 *fs, u32 parent, u32 *inode)
{
    struct ext4_inode_run run;
    u32 choice;
    enum status status = choose_group(fs, ext4_group_of_inode(fs, parent), &choice);
    if (status == OK)
        status = allocate_from(fs, choice, 1, 1, &run);
    if (status == OK)
        *inode = run.first;
    return status;
}

enum status ext4_inode_free(struct ext4 *fs, u32 inode, bool directory)
{
    u32 number = ext4_group_of_inode(fs, inode);
    u32 bit = (inode - 1) % fs->superblock.inodes_per_group;
    struct ext4_group group;
    struct buffer *bitmap;
    enum status status = ext4_group_load(fs, number, &group);
    if (status == OK)
        status = ext4_group_inode_bitmap(fs, &group, &bitmap);
    if (status != OK)
        return status;
    if (!bitmap_test(bitmap->data, bit) || (directory && group.directories == 0) ||
        inode < fs->superblock.first_inode) {
        log_error("ext4: inode %u: cannot be freed", inode);
        status = ERR_CORRUPT;
        goto release;
    }
    status = journal_modify(fs->journal, bitmap);
    if (status == OK)
        status = map_set(&fs->running.freed_inodes, inode, 1);
    if (status != OK)
        goto release;
    bitmap_clear(bitmap->data, bit);
    group.free_inodes++;
    group.directories -= directory;
    status = ext4_group_store_bitmaps(fs, &group, NULL, bitmap);
    if (status == OK)
        fs->running.free.inodes++;
release:
    cache_release(bitmap);
    return status;
}

/* Are all inodes [first, first + count) of the group either free or in the run? */
static bool others_are_free(const struct ext4 *fs, const u8 *bits, u32 first, u32 count,
                            u32 run_first, u32 run_end)
{
    for (u32 bit = first; bit < first + count; bit++) {
        if (bit >= fs->superblock.inodes_per_group)
            break;
        if (bitmap_test(bits, bit) && (bit < run_first || bit >= run_end))
            return false;
    }
    return true;
}

enum status ext4_inode_table_modify(struct ext4 *fs, u32 inode,
                                    const struct ext4_inode_run *run,
                                    struct buffer **result, size_t *offset)
{
    u32 per_block = fs->superblock.block_size / fs->superblock.inode_size;
    u32 bit = (inode - 1) % fs->superblock.inodes_per_group;
    u32 first_bit = (run->first - 1) % fs->superblock.inodes_per_group;
    struct ext4_group group;
    struct buffer *bitmap, *buffer;
    enum status status = ext4_group_load(fs, ext4_group_of_inode(fs, inode), &group);
    if (status == OK)
        status = ext4_group_inode_bitmap(fs, &group, &bitmap);
    if (status != OK)
        return status;
    bool fresh = others_are_free(fs, bitmap->data, bit - bit % per_block, per_block,
                                 first_bit, first_bit + run->count);
    cache_release(bitmap);

    u64 block = group.inode_table + bit / per_block;
    status = fresh ? cache_get_fresh(&fs->cache, block, &buffer)
                   : cache_get(&fs->cache, block, &buffer);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, buffer);
    if (status != OK) {
        cache_release(buffer);
        return status;
    }
    if (fresh)
        memset(buffer->data, 0, fs->superblock.block_size);
    *result = buffer;
    *offset = (size_t)(bit % per_block) * fs->superblock.inode_size;
    return OK;
}

u32 ext4_next_generation(struct ext4 *fs)
{
    fs->generation_count++;
    return fs->generation_seed + fs->generation_count * 0x9E3779B1U;
}
