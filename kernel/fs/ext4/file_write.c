/*
 * Writing files.
 *
 * W1  A block that the running transaction allocated is written in place, before the commit; a
 *     crash leaves it free, with whatever is in it.
 * W2  A block that a committed file has goes through the journal: old or new as a whole.
 * W3  Behind the end of a file its last block holds zeros.
 * W4  After each step the inode and its map are consistent, so that ERR_TRANSACTION_FULL leaves
 *     something that may be committed.
 */
#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/data_queue.h"
#include "kernel/fs/ext4/extent.h"
#include "kernel/fs/ext4/inode.h"
#include "kernel/fs/ext4/read_ahead.h"

/* What one allocation step may touch: bitmaps, descriptors, tree blocks and the inode. */
enum { STEP_BLOCKS = 24 };

static u64 position_of(const struct ext4 *fs, u64 block)
{
    return block << fs->superblock.block_shift;
}

/* Part of a block that a committed file has (W2). */
static enum status write_journaled(struct ext4 *fs, u64 block, u64 within, const u8 *data,
                                   size_t size)
{
    struct buffer *buffer;
    enum status status = ext4_running_require(fs, 2);
    if (status != OK)
        return status;
    status = size == fs->superblock.block_size
                 ? cache_get_fresh(&fs->cache, block, &buffer)
                 : cache_get(&fs->cache, block, &buffer);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, buffer);
    if (status == OK)
        memcpy(buffer->data + within, data, size);
    cache_release(buffer);
    return status;
}

/* Part of a block that this transaction allocated and wrote before (W1). */
static enum status rewrite_fresh(struct ext4 *fs, u64 block, u64 within, const u8 *data,
                                 size_t size)
{
    u32 block_size = fs->superblock.block_size;
    enum status status = ext4_data_queue_drain(fs->data_queue);
    if (status == OK && size < block_size)
        status = disk_read(fs->disk, position_of(fs, block) / SECTOR_SIZE, fs->scratch,
                           block_size);
    if (status != OK)
        return status;
    memcpy(fs->scratch + within, data, size);
    return ext4_data_queue_copy(fs->data_queue, position_of(fs, block), fs->scratch,
                                block_size);
}

/* Blocks that are mapped already, one at a time. */
static enum status overwrite(struct ext4 *fs, u64 block, u64 within, const u8 *data,
                             size_t *size)
{
    *size = min_size(*size, fs->superblock.block_size - within);
    return ext4_running_is_fresh(fs, block)
               ? rewrite_fresh(fs, block, within, data, *size)
               : write_journaled(fs, block, within, data, *size);
}

/* New blocks, zeros around the data. */
static enum status fill_fresh(struct ext4 *fs, u64 block, u64 count, u64 within,
                              const u8 *data, size_t size)
{
    u64 position = position_of(fs, block);
    size_t after = (size_t)(position_of(fs, count) - within - size);
    enum status status =
        ext4_data_queue_copy(fs->data_queue, position, NULL, (size_t)within);
    if (status == OK)
        status = ext4_data_queue_copy(fs->data_queue, position + within, data, size);
    if (status == OK)
        status =
            ext4_data_queue_copy(fs->data_queue, position + within + size, NULL, after);
    return status;
}

static enum status write_hole(struct ext4 *fs, struct ext4_inode *inode, u64 offset,
                              u64 hole, const u8 *data, size_t *size)
{
    u32 shift = fs->superblock.block_shift;
    u64 within = offset & (fs->superblock.block_size - 1);
    u64 wanted = min_u64(hole, divide_up(within + *size, fs->superblock.block_size));
    u64 block, mapped;
    enum status status = ext4_running_require(fs, STEP_BLOCKS);
    if (status == OK)
        status =
            ext4_block_map_allocate(fs, inode, offset >> shift, wanted, &block, &mapped);
    if (status != OK)
        return status;
    *size = (size_t)min_u64(*size, position_of(fs, mapped) - within);
    return fill_fresh(fs, block, mapped, within, data, *size);
}

/* As much as lies in one run of the map; the inode in memory grows. */
static enum status write_step(struct ext4 *fs, struct ext4_inode *inode, u64 offset,
                              const u8 *data, size_t *size)
{
    u64 block, count;
    u64 within = offset & (fs->superblock.block_size - 1);
    enum status status =
        ext4_block_map(fs, inode, offset >> fs->superblock.block_shift, &block, &count);
    if (status == OK)
        status = block != 0 ? overwrite(fs, block, within, data, size)
                            : write_hole(fs, inode, offset, count, data, size);
    if (status == OK)
        inode->size_bytes = max_u64(inode->size_bytes, offset + *size);
    return status;
}

/* A file that may be changed, with its inode in the transaction already (W4). */
static enum status open_for_change(struct ext4 *fs, u32 number, struct ext4_inode *inode)
{
    enum status status = ext4_require_writable(fs);
    if (status == OK)
        status = ext4_inode_load(fs, number, inode);
    if (status != OK)
        return status;
    if (ext4_inode_is(inode, EXT4_MODE_DIRECTORY))
        return ERR_IS_DIRECTORY;
    if (!ext4_inode_is(inode, EXT4_MODE_FILE))
        return ERR_INVALID_ARGUMENT;
    ext4_read_ahead_forget(fs);
    inode->modify_time = inode->change_time = ext4_now_seconds();
    status = ext4_running_require(fs, 2);
    return status == OK ? ext4_inode_store(fs, inode) : status;
}

/* The inode as far as the steps came, whatever stopped them. */
static enum status close_change(struct ext4 *fs, const struct ext4_inode *inode,
                                enum status status)
{
    enum status stored = ext4_inode_store(fs, inode);
    return status == OK ? stored : status;
}

enum status ext4_write(struct ext4 *fs, u32 number, u64 offset, const void *data,
                       size_t size)
{
    struct ext4_inode inode;
    const u8 *from = data;
    u64 end;
    if (!checked_add(offset, size, &end) || end > (u64)EXT4_FILE_BLOCK_LIMIT
                                                      << fs->superblock.block_shift)
        return ERR_TOO_LARGE;
    enum status status = open_for_change(fs, number, &inode);
    if (status != OK)
        return status;
    while (size > 0 && status == OK) {
        size_t piece = size;
        status = write_step(fs, &inode, offset, from, &piece);
        if (status != OK)
            break;
        offset += piece;
        from += piece;
        size -= piece;
    }
    return close_change(fs, &inode, status);
}

/* Zeros from the new end to the end of its block (W3). */
static enum status clear_tail(struct ext4 *fs, const struct ext4_inode *inode, u64 size)
{
    u32 block_size = fs->superblock.block_size;
    u64 within = size & (block_size - 1);
    u64 block, count;
    if (within == 0)
        return OK;
    enum status status =
        ext4_block_map(fs, inode, size >> fs->superblock.block_shift, &block, &count);
    if (status != OK || block == 0)
        return status;

    static const u8 zeros[256];
    while (within < block_size && status == OK) {
        size_t piece = min_size(sizeof zeros, block_size - within);
        status = overwrite(fs, block, within, zeros, &piece);
        within += piece;
    }
    return status;
}

/* After a truncation that stopped half-way: the size that the map still backs. */
static enum status settle_size(struct ext4 *fs, struct ext4_inode *inode, u64 wanted)
{
    u64 end = 0;
    if (!(inode->flags & EXT4_INODE_FLAG_EXTENTS))
        return OK;
    enum status status = ext4_extent_end(fs, inode, &end);
    if (status == OK)
        inode->size_bytes =
            max_u64(wanted, min_u64(inode->size_bytes, position_of(fs, end)));
    return status;
}

static enum status shrink(struct ext4 *fs, struct ext4_inode *inode, u64 size)
{
    u64 blocks = divide_up(size, fs->superblock.block_size);
    enum status status = ext4_running_require(fs, 4);
    if (status == OK)
        status = ext4_block_map_truncate(fs, inode, blocks);
    if (status == ERR_TRANSACTION_FULL) {
        enum status settled = settle_size(fs, inode, size);
        return settled == OK ? status : settled;
    }
    if (status == OK)
        status = clear_tail(fs, inode, size);
    if (status == OK)
        inode->size_bytes = size;
    return status;
}

enum status ext4_truncate(struct ext4 *fs, u32 number, u64 size)
{
    struct ext4_inode inode;
    if (size > (u64)EXT4_FILE_BLOCK_LIMIT << fs->superblock.block_shift)
        return ERR_TOO_LARGE;
    enum status status = open_for_change(fs, number, &inode);
    if (status != OK)
        return status;
    if (size < inode.size_bytes)
        status = shrink(fs, &inode, size);
    else
        inode.size_bytes = size;
    return close_change(fs, &inode, status);
}

/* In place, unless the block's newest content waits in the journal (E4). */
static enum status poke_block(struct ext4 *fs, u64 block, u64 within, u8 value)
{
    u8 *sector_bytes = fs->scratch;
    struct buffer *buffer = cache_find(&fs->cache, block);
    bool journaled = buffer && buffer->pins > 0;
    cache_release(buffer);
    if (journaled)
        return write_journaled(fs, block, within, &value, 1);

    u64 position = align_down(position_of(fs, block) + within, SECTOR_SIZE);
    u8 *ahead = ext4_read_ahead_find(fs, block, 1);
    if (ahead) {
        sector_bytes = ahead + align_down(within, SECTOR_SIZE);
    } else {
        enum status status = ext4_data_queue_drain(fs->data_queue);
        if (status == OK)
            status =
                disk_read(fs->disk, position / SECTOR_SIZE, sector_bytes, SECTOR_SIZE);
        if (status != OK)
            return status;
    }
    sector_bytes[within % SECTOR_SIZE] = value;
    cache_forget(&fs->cache, block);
    return ext4_data_queue_copy(fs->data_queue, position, sector_bytes, SECTOR_SIZE);
}

enum status ext4_poke(struct ext4 *fs, u32 number, u64 offset, u8 value)
{
    struct ext4_inode inode;
    u64 block, count;
    enum status status = ext4_require_writable(fs);
    if (status == OK)
        status = ext4_inode_load(fs, number, &inode);
    if (status != OK)
        return status;
    if (!ext4_inode_is(&inode, EXT4_MODE_FILE) || offset >= inode.size_bytes)
        return ERR_INVALID_ARGUMENT;
    status =
        ext4_block_map(fs, &inode, offset >> fs->superblock.block_shift, &block, &count);
    if (status != OK)
        return status;
    if (block == 0)
        return ERR_INVALID_ARGUMENT;
    return poke_block(fs, block, offset & (fs->superblock.block_size - 1), value);
}

enum status ext4_flush(struct ext4 *fs)
{
    if (fs->read_only)
        return OK;
    enum status status = ext4_data_queue_drain(fs->data_queue);
    return status == OK ? disk_flush(fs->disk) : status;
}
