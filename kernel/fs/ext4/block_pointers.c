#include "kernel/fs/ext4/block_pointers.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"

enum { DIRECT = 12, TREES = 3, STEP_BLOCKS = 8 };

static u32 pointers_per_block(const struct ext4 *fs)
{
    return fs->superblock.block_size / 4;
}

/* File blocks below one pointer of a tree that has `depth` levels beneath it. */
static u64 span_of(const struct ext4 *fs, u32 depth)
{
    u64 span = 1;
    while (depth-- > 0)
        span *= pointers_per_block(fs);
    return span;
}

static enum status check_block(const struct ext4 *fs, const struct ext4_inode *inode,
                               u64 block)
{
    if (block > fs->superblock.first_data_block && block < fs->superblock.block_count)
        return OK;
    log_error("ext4: inode %u: block pointer outside the disk: %llu", inode->number,
              (unsigned long long)block);
    return ERR_CORRUPT;
}

/* How many pointers from `at` on point to consecutive blocks (or are holes). */
static u64 count_run(const u8 *pointers, u32 at, u32 limit)
{
    u32 first = get_le32(pointers + 4 * at);
    u64 count = 1;
    while (at + count < limit &&
           get_le32(pointers + 4 * (at + count)) == (first ? first + count : 0))
        count++;
    return count;
}

/* Walks down one tree: `depth` levels below `block`, `index` counted within the tree. */
static enum status map_in_tree(struct ext4 *fs, const struct ext4_inode *inode, u64 block,
                               u32 depth, u64 index, struct ext4_block_run *run)
{
    for (; depth > 0; depth--) {
        u64 span = span_of(fs, depth - 1);
        if (block == 0) {
            *run = (struct ext4_block_run){ 0, span * pointers_per_block(fs) - index };
            return OK;
        }
        struct buffer *buffer;
        enum status status = check_block(fs, inode, block);
        if (status == OK)
            status = cache_get(&fs->cache, block, &buffer);
        if (status != OK)
            return status;
        u32 at = (u32)(index / span);
        index %= span;
        block = get_le32(buffer->data + 4 * (size_t)at);
        u64 count = depth == 1 ? count_run(buffer->data, at, pointers_per_block(fs)) : 1;
        *run = (struct ext4_block_run){ block, count };
        cache_release(buffer);
    }
    return OK;
}

enum status ext4_block_pointers_map(struct ext4 *fs, const struct ext4_inode *inode,
                                    u64 file_block, u64 *disk_block, u64 *count)
{
    struct ext4_block_run run = { 0, 0 };
    enum status status = OK;
    if (file_block < DIRECT) {
        run.first = get_le32(inode->map + 4 * file_block);
        run.count = count_run(inode->map, (u32)file_block, DIRECT);
    } else {
        u64 index = file_block - DIRECT;
        u32 depth = 1;
        while (depth <= TREES && index >= span_of(fs, depth))
            index -= span_of(fs, depth++);
        if (depth > TREES)
            run.count = 1ULL << 32;
        else
            status =
                map_in_tree(fs, inode, get_le32(inode->map + 4 * (DIRECT + depth - 1)),
                            depth, index, &run);
    }
    if (status == OK && run.first != 0 &&
        (check_block(fs, inode, run.first) != OK ||
         check_block(fs, inode, run.first + run.count - 1) != OK))
        status = ERR_CORRUPT;
    if (status != OK)
        return status;
    *disk_block = run.first;
    *count = run.count;
    return OK;
}

enum status ext4_block_pointers_allocate(struct ext4 *fs, struct ext4_inode *inode,
                                         u64 file_block, u64 goal, u64 *disk_block)
{
    if (file_block >= DIRECT) {
        log_warning("ext4: inode %u: a file without extents cannot grow beyond %u blocks",
                    inode->number, DIRECT);
        return ERR_UNSUPPORTED;
    }
    struct ext4_block_run run;
    enum status status = ext4_blocks_allocate(fs, goal, 1, &run);
    if (status != OK)
        return status;
    put_le32(inode->map + 4 * file_block, (u32)run.first);
    inode->blocks_512 += fs->superblock.block_size / SECTOR_SIZE;
    *disk_block = run.first;
    return OK;
}

static enum status release_block(struct ext4 *fs, struct ext4_inode *inode, u64 block)
{
    u32 units = fs->superblock.block_size / SECTOR_SIZE;
    enum status status = check_block(fs, inode, block);
    if (status == OK && inode->blocks_512 < units) {
        log_error("ext4: inode %u: more blocks than it counts", inode->number);
        status = ERR_CORRUPT;
    }
    if (status == OK)
        status = ext4_blocks_free(fs, block, 1);
    if (status == OK)
        inode->blocks_512 -= units;
    return status;
}

static enum status truncate_pointer(struct ext4 *fs, struct ext4_inode *inode,
                                    u8 *pointer, u32 depth, u64 first, u64 from);

/* The pointers of one block, from the last to the first that reaches beyond `from`. */
static enum status truncate_block(struct ext4 *fs, struct ext4_inode *inode, u64 block,
                                  u32 depth, u64 first, u64 from)
{
    struct buffer *buffer;
    u64 span = span_of(fs, depth - 1);
    enum status status = cache_get(&fs->cache, block, &buffer);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, buffer);
    for (u32 i = pointers_per_block(fs); status == OK && i-- > 0;) {
        u64 start = first + i * span;
        if (start + span <= from)
            break;
        status = truncate_pointer(fs, inode, buffer->data + 4 * (size_t)i, depth - 1,
                                  start, from);
    }
    cache_release(buffer);
    return status;
}

/*
 * Frees what a pointer leads to at or beyond file block `from`; it maps [first, first + span).
 * Depth, and so the recursion, is at most three. After each step inode and tree are consistent.
 */
static enum status truncate_pointer(struct ext4 *fs, struct ext4_inode *inode,
                                    u8 *pointer, u32 depth, u64 first, u64 from)
{
    u64 block = get_le32(pointer);
    if (block == 0)
        return OK;
    enum status status = check_block(fs, inode, block);
    if (status == OK)
        status = ext4_running_require(fs, STEP_BLOCKS);
    if (status == OK && depth > 0)
        status = truncate_block(fs, inode, block, depth, first, from);
    if (status != OK || first < from)
        return status;
    status = release_block(fs, inode, block);
    if (status == OK)
        put_le32(pointer, 0);
    return status;
}

enum status ext4_block_pointers_truncate(struct ext4 *fs, struct ext4_inode *inode,
                                         u64 file_block)
{
    u64 first = DIRECT + span_of(fs, 1) + span_of(fs, 2);
    for (u32 depth = TREES; depth > 0; depth--) {
        enum status status = OK;
        if (first + span_of(fs, depth) > file_block)
            status = truncate_pointer(fs, inode, inode->map + 4 * (DIRECT + depth - 1),
                                      depth, first, file_block);
        if (status != OK)
            return status;
        first -= span_of(fs, depth - 1) * (depth > 1);
    }
    for (u32 i = DIRECT; i-- > 0 && i >= file_block;) {
        enum status status =
            truncate_pointer(fs, inode, inode->map + 4 * (size_t)i, 0, i, file_block);
        if (status != OK)
            return status;
    }
    return OK;
}
