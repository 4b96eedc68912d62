#include "kernel/fs/ext4/orphan.h"

#include "kernel/base/bitmap.h"
#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/group.h"
#include "kernel/fs/ext4/superblock.h"

/* What continuing an orphan may need for a step that gets somewhere. */
enum { STEP_BLOCKS = 24 };

static enum status refuse(u32 number, const char *what)
{
    log_error("ext4: orphan list: %s: %u", what, number);
    return ERR_CORRUPT;
}

static enum status require_in_use(struct ext4 *fs, u32 number)
{
    struct ext4_group group;
    struct buffer *bitmap;
    enum status status = ext4_group_load(fs, ext4_group_of_inode(fs, number), &group);
    if (status != OK)
        return status;
    if (group.flags & EXT4_GROUP_INODES_UNINITIALISED)
        return refuse(number, "free inode");
    status = ext4_group_inode_bitmap(fs, &group, &bitmap);
    if (status != OK)
        return status;
    bool used = bitmap_test(bitmap->data, (number - 1) % fs->superblock.inodes_per_group);
    cache_release(bitmap);
    return used ? OK : refuse(number, "free inode");
}

enum status ext4_orphan_load(struct ext4 *fs, u32 number, struct ext4_inode *inode)
{
    if (number < fs->superblock.first_inode || number > fs->superblock.inode_count)
        return refuse(number, "impossible inode");
    enum status status = require_in_use(fs, number);
    return status == OK ? ext4_inode_load(fs, number, inode) : status;
}

static enum status cut(struct ext4 *fs, struct ext4_inode *inode)
{
    u64 blocks = divide_up(inode->size_bytes, fs->superblock.block_size);
    enum status status = ext4_block_map_truncate(fs, inode, blocks);
    if (status == OK)
        inode->delete_time = 0;
    enum status stored = ext4_inode_store(fs, inode);
    return status == OK ? stored : status;
}

enum status ext4_orphan_finish(struct ext4 *fs, u32 number)
{
    struct ext4_inode inode;
    enum status status = ext4_running_require(fs, STEP_BLOCKS);
    if (status == OK)
        status = ext4_orphan_load(fs, number, &inode);
    if (status != OK)
        return status;
    return inode.links == 0 ? ext4_inode_delete(fs, &inode) : cut(fs, &inode);
}

enum status ext4_orphan_add(struct ext4 *fs, struct ext4_inode *inode)
{
    enum status status = ext4_superblock_last_orphan(fs, &inode->delete_time);
    if (status == OK)
        status = ext4_inode_store(fs, inode);
    return status == OK ? ext4_superblock_set_last_orphan(fs, inode->number) : status;
}

enum status ext4_orphan_commit_progress(struct ext4 *fs)
{
    const struct ext4_running *running = &fs->running;
    if (running->free.blocks == running->free_before.blocks &&
        running->free.inodes == running->free_before.inodes)
        return ERR_TRANSACTION_FULL;
    return ext4_commit(fs);
}

/* The first of the list, to its end, and off the list. */
static enum status finish_first(struct ext4 *fs, u32 number)
{
    struct ext4_inode inode;
    enum status status = ext4_orphan_load(fs, number, &inode);
    if (status == OK)
        status = ext4_orphan_finish(fs, number);
    return status == OK ? ext4_superblock_set_last_orphan(fs, inode.delete_time) : status;
}

enum status ext4_orphans_continue(struct ext4 *fs)
{
    u32 first;
    enum status status = ext4_superblock_last_orphan(fs, &first);
    while (status == OK && first != 0) {
        status = finish_first(fs, first);
        if (status == OK)
            status = ext4_superblock_last_orphan(fs, &first);
    }
    return status == ERR_TRANSACTION_FULL ? OK : status;
}

/* O2. Each step puts another inode into `seen`, so there are no more steps than inodes. */
static enum status check_list(struct ext4 *fs, u32 first, size_t *count)
{
    struct map seen;
    u64 ignored;
    enum status status = OK;
    map_init(&seen);
    for (u32 number = first; number != 0 && status == OK;) {
        struct ext4_inode inode;
        status = map_get(&seen, number, &ignored) ? refuse(number, "loop at inode")
                                                  : map_set(&seen, number, 1);
        if (status == OK)
            status = ext4_orphan_load(fs, number, &inode);
        if (status == OK)
            number = inode.delete_time;
    }
    *count = seen.count;
    map_destroy(&seen);
    return status;
}

/* What check_list() has seen; a full transaction is committed on the way. */
static enum status finish_list(struct ext4 *fs)
{
    u32 first;
    enum status status = ext4_superblock_last_orphan(fs, &first);
    while (status == OK && first != 0) {
        status = finish_first(fs, first);
        if (status == ERR_TRANSACTION_FULL)
            status = ext4_orphan_commit_progress(fs);
        if (status == OK)
            status = ext4_superblock_last_orphan(fs, &first);
    }
    return status;
}

enum status ext4_orphans_recover(struct ext4 *fs)
{
    u32 first;
    size_t count = 0;
    enum status status = ext4_superblock_last_orphan(fs, &first);
    if (status == OK)
        status = check_list(fs, first, &count);
    if (status == OK && count > 0) {
        log_info("ext4: %s: %zu orphans on the list", fs->disk->name, count);
        status = finish_list(fs);
    }
    if (status == OK)
        status = ext4_orphan_file_recover(fs);
    return status == OK ? ext4_commit(fs) : status;
}
