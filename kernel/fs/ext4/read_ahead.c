#include "kernel/fs/ext4/read_ahead.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"

/* A reader who passes over no more than GAP_BYTES is still one who reads in order. */
enum { GAP_BYTES = 16 * KIB };
/*
 * Who has read little in order may stop soon, and gets little ahead. What is read ahead grows with
 * the square of what was read in order so far, and equals it at DOUBLING_BYTES; not less and not
 * more than this.
 */
enum {
    DOUBLING_BYTES = 16 * KIB,
    WINDOW_LEAST_BYTES = 32 * KIB,
    WINDOW_BYTES = 512 * KIB,
    METADATA_LEAST_BYTES = 16 * KIB,
    METADATA_BYTES = 512 * KIB
};

/* In blocks, as the bounds and `doubling` are. */
static u64 reach_of(struct ext4_reader *reader, u64 doubling, u64 least, u64 most)
{
    u64 length = min_u64(reader->length, most);
    u64 reach = min_u64(max_u64(length * length / doubling, least), most);

    reader->length += reach;
    return reach;
}

static bool is_cached(struct ext4 *fs, u64 block)
{
    struct buffer *buffer = cache_find(&fs->cache, block);
    cache_release(buffer);
    return buffer != NULL;
}

void ext4_read_ahead_metadata(struct ext4 *fs, struct ext4_reader *reader, u64 block,
                              u64 end)
{
    if (is_cached(fs, block))
        return;
    u32 shift = fs->superblock.block_shift;
    bool sequential = block == reader->next;
    reader->next = block + 1;
    if (!sequential)
        reader->length = 0;
    if (!sequential || block >= end || end > fs->superblock.block_count)
        return;
    size_t limit = min_size(METADATA_BYTES >> shift, fs->cache.capacity / 4);
    u64 reach =
        reach_of(reader, DOUBLING_BYTES >> shift, METADATA_LEAST_BYTES >> shift, limit);
    size_t count = min_size(reach, end - block);
    cache_prefetch(&fs->cache, block, count);
    reader->next = block + count;
}

/* Just these bytes: what lies around them in their sectors goes to a scratch buffer. */
static enum status read_exactly(struct ext4 *fs, u64 first_byte, void *data, size_t size)
{
    u8 around[2 * SECTOR_SIZE];
    size_t before = first_byte % SECTOR_SIZE;
    size_t after = (SECTOR_SIZE - (before + size) % SECTOR_SIZE) % SECTOR_SIZE;
    struct disk_segment segments[3];
    size_t count = 0;
    if (before > 0)
        segments[count++] = (struct disk_segment){ around, before };
    segments[count++] = (struct disk_segment){ data, size };
    if (after > 0)
        segments[count++] = (struct disk_segment){ around + SECTOR_SIZE, after };

    struct disk_request request = {
        .operation = DISK_READ,
        .sector = first_byte / SECTOR_SIZE,
        .segments = segments,
        .segment_count = count,
    };
    enum status status = disk_submit(fs->disk, &request);
    return status == OK ? disk_wait(fs->disk, &request) : status;
}

/* As read_exactly(), in pieces that the disk accepts. */
static enum status read_pieces(struct ext4 *fs, u64 first_byte, u8 *data, size_t size)
{
    size_t largest = fs->disk->max_bytes - SECTOR_SIZE;
    bool scatter = largest > 0;
    while (size > 0) {
        size_t piece = size;
        u8 sector[SECTOR_SIZE];
        enum status status;
        size_t within = first_byte % SECTOR_SIZE;
        if (scatter) {
            piece = min_size(size, largest - within);
            status = read_exactly(fs, first_byte, data, piece);
        } else if (within == 0 && size >= SECTOR_SIZE) {
            piece = size - size % SECTOR_SIZE;
            status = disk_read(fs->disk, first_byte / SECTOR_SIZE, data, piece);
        } else {
            piece = min_size(size, SECTOR_SIZE - within);
            status = disk_read(fs->disk, first_byte / SECTOR_SIZE, sector, SECTOR_SIZE);
            if (status == OK)
                memcpy(data, sector + within, piece);
        }
        if (status != OK)
            return status;
        first_byte += piece;
        data += piece;
        size -= piece;
    }
    return OK;
}

static bool window_holds(const struct ext4_read_ahead *window, u64 block, u64 count)
{
    return block >= window->first_block && count <= window->block_count &&
           block - window->first_block <= window->block_count - count;
}

/* Fills the window from `block` on, with `wanted` blocks at least; false if it cannot, and the caller reads for itself. */
static bool fill_window(struct ext4 *fs, u64 block, u64 wanted)
{
    struct ext4_read_ahead *window = &fs->read_ahead;
    u32 shift = fs->superblock.block_shift;
    u64 reach = reach_of(&window->of_data, DOUBLING_BYTES >> shift,
                         WINDOW_LEAST_BYTES >> shift, WINDOW_BYTES >> shift);
    u64 count = min_u64(max_u64(reach, wanted), fs->superblock.block_count - block);
    window->block_count = 0;
    if (block - window->failed_block < window->failed_count)
        return false;
    if (!window->data)
        window->data = port_alloc(WINDOW_BYTES);
    if (!window->data)
        return false;
    if (disk_read(fs->disk, block << (shift - 9), window->data, count << shift) != OK) {
        window->failed_block = block;
        window->failed_count = count;
        return false;
    }
    window->first_block = block;
    window->block_count = count;
    return true;
}

enum status ext4_read_data(struct ext4 *fs, u64 block, u64 offset, void *data,
                           size_t size)
{
    struct ext4_read_ahead *window = &fs->read_ahead;
    u32 shift = fs->superblock.block_shift;
    block += offset >> shift;
    offset &= fs->superblock.block_size - 1;
    u64 count = (offset + size + fs->superblock.block_size - 1) >> shift;
    if (!range_inside(block, count, fs->superblock.block_count))
        return ERR_CORRUPT;

    bool sequential = block - window->of_data.next <= (u64)GAP_BYTES >> shift;
    bool small = count << shift <= WINDOW_BYTES / 2;
    window->of_data.next = block + count;
    if (!sequential)
        window->of_data.length = 0;
    if (window_holds(window, block, count) ||
        (sequential && small && fill_window(fs, block, count))) {
        memcpy(data, window->data + ((block - window->first_block) << shift) + offset,
               size);
        return OK;
    }
    return read_pieces(fs, (block << shift) + offset, data, size);
}

u8 *ext4_read_ahead_find(struct ext4 *fs, u64 block, u64 count)
{
    struct ext4_read_ahead *window = &fs->read_ahead;
    return window_holds(window, block, count)
               ? window->data +
                     ((block - window->first_block) << fs->superblock.block_shift)
               : NULL;
}

void ext4_read_ahead_forget(struct ext4 *fs)
{
    fs->read_ahead.block_count = 0;
}
