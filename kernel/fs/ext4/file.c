/* Reading files, and what can be said about an inode. */
#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/data_queue.h"
#include "kernel/fs/ext4/inode.h"
#include "kernel/fs/ext4/read_ahead.h"

static enum ext4_type type_of(const struct ext4_inode *inode)
{
    switch (inode->mode & EXT4_MODE_TYPE) {
    case EXT4_MODE_FILE:
        return EXT4_FILE;
    case EXT4_MODE_DIRECTORY:
        return EXT4_DIRECTORY;
    case EXT4_MODE_SYMLINK:
        return EXT4_SYMLINK;
    default:
        return EXT4_OTHER;
    }
}

enum status ext4_stat(struct ext4 *fs, u32 number, struct ext4_stat *stat)
{
    struct ext4_inode inode;
    enum status status = ext4_inode_load(fs, number, &inode);
    if (status != OK)
        return status;
    *stat = (struct ext4_stat){
        .inode = number,
        .generation = inode.generation,
        .type = type_of(&inode),
        .links = inode.links,
        .size_bytes = inode.size_bytes,
        .blocks_512 = inode.blocks_512,
        .modified = inode.modify_time,
    };
    return OK;
}

/* How many blocks from `block` on are not in the cache; 0: this one is, and *buffer is it. */
static u64 count_uncached(struct ext4 *fs, u64 block, u64 limit, struct buffer **buffer)
{
    for (u64 count = 0; count < limit; count++) {
        struct buffer *found = cache_find(&fs->cache, block + count);
        if (!found)
            continue;
        if (count == 0)
            *buffer = found;
        else
            cache_release(found);
        return count;
    }
    return limit;
}

/* Reads from one run of disk blocks as much as comes from one source; at least a byte. */
static enum status read_run(struct ext4 *fs, u64 block, u64 within, u8 *to, size_t *size)
{
    u32 block_size = fs->superblock.block_size;
    struct buffer *buffer = NULL;
    u64 blocks = divide_up(within + *size, block_size);
    u64 uncached = count_uncached(fs, block, blocks, &buffer);
    if (buffer) { /* E4 */
        *size = min_size(*size, block_size - within);
        memcpy(to, buffer->data + within, *size);
        cache_release(buffer);
        return OK;
    }
    *size = (size_t)min_u64(*size, uncached * block_size - within);
    bool at_hand =
        ext4_read_ahead_find(fs, block + within / block_size,
                             divide_up(within % block_size + *size, block_size));
    if (fs->data_queue && !ext4_data_queue_is_idle(fs->data_queue) && !at_hand) {
        enum status status = ext4_data_queue_drain(fs->data_queue);
        if (status != OK)
            return status;
    }
    return ext4_read_data(fs, block, within, to, *size);
}

/* `size` bytes inside the file. */
static enum status read_inside(struct ext4 *fs, const struct ext4_inode *inode,
                               u64 offset, u8 *to, size_t size)
{
    u32 shift = fs->superblock.block_shift;
    while (size > 0) {
        u64 disk_block, count;
        u64 within = offset & (fs->superblock.block_size - 1);
        enum status status =
            ext4_block_map(fs, inode, offset >> shift, &disk_block, &count);
        if (status != OK)
            return status;
        u64 limit = divide_up(within + size, fs->superblock.block_size);
        size_t piece = (size_t)min_u64(size, (min_u64(count, limit) << shift) - within);
        if (disk_block == 0)
            memset(to, 0, piece);
        else
            status = read_run(fs, disk_block, within, to, &piece);
        if (status != OK)
            return status;
        offset += piece;
        to += piece;
        size -= piece;
    }
    return OK;
}

enum status ext4_inode_read(struct ext4 *fs, const struct ext4_inode *inode, u64 offset,
                            void *data, size_t size, size_t *read)
{
    if (offset >= inode->size_bytes) {
        *read = 0;
        return OK;
    }
    size = (size_t)min_u64(size, inode->size_bytes - offset);
    enum status status = read_inside(fs, inode, offset, data, size);
    if (status == OK)
        *read = size;
    return status;
}

enum status ext4_read(struct ext4 *fs, u32 number, u64 offset, void *data, size_t size,
                      size_t *read)
{
    struct ext4_inode inode;
    enum status status = ext4_inode_load(fs, number, &inode);
    if (status != OK)
        return status;
    if (ext4_inode_is(&inode, EXT4_MODE_DIRECTORY))
        return ERR_IS_DIRECTORY;
    if (!ext4_inode_is(&inode, EXT4_MODE_FILE))
        return ERR_INVALID_ARGUMENT;
    return ext4_inode_read(fs, &inode, offset, data, size, read);
}
