#include "kernel/fs/ext4/check.h"

#include "kernel/base/bitmap.h"
#include "kernel/base/checked.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/check_internal.h"
#include "kernel/fs/ext4/feature.h"
#include "kernel/fs/ext4/group_layout.h"
#include "kernel/fs/ext4/orphan.h"
#include "kernel/fs/ext4/superblock.h"

enum { RESIZE_INODE = 7, PROBLEMS_LOGGED = 20 };

void ext4_check_problem(struct ext4_check *check, const char *format, ...)
{
    char text[EXT4_CHECK_TEXT];
    va_list arguments;
    va_start(arguments, format);
    format_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    if (check->report->problems++ == 0)
        memcpy(check->report->first, text, sizeof text);
    if (check->report->problems <= PROBLEMS_LOGGED)
        log_error("ext4: check: %s", text);
}

enum status ext4_check_settle(struct ext4_check *check, enum status status,
                              const char *what, u64 where)
{
    if (status != ERR_CORRUPT && status != ERR_UNSUPPORTED)
        return status;
    ext4_check_problem(check, "%s: %llu", what, (unsigned long long)where);
    return OK;
}

bool ext4_check_take(struct ext4_check *check, u64 first, u64 count, u32 inode)
{
    const struct ext4_superblock *superblock = &check->fs->superblock;
    u64 base = superblock->first_data_block;
    if (first < base || !range_inside(first, count, superblock->block_count)) {
        ext4_check_problem(check, "inode %u: block outside the disk: %llu", inode,
                           (unsigned long long)first);
        return false;
    }
    u64 taken = bitmap_find_set(check->used, first - base, first - base + count);
    bitmap_set_range(check->used, first - base, count);
    if (taken == first - base + count)
        return true;
    ext4_check_problem(check, "inode %u: block %llu has another owner", inode,
                       (unsigned long long)(taken + base));
    return false;
}

static enum status take_group(struct ext4_check *check, const struct ext4_group *group)
{
    u64 first = ext4_group_first_block(check->fs, group->number);
    u32 head = ext4_group_head_blocks(check->fs, group->number);
    bool fine =
        ext4_check_take(check, first, head, 0) &&
        ext4_check_take(check, group->block_bitmap, 1, 0) &&
        ext4_check_take(check, group->inode_bitmap, 1, 0) &&
        ext4_check_take(check, group->inode_table, ext4_inode_table_blocks(check->fs), 0);
    return fine ? OK : ERR_CORRUPT;
}

/* Reserved inodes have no names; only those that have blocks are looked at. */
static bool is_looked_at(const struct ext4 *fs, u32 number)
{
    const struct ext4_superblock *superblock = &fs->superblock;
    return number >= superblock->first_inode || number == EXT4_ROOT_INODE ||
           number == superblock->journal_inode ||
           (number == RESIZE_INODE && ext4_has_compat(fs, EXT4_COMPAT_RESIZE_INODE));
}

static enum status check_group_inodes(struct ext4_check *check,
                                      const struct ext4_group *group)
{
    struct ext4 *fs = check->fs;
    struct ext4_group copy = *group;
    struct buffer *bitmap;
    u32 per_group = fs->superblock.inodes_per_group;
    u32 first = group->number * per_group + 1;
    u32 directories = 0;
    if (group->flags & EXT4_GROUP_INODES_UNINITIALISED) {
        if (group->free_inodes != per_group || group->directories != 0)
            ext4_check_problem(check, "group %u: uninitialised, %u inodes free",
                               group->number, group->free_inodes);
        return OK;
    }
    enum status status = ext4_group_inode_bitmap(fs, &copy, &bitmap);
    if (status != OK)
        return status;
    u32 used = (u32)bitmap_count(bitmap->data, per_group);
    for (u32 i = 0; i < per_group && status == OK; i++) {
        if (!bitmap_test(bitmap->data, i))
            continue;
        check->kinds[first + i] = EXT4_KIND_RESERVED;
        if (is_looked_at(fs, first + i))
            status = ext4_check_inode(check, first + i);
        directories += check->kinds[first + i] == EXT4_ENTRY_DIRECTORY;
    }
    cache_release(bitmap);
    check->report->used_inodes += used;
    if (group->free_inodes != per_group - used || group->directories != directories)
        ext4_check_problem(check,
                           "group %u: counts %u free inodes, %u directories, has %u, %u",
                           group->number, group->free_inodes, group->directories,
                           per_group - used, directories);
    return status;
}

/* All that is in use is known: what the group's bitmap says must be the same. */
static enum status check_group_blocks(struct ext4_check *check,
                                      const struct ext4_group *group)
{
    struct ext4 *fs = check->fs;
    struct ext4_group copy = *group;
    u32 blocks = ext4_group_block_count(fs, group->number);
    const u8 *found =
        check->used + (u64)group->number * fs->superblock.blocks_per_group / 8;
    u32 used = (u32)bitmap_count(found, blocks);
    struct buffer *bitmap;
    check->report->used_blocks += used;
    if (group->free_blocks != blocks - used)
        ext4_check_problem(check, "group %u: counts %u free blocks, has %u",
                           group->number, group->free_blocks, blocks - used);
    if (group->flags & EXT4_GROUP_BLOCKS_UNINITIALISED)
        return OK;
    enum status status = ext4_group_block_bitmap(fs, &copy, &bitmap);
    if (status != OK)
        return status;
    for (u32 i = 0; i < blocks; i++) {
        if (bitmap_test(found, i) == bitmap_test(bitmap->data, i))
            continue;
        ext4_check_problem(check, "group %u: bitmap is wrong about block %u of it",
                           group->number, i);
        break;
    }
    u64 bits = (u64)fs->superblock.block_size * 8;
    if (bitmap_find_clear(bitmap->data, blocks, bits) != bits)
        ext4_check_problem(check, "group %u: bitmap has free blocks behind the end",
                           group->number);
    cache_release(bitmap);
    return OK;
}

static enum status for_each_group(struct ext4_check *check,
                                  enum status (*look)(struct ext4_check *check,
                                                      const struct ext4_group *group))
{
    for (u32 number = 0; number < check->fs->superblock.group_count; number++) {
        struct ext4_group group;
        enum status status = ext4_group_load(check->fs, number, &group);
        if (status == OK)
            status = look(check, &group);
        status = ext4_check_settle(check, status, "broken group", number);
        if (status != OK)
            return status;
    }
    return OK;
}

static enum status collect_orphans(struct ext4_check *check)
{
    u32 number;
    u64 ignored;
    enum status status = ext4_superblock_last_orphan(check->fs, &number);
    while (status == OK && number != 0 && !map_get(&check->orphans, number, &ignored)) {
        struct ext4_inode inode = { 0 };
        status = map_set(&check->orphans, number, 1);
        if (status == OK)
            status = ext4_orphan_load(check->fs, number, &inode);
        if (status == OK)
            number = inode.delete_time;
    }
    return ext4_check_settle(check, status, "broken orphan list", 0);
}

static enum status compare_free_counts(struct ext4_check *check)
{
    const struct ext4_superblock *superblock = &check->fs->superblock;
    u64 blocks = superblock->block_count - superblock->first_data_block;
    struct ext4_free_counts free;
    enum status status = ext4_superblock_free_counts(check->fs, &free);
    if (status != OK)
        return status;
    if (free.blocks != blocks - check->report->used_blocks)
        ext4_check_problem(check, "superblock: counts %llu free blocks, has %llu",
                           (unsigned long long)free.blocks,
                           (unsigned long long)(blocks - check->report->used_blocks));
    if (free.inodes != superblock->inode_count - check->report->used_inodes)
        ext4_check_problem(check, "superblock: counts %llu free inodes, has %u",
                           (unsigned long long)free.inodes,
                           superblock->inode_count - check->report->used_inodes);
    return OK;
}

static enum status check_all(struct ext4_check *check)
{
    enum status status = collect_orphans(check);
    if (status == OK)
        status = for_each_group(check, take_group);
    if (status == OK)
        status = for_each_group(check, check_group_inodes);
    if (status == OK)
        status = ext4_check_attributes(check);
    if (status == OK)
        status = for_each_group(check, check_group_blocks);
    if (status == OK)
        status = ext4_check_directories(check);
    if (status == OK)
        status = ext4_check_links(check);
    return status == OK ? compare_free_counts(check) : status;
}

enum status ext4_check(struct ext4 *fs, struct ext4_check_report *report)
{
    struct ext4_check check = { .fs = fs, .report = report };
    size_t inodes = (size_t)fs->superblock.inode_count + 1;
    if (fs->journal && journal_is_running(fs->journal))
        return ERR_INVALID_STATE;
    u32 unknown = fs->superblock.ro_compat & ~(u32)EXT4_RO_COMPAT_KNOWN;
    if (unknown) {
        log_warning("ext4: not checked because of feature %s",
                    ext4_ro_compat_name(unknown));
        return ERR_UNSUPPORTED;
    }
    *report = (struct ext4_check_report){ 0 };
    map_init(&check.attributes);
    map_init(&check.orphans);
    u64 bytes = (u64)fs->superblock.group_count * fs->superblock.blocks_per_group / 8;
    check.used = port_alloc((size_t)bytes + 8);
    check.kinds = port_alloc(inodes);
    check.links = port_alloc(inodes * sizeof *check.links);
    check.parents = port_alloc(inodes * sizeof *check.parents);
    check.stated_parents = port_alloc(inodes * sizeof *check.stated_parents);

    enum status status = ERR_NO_MEMORY;
    if (check.used && check.kinds && check.links && check.parents && check.stated_parents)
        status = check_all(&check);
    port_free(check.used);
    port_free(check.kinds);
    port_free(check.links);
    port_free(check.parents);
    port_free(check.stated_parents);
    map_destroy(&check.attributes);
    map_destroy(&check.orphans);
    return status;
}
