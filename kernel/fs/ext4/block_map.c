#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/block_pointers.h"
#include "kernel/fs/ext4/extent.h"
#include "kernel/fs/ext4/group.h"
#include "kernel/fs/ext4/read_ahead.h"

enum status ext4_block_map(struct ext4 *fs, const struct ext4_inode *inode,
                           u64 file_block, u64 *disk_block, u64 *count)
{
    if (!(inode->flags & EXT4_INODE_FLAG_EXTENTS))
        return ext4_block_pointers_map(fs, inode, file_block, disk_block, count);
    if (file_block >= EXT4_FILE_BLOCK_LIMIT) {
        *disk_block = 0;
        *count = 1ULL << 32;
        return OK;
    }
    struct ext4_extent extent;
    enum status status = ext4_extent_find(fs, inode, (u32)file_block, &extent);
    if (status != OK)
        return status;
    u64 before = file_block - extent.file_block;
    bool mapped = extent.disk_block != 0 && !extent.unwritten;
    *disk_block = mapped ? extent.disk_block + before : 0;
    *count = extent.count - before;
    return OK;
}

/* Behind the last block before `file_block`; else where such blocks go next. */
static enum status allocation_goal(struct ext4 *fs, const struct ext4_inode *inode,
                                   u64 file_block, u64 *goal)
{
    u64 disk_block = 0;
    u64 count;
    if (file_block > 0) {
        enum status status =
            ext4_block_map(fs, inode, file_block - 1, &disk_block, &count);
        if (status != OK)
            return status;
    }
    if (disk_block != 0)
        *goal = disk_block + 1;
    else if (ext4_inode_is(inode, EXT4_MODE_DIRECTORY))
        *goal = ext4_metadata_goal(fs, inode->number);
    else
        *goal = ext4_data_goal(fs, inode->number);
    return OK;
}

u64 ext4_data_goal(const struct ext4 *fs, u32 inode)
{
    /* Metadata takes a group's first free blocks; data begins far enough not to mix with it. */
    if (fs->block_goal != 0)
        return fs->block_goal;
    return ext4_metadata_goal(fs, inode) + fs->superblock.blocks_per_group / 2;
}

static enum status allocate_extent(struct ext4 *fs, struct ext4_inode *inode,
                                   u64 file_block, u64 count, struct ext4_block_run *run)
{
    struct ext4_extent extent;
    if (file_block >= EXT4_FILE_BLOCK_LIMIT)
        return ERR_TOO_LARGE;
    enum status status = ext4_extent_find(fs, inode, (u32)file_block, &extent);
    if (status != OK)
        return status;
    u64 before = file_block - extent.file_block;
    u64 wanted = min_u64(min_u64(count, extent.count - before), EXT4_EXTENT_MAX_BLOCKS);
    if (extent.disk_block != 0) { /* unwritten: its blocks become data now */
        *run = (struct ext4_block_run){ extent.disk_block + before, wanted };
        status = ext4_extent_convert(fs, inode, (u32)file_block, (u32)wanted);
        return status == OK ? ext4_running_add_fresh(fs, run->first, run->count) : status;
    }

    u64 goal;
    status = allocation_goal(fs, inode, file_block, &goal);
    if (status == OK)
        status = ext4_blocks_allocate(fs, goal, wanted, run);
    if (status != OK)
        return status;
    inode->blocks_512 += run->count * (fs->superblock.block_size / SECTOR_SIZE);
    struct ext4_extent fresh = { (u32)file_block, (u32)run->count, run->first, false };
    return ext4_extent_insert(fs, inode, &fresh);
}

enum status ext4_block_map_allocate(struct ext4 *fs, struct ext4_inode *inode,
                                    u64 file_block, u64 count, u64 *disk_block,
                                    u64 *mapped)
{
    struct ext4_block_run run = { 0, 1 };
    enum status status;
    if (inode->flags & EXT4_INODE_FLAG_EXTENTS) {
        status = allocate_extent(fs, inode, file_block, count, &run);
    } else {
        u64 goal;
        status = allocation_goal(fs, inode, file_block, &goal);
        if (status == OK)
            status =
                ext4_block_pointers_allocate(fs, inode, file_block, goal, &run.first);
    }
    if (status != OK)
        return status;
    if (!ext4_inode_is(inode, EXT4_MODE_DIRECTORY))
        fs->block_goal = run.first + run.count;
    *disk_block = run.first;
    *mapped = run.count;
    return OK;
}

enum status ext4_block_map_truncate(struct ext4 *fs, struct ext4_inode *inode,
                                    u64 file_block)
{
    if (!(inode->flags & EXT4_INODE_FLAG_EXTENTS))
        return ext4_block_pointers_truncate(fs, inode, file_block);
    if (file_block >= EXT4_FILE_BLOCK_LIMIT)
        return OK;
    return ext4_extent_truncate(fs, inode, (u32)file_block);
}

enum status ext4_inode_block(struct ext4 *fs, const struct ext4_inode *inode,
                             u64 file_block, struct buffer **buffer)
{
    u64 disk_block, count;
    enum status status = ext4_block_map(fs, inode, file_block, &disk_block, &count);
    if (status != OK)
        return status;
    if (disk_block == 0) {
        log_error("ext4: inode %u: hole in a directory at block %llu", inode->number,
                  (unsigned long long)file_block);
        return ERR_CORRUPT;
    }
    u64 blocks = divide_up(inode->size_bytes, fs->superblock.block_size);
    u64 left = blocks > file_block ? blocks - file_block : 1;
    ext4_read_ahead_metadata(fs, &fs->read_ahead.of_directories, disk_block,
                             disk_block + min_u64(count, left));
    return cache_get(&fs->cache, disk_block, buffer);
}

enum status ext4_inode_append_block(struct ext4 *fs, struct ext4_inode *inode,
                                    struct buffer **result)
{
    u64 file_block = inode->size_bytes >> fs->superblock.block_shift;
    u64 disk_block, mapped;
    struct buffer *buffer;
    enum status status =
        ext4_block_map_allocate(fs, inode, file_block, 1, &disk_block, &mapped);
    if (status == OK)
        status = cache_get_fresh(&fs->cache, disk_block, &buffer);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, buffer);
    if (status != OK) {
        cache_release(buffer);
        return status;
    }
    memset(buffer->data, 0, fs->superblock.block_size);
    inode->size_bytes += fs->superblock.block_size;
    *result = buffer;
    return OK;
}
