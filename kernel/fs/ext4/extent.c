#include "kernel/fs/ext4/extent.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/checksum.h"

enum {
    MAGIC = 0xF30A,
    HEADER_SIZE = 12,
    ENTRY_SIZE = 12,
    CHECKSUM_SIZE = 4,
    ENTRIES_AT = 2,
    ROOM_AT = 4,
    DEPTH_AT = 6,
};

u8 *ext4_extent_entry(const struct ext4_extent_level *level, u32 position)
{
    return level->raw + HEADER_SIZE + (size_t)position * ENTRY_SIZE;
}

u32 ext4_extent_key(const u8 *entry)
{
    return get_le32(entry);
}

void ext4_extent_set_key(u8 *entry, u32 file_block)
{
    put_le32(entry, file_block);
}

u64 ext4_extent_child(const u8 *entry)
{
    return get_le32(entry + 4) | (u64)get_le16(entry + 8) << 32;
}

void ext4_extent_child_encode(u8 *entry, u32 file_block, u64 child)
{
    put_le32(entry, file_block);
    put_le32(entry + 4, (u32)child);
    put_le16(entry + 8, (u16)(child >> 32));
    put_le16(entry + 10, 0);
}

void ext4_extent_entry_decode(const u8 *raw, struct ext4_extent *extent)
{
    u32 length = get_le16(raw + 4);
    bool unwritten = length > EXT4_EXTENT_MAX_BLOCKS;
    *extent = (struct ext4_extent){
        .file_block = get_le32(raw),
        .count = unwritten ? length - EXT4_EXTENT_MAX_BLOCKS : length,
        .disk_block = get_le32(raw + 8) | (u64)get_le16(raw + 6) << 32,
        .unwritten = unwritten,
    };
}

void ext4_extent_entry_encode(u8 *raw, const struct ext4_extent *extent)
{
    u32 length = extent->count + (extent->unwritten ? EXT4_EXTENT_MAX_BLOCKS : 0);
    put_le32(raw, extent->file_block);
    put_le16(raw + 4, (u16)length);
    put_le16(raw + 6, (u16)(extent->disk_block >> 32));
    put_le32(raw + 8, (u32)extent->disk_block);
}

void ext4_extent_level_set_entries(struct ext4_extent_level *level, u32 entries)
{
    put_le16(level->raw + ENTRIES_AT, (u16)entries);
    level->entries = entries;
}

void ext4_extent_node_init(u8 *raw, u32 room, u32 depth)
{
    put_le16(raw, MAGIC);
    put_le16(raw + ENTRIES_AT, 0);
    put_le16(raw + ROOM_AT, (u16)room);
    put_le16(raw + DEPTH_AT, (u16)depth);
    put_le32(raw + 8, 0);
}

u32 ext4_extent_block_room(const struct ext4 *fs)
{
    return (fs->superblock.block_size - HEADER_SIZE - CHECKSUM_SIZE) / ENTRY_SIZE;
}

static size_t checksum_offset(const u8 *raw)
{
    return HEADER_SIZE + (size_t)get_le16(raw + ROOM_AT) * ENTRY_SIZE;
}

void ext4_extent_block_seal(const struct ext4 *fs, const struct ext4_inode *inode,
                            u8 *raw)
{
    if (!ext4_has_checksums(fs))
        return;
    size_t at = checksum_offset(raw);
    put_le32(raw + at, ext4_owned_block_checksum(inode->checksum_seed, raw, at));
}

static bool leaf_entry_is_valid(const struct ext4 *fs, const u8 *raw, u64 *next_key)
{
    struct ext4_extent extent;
    ext4_extent_entry_decode(raw, &extent);
    if (extent.count == 0 || extent.file_block < *next_key)
        return false;
    *next_key = (u64)extent.file_block + extent.count;
    return *next_key <= EXT4_FILE_BLOCK_LIMIT &&
           extent.disk_block > fs->superblock.first_data_block &&
           range_inside(extent.disk_block, extent.count, fs->superblock.block_count);
}

static bool index_entry_is_valid(const struct ext4 *fs, const u8 *raw, u64 *next_key)
{
    u64 child = ext4_extent_child(raw);
    if (ext4_extent_key(raw) < *next_key)
        return false;
    *next_key = (u64)ext4_extent_key(raw) + 1;
    return child > fs->superblock.first_data_block && child < fs->superblock.block_count;
}

bool ext4_extent_node_is_valid(const struct ext4 *fs, const u8 *raw, size_t size,
                               u32 depth)
{
    if (size < HEADER_SIZE || get_le16(raw) != MAGIC || get_le16(raw + DEPTH_AT) != depth)
        return false;
    u32 entries = get_le16(raw + ENTRIES_AT);
    u32 room = get_le16(raw + ROOM_AT);
    if (entries > room || room == 0 || room > (size - HEADER_SIZE) / ENTRY_SIZE)
        return false;

    u64 next_key = 0;
    for (u32 i = 0; i < entries; i++) {
        const u8 *entry = raw + HEADER_SIZE + (size_t)i * ENTRY_SIZE;
        if (depth == 0 ? !leaf_entry_is_valid(fs, entry, &next_key)
                       : !index_entry_is_valid(fs, entry, &next_key))
            return false;
    }
    return true;
}

static enum status refuse(const struct ext4_inode *inode, const char *what, u64 value)
{
    log_error("ext4: inode %u: extent tree: %s: %llu", inode->number, what,
              (unsigned long long)value);
    return ERR_CORRUPT;
}

/* Reads and checks the child node, once while it is cached. */
static enum status get_node(struct ext4 *fs, const struct ext4_inode *inode, u64 block,
                            u32 depth, struct buffer **node)
{
    struct buffer *buffer;
    enum status status = cache_get(&fs->cache, block, &buffer);
    if (status != OK)
        return status;
    const u8 *raw = buffer->data;
    size_t size = fs->superblock.block_size;
    if (!ext4_extent_node_is_valid(fs, raw, size - CHECKSUM_SIZE, depth)) {
        cache_release(buffer);
        return refuse(inode, "broken node in block", block);
    }
    size_t at = checksum_offset(raw);
    if (ext4_has_checksums(fs) && !buffer->checked &&
        get_le32(raw + at) != ext4_owned_block_checksum(inode->checksum_seed, raw, at)) {
        cache_release(buffer);
        return refuse(inode, "bad checksum in block", block);
    }
    buffer->checked = true;
    *node = buffer;
    return OK;
}

/* The last entry whose key is at or before `file_block`, or the first. */
static void choose_entry(struct ext4_extent_level *level, u32 file_block)
{
    level->entries = get_le16(level->raw + ENTRIES_AT);
    level->room = get_le16(level->raw + ROOM_AT);
    u32 low = 0;
    u32 high = level->entries;
    while (high - low > 1) {
        u32 middle = low + (high - low) / 2;
        if (ext4_extent_key(ext4_extent_entry(level, middle)) <= file_block)
            low = middle;
        else
            high = middle;
    }
    level->position = low;
}

enum status ext4_extent_path_find(struct ext4 *fs, const struct ext4_inode *inode,
                                  u32 file_block, struct ext4_extent_path *path)
{
    memset(path, 0, sizeof *path);
    u32 depth = get_le16(inode->map + DEPTH_AT);
    if (depth > EXT4_EXTENT_MAX_DEPTH ||
        !ext4_extent_node_is_valid(fs, inode->map, sizeof inode->map, depth))
        return refuse(inode, "broken root, depth", depth);

    path->depth = depth;
    path->levels[0].raw = (u8 *)inode->map;
    choose_entry(&path->levels[0], file_block);
    for (u32 i = 1; i <= depth; i++) {
        struct ext4_extent_level *parent = &path->levels[i - 1];
        struct ext4_extent_level *level = &path->levels[i];
        enum status status =
            parent->entries == 0
                ? refuse(inode, "index without entries at level", i - 1)
                : get_node(fs, inode,
                           ext4_extent_child(ext4_extent_entry(parent, parent->position)),
                           depth - i, &level->buffer);
        if (status != OK) {
            ext4_extent_path_release(path);
            return status;
        }
        level->raw = level->buffer->data;
        choose_entry(level, file_block);
    }
    return OK;
}

void ext4_extent_path_release(struct ext4_extent_path *path)
{
    for (u32 i = 0; i <= EXT4_EXTENT_MAX_DEPTH; i++) {
        cache_release(path->levels[i].buffer);
        path->levels[i].buffer = NULL;
    }
}

u32 ext4_extent_path_next_key(const struct ext4_extent_path *path)
{
    for (u32 i = path->depth + 1; i-- > 0;) {
        const struct ext4_extent_level *level = &path->levels[i];
        if (level->position + 1 < level->entries)
            return ext4_extent_key(ext4_extent_entry(level, level->position + 1));
    }
    return EXT4_FILE_BLOCK_LIMIT;
}

enum status ext4_extent_find(struct ext4 *fs, const struct ext4_inode *inode,
                             u32 file_block, struct ext4_extent *result)
{
    struct ext4_extent_path path;
    enum status status = ext4_extent_path_find(fs, inode, file_block, &path);
    if (status != OK)
        return status;

    const struct ext4_extent_level *leaf = &path.levels[path.depth];
    u32 next = ext4_extent_path_next_key(&path);
    struct ext4_extent extent = { 0 };
    if (leaf->entries > 0)
        ext4_extent_entry_decode(ext4_extent_entry(leaf, leaf->position), &extent);

    if (leaf->entries > 0 && file_block < extent.file_block)
        next = extent.file_block;
    else if (leaf->entries > 0 && file_block - extent.file_block < extent.count) {
        *result = extent;
        ext4_extent_path_release(&path);
        return OK;
    }
    ext4_extent_path_release(&path);
    if (next <= file_block && next != EXT4_FILE_BLOCK_LIMIT)
        return refuse(inode, "unsorted leaves at file block", file_block);
    *result =
        (struct ext4_extent){ .file_block = file_block, .count = next - file_block };
    return OK;
}
