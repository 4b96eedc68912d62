/*
 * Many new files at once: see ext4_create_burst() in ext4.h.
 *
 *   disk:      | file 0                | file 1                | file 2 ...
 *              | head | body | padding | head | body | padding |
 *   segments:  [copied][borrowed][ copied       ][borrowed][ copied ...
 *
 * Padding and the next head share one copied segment, so a file costs two segments and none of its
 * body is copied. Inode-table blocks are filled in memory; one that holds nothing else is not read.
 */
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/data_queue.h"
#include "kernel/fs/ext4/dir_access.h"
#include "kernel/fs/ext4/extent.h"
#include "kernel/fs/ext4/inode.h"
#include "kernel/fs/ext4/read_ahead.h"

struct burst {
    struct ext4 *fs;
    u32 directory;
    struct ext4_burst_file *files;
    size_t count;
    u64 blocks_left;              /* that the files not yet placed need */
    struct ext4_block_run blocks; /* allocated and not yet given to a file */
    struct ext4_inode_run run;    /* inodes allocated together ... */
    u32 inodes_used;              /* ... and how many of them files have */
    struct buffer *table;         /* the inode-table block being filled, or NULL */
    size_t table_offset;          /* of the next inode in it */
};

static u64 file_size(const struct ext4_burst_file *file)
{
    return (u64)file->head_size + file->body_size;
}

static u64 file_blocks(const struct ext4 *fs, const struct ext4_burst_file *file)
{
    return divide_up(file_size(file), fs->superblock.block_size);
}

/* Metadata blocks that the burst may touch, on the safe side. */
static u64 estimate_cost(const struct burst *burst, const struct ext4_inode *parent)
{
    enum { PER_GROUP = 4, SLACK = 48 };
    const struct ext4_superblock *superblock = &burst->fs->superblock;
    u64 table = burst->count * superblock->inode_size / superblock->block_size;
    u64 groups = burst->count / superblock->inodes_per_group +
                 burst->blocks_left / superblock->blocks_per_group + 2;
    u64 directory = ext4_dir_add_many_cost(burst->fs, parent, burst->files, burst->count);
    return table + groups * PER_GROUP + directory + SLACK;
}

static bool is_valid_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= EXT4_NAME_MAX && !strchr(name, '/');
}

/* Everything that can be refused before the first change. */
static enum status check_burst(struct burst *burst, const struct ext4_inode *parent)
{
    struct ext4 *fs = burst->fs;
    for (size_t i = 0; i < burst->count; i++) {
        if (!is_valid_name(burst->files[i].name))
            return ERR_INVALID_ARGUMENT;
        burst->blocks_left += file_blocks(fs, &burst->files[i]);
    }
    if (burst->blocks_left > fs->running.free.blocks ||
        burst->count > fs->running.free.inodes)
        return ERR_NO_SPACE;
    return ext4_running_require(fs, estimate_cost(burst, parent));
}

/* The part of one piece of the file's content (starting at `start`) that lies in [from, to). */
static enum status queue_piece(struct ext4 *fs, u64 position, const void *data, u64 start,
                               u64 size, const struct ext4_block_run *range)
{
    u64 from = max_u64(start, range->first);
    u64 to = min_u64(start + size, range->first + range->count);
    if (from >= to)
        return OK;
    u64 at = position + (from - range->first);
    size_t length = (size_t)(to - from);
    if (!data)
        return ext4_data_queue_copy(fs->data_queue, at, NULL, length);
    const u8 *bytes = (const u8 *)data + (from - start);
    return length < SECTOR_SIZE
               ? ext4_data_queue_copy(fs->data_queue, at, bytes, length)
               : ext4_data_queue_borrow(fs->data_queue, at, bytes, length);
}

/* Bytes `range` of the file, zeros behind its end, go to the disk at `position`. */
static enum status queue_content(struct ext4 *fs, const struct ext4_burst_file *file,
                                 u64 position, struct ext4_block_run range)
{
    u64 size = file_size(file);
    enum status status =
        queue_piece(fs, position, file->head, 0, file->head_size, &range);
    if (status == OK)
        status = queue_piece(fs, position, file->body, file->head_size, file->body_size,
                             &range);
    if (status == OK)
        status = queue_piece(fs, position, NULL, size, align_up(size, PAGE_SIZE) - size,
                             &range);
    return status;
}

/* Gives the file its blocks, from the run at hand or new ones, and queues its content. */
static enum status place_data(struct burst *burst, struct ext4_burst_file *file,
                              struct ext4_inode *inode)
{
    struct ext4 *fs = burst->fs;
    u32 shift = fs->superblock.block_shift;
    u64 blocks = file_blocks(fs, file);
    file->first_block = 0;
    for (u64 done = 0; done < blocks;) {
        enum status status = OK;
        if (burst->blocks.count == 0)
            status = ext4_blocks_allocate(fs, ext4_data_goal(fs, burst->directory),
                                          burst->blocks_left, &burst->blocks);
        if (status != OK)
            return status;
        u64 count = min_u64(blocks - done, burst->blocks.count);
        count = min_u64(count, EXT4_EXTENT_MAX_BLOCKS);
        struct ext4_extent extent = { (u32)done, (u32)count, burst->blocks.first, false };
        struct ext4_block_run range = { done << shift, count << shift };
        inode->blocks_512 += range.count / SECTOR_SIZE;
        status = ext4_extent_insert(fs, inode, &extent);
        if (status == OK)
            status = queue_content(fs, file, extent.disk_block << shift, range);
        if (status != OK)
            return status;
        if (done == 0)
            file->first_block = extent.disk_block;
        burst->blocks.first += count;
        burst->blocks.count -= count;
        burst->blocks_left -= count;
        fs->block_goal = burst->blocks.first;
        done += count;
    }
    return OK;
}

static void close_table(struct burst *burst)
{
    cache_release(burst->table);
    burst->table = NULL;
}

/* The next inode number, and its table block at hand. */
static enum status next_inode(struct burst *burst, size_t files_left, u32 *number)
{
    struct ext4 *fs = burst->fs;
    if (burst->inodes_used == burst->run.count) {
        close_table(burst);
        burst->inodes_used = 0;
        enum status status =
            ext4_inodes_allocate(fs, burst->directory, (u32)files_left, &burst->run);
        if (status != OK)
            return status;
    }
    *number = burst->run.first + burst->inodes_used++;
    if (burst->table && burst->table_offset < fs->superblock.block_size)
        return OK;
    close_table(burst);
    return ext4_inode_table_modify(fs, *number, &burst->run, &burst->table,
                                   &burst->table_offset);
}

static enum status create_one(struct burst *burst, size_t index)
{
    struct ext4 *fs = burst->fs;
    struct ext4_burst_file *file = &burst->files[index];
    struct ext4_inode inode;
    u32 number;
    enum status status = next_inode(burst, burst->count - index, &number);
    if (status != OK)
        return status;
    ext4_inode_init(fs, number, EXT4_MODE_FILE | 0600, 1, &inode);
    inode.size_bytes = file_size(file);
    status = place_data(burst, file, &inode);
    if (status != OK)
        return status;
    ext4_inode_encode_new(fs, &inode, burst->table->data + burst->table_offset);
    burst->table_offset += fs->superblock.inode_size;
    file->inode = number;
    return OK;
}

/* An image without extents: file by file. */
static enum status create_plainly(struct burst *burst)
{
    struct ext4 *fs = burst->fs;
    for (size_t i = 0; i < burst->count; i++) {
        struct ext4_burst_file *file = &burst->files[i];
        struct ext4_inode inode;
        u64 count;
        enum status status =
            ext4_inode_create(fs, burst->directory, EXT4_MODE_FILE | 0600, 1, &inode);
        if (status == OK)
            status = ext4_write(fs, inode.number, 0, file->head, file->head_size);
        if (status == OK)
            status = ext4_write(fs, inode.number, file->head_size, file->body,
                                file->body_size);
        if (status == OK)
            status = ext4_inode_load(fs, inode.number, &inode);
        if (status == OK)
            status = ext4_block_map(fs, &inode, 0, &file->first_block, &count);
        if (status != OK)
            return status;
        file->inode = inode.number;
    }
    return OK;
}

enum status ext4_create_burst(struct ext4 *fs, u32 directory,
                              struct ext4_burst_file *files, size_t count)
{
    struct burst burst = {
        .fs = fs, .directory = directory, .files = files, .count = count
    };
    struct ext4_inode parent;
    enum status status = ext4_require_writable(fs);
    if (status == OK && count == 0)
        return OK;
    if (status == OK)
        status = ext4_inode_load(fs, directory, &parent);
    if (status == OK && !ext4_inode_is(&parent, EXT4_MODE_DIRECTORY))
        status = ERR_NOT_DIRECTORY;
    if (status == OK)
        status = check_burst(&burst, &parent);
    if (status == OK)
        status = ext4_dir_require_new(fs, &parent, files, count);
    if (status != OK)
        return status;

    ext4_read_ahead_forget(fs);
    struct ext4_inode model;
    ext4_inode_init(fs, directory, EXT4_MODE_FILE, 1, &model);
    if (model.flags & EXT4_INODE_FLAG_EXTENTS) {
        for (size_t i = 0; i < count && status == OK; i++)
            status = create_one(&burst, i);
        close_table(&burst);
    } else {
        status = create_plainly(&burst);
    }
    return status == OK ? ext4_dir_add_many(fs, &parent, files, count) : status;
}
