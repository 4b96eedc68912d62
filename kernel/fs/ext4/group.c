#include "kernel/fs/ext4/group.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/feature.h"
#include "kernel/fs/ext4/group_layout.h"

enum {
    BLOCK_BITMAP_AT = 0x00,
    INODE_BITMAP_AT = 0x04,
    INODE_TABLE_AT = 0x08,
    FREE_BLOCKS_AT = 0x0C,
    FREE_INODES_AT = 0x0E,
    DIRECTORIES_AT = 0x10,
    FLAGS_AT = 0x12,
    BLOCK_BITMAP_CHECKSUM_AT = 0x18,
    INODE_BITMAP_CHECKSUM_AT = 0x1A,
    UNUSED_INODES_AT = 0x1C,
    CHECKSUM_AT = 0x1E,
    HIGH_BLOCK_BITMAP_AT = 0x20,
    HIGH_INODE_BITMAP_AT = 0x24,
    HIGH_INODE_TABLE_AT = 0x28,
    HIGH_FREE_BLOCKS_AT = 0x2C,
    HIGH_FREE_INODES_AT = 0x2E,
    HIGH_DIRECTORIES_AT = 0x30,
    HIGH_UNUSED_INODES_AT = 0x32,
    HIGH_BLOCK_BITMAP_CHECKSUM_AT = 0x38,
    HIGH_INODE_BITMAP_CHECKSUM_AT = 0x3A,
    WIDE_DESCRIPTOR = 64,
};

static bool is_wide(const struct ext4 *fs)
{
    return fs->superblock.descriptor_size >= WIDE_DESCRIPTOR;
}

static u64 get_block(const struct ext4 *fs, const u8 *raw, size_t low, size_t high)
{
    return get_le32(raw + low) | (is_wide(fs) ? (u64)get_le32(raw + high) << 32 : 0);
}

static u32 get_count(const struct ext4 *fs, const u8 *raw, size_t low, size_t high)
{
    return get_le16(raw + low) | (is_wide(fs) ? (u32)get_le16(raw + high) << 16 : 0);
}

static void put_count(const struct ext4 *fs, u8 *raw, size_t low, size_t high, u32 value)
{
    put_le16(raw + low, (u16)value);
    if (is_wide(fs))
        put_le16(raw + high, (u16)(value >> 16));
}

static enum status refuse(u32 group, const char *what, u64 value)
{
    log_error("ext4: group %u: impossible %s: %llu", group, what,
              (unsigned long long)value);
    return ERR_CORRUPT;
}

static enum status check_group(const struct ext4 *fs, const struct ext4_group *group)
{
    const struct ext4_superblock *superblock = &fs->superblock;
    u64 limit = superblock->block_count;
    u64 first = superblock->first_data_block;
    if (group->block_bitmap <= first || group->block_bitmap >= limit)
        return refuse(group->number, "block bitmap", group->block_bitmap);
    if (group->inode_bitmap <= first || group->inode_bitmap >= limit)
        return refuse(group->number, "inode bitmap", group->inode_bitmap);
    if (group->inode_table <= first ||
        !range_inside(group->inode_table, ext4_inode_table_blocks(fs), limit))
        return refuse(group->number, "inode table", group->inode_table);
    if (group->free_blocks > ext4_group_block_count(fs, group->number))
        return refuse(group->number, "free block count", group->free_blocks);
    if (group->free_inodes > superblock->inodes_per_group)
        return refuse(group->number, "free inode count", group->free_inodes);
    if (group->unused_inodes > superblock->inodes_per_group)
        return refuse(group->number, "unused inode count", group->unused_inodes);
    return OK;
}

static enum status decode(const struct ext4 *fs, u32 number, const u8 *raw,
                          struct ext4_group *group)
{
    if (get_le16(raw + CHECKSUM_AT) != ext4_descriptor_checksum(fs, number, raw) &&
        ext4_has_descriptor_checksums(fs))
        return refuse(number, "descriptor checksum", get_le16(raw + CHECKSUM_AT));

    struct ext4_group decoded = {
        .number = number,
        .block_bitmap = get_block(fs, raw, BLOCK_BITMAP_AT, HIGH_BLOCK_BITMAP_AT),
        .inode_bitmap = get_block(fs, raw, INODE_BITMAP_AT, HIGH_INODE_BITMAP_AT),
        .inode_table = get_block(fs, raw, INODE_TABLE_AT, HIGH_INODE_TABLE_AT),
        .free_blocks = get_count(fs, raw, FREE_BLOCKS_AT, HIGH_FREE_BLOCKS_AT),
        .free_inodes = get_count(fs, raw, FREE_INODES_AT, HIGH_FREE_INODES_AT),
        .directories = get_count(fs, raw, DIRECTORIES_AT, HIGH_DIRECTORIES_AT),
    };
    if (ext4_has_descriptor_checksums(fs)) { /* else these fields mean nothing */
        decoded.flags = get_le16(raw + FLAGS_AT);
        decoded.unused_inodes =
            decoded.flags & EXT4_GROUP_INODES_UNINITIALISED
                ? fs->superblock.inodes_per_group
                : get_count(fs, raw, UNUSED_INODES_AT, HIGH_UNUSED_INODES_AT);
    }
    enum status status = check_group(fs, &decoded);
    if (status == OK)
        *group = decoded;
    return status;
}

/* The cached block with the descriptor, and the descriptor in it. */
static enum status get_raw(struct ext4 *fs, u32 number, struct buffer **buffer, u8 **raw)
{
    const struct ext4_superblock *superblock = &fs->superblock;
    u32 per_block = superblock->block_size / superblock->descriptor_size;
    if (number >= superblock->group_count)
        return refuse(number, "group number, groups", superblock->group_count);
    u64 block = ext4_group_descriptor_block(fs, number / per_block);
    enum status status = cache_get(&fs->cache, block, buffer);
    if (status == OK)
        *raw =
            (*buffer)->data + (size_t)(number % per_block) * superblock->descriptor_size;
    return status;
}

enum status ext4_group_load(struct ext4 *fs, u32 number, struct ext4_group *group)
{
    struct buffer *buffer;
    u8 *raw;
    enum status status = get_raw(fs, number, &buffer, &raw);
    if (status != OK)
        return status;
    status = decode(fs, number, raw, group);
    cache_release(buffer);
    return status;
}

static void put_bitmap_checksum(const struct ext4 *fs, u8 *raw, size_t low, size_t high,
                                const struct buffer *bitmap, u32 bits)
{
    if (!bitmap || !ext4_has_checksums(fs))
        return;
    u32 checksum = ext4_bitmap_checksum(fs, bitmap->data, bits);
    put_le16(raw + low, (u16)checksum);
    if (is_wide(fs))
        put_le16(raw + high, (u16)(checksum >> 16));
}

enum status ext4_group_store_bitmaps(struct ext4 *fs, const struct ext4_group *group,
                                     const struct buffer *block_bitmap,
                                     const struct buffer *inode_bitmap)
{
    struct buffer *buffer;
    u8 *raw;
    enum status status = get_raw(fs, group->number, &buffer, &raw);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, buffer);
    if (status != OK)
        goto release;

    put_count(fs, raw, FREE_BLOCKS_AT, HIGH_FREE_BLOCKS_AT, group->free_blocks);
    put_count(fs, raw, FREE_INODES_AT, HIGH_FREE_INODES_AT, group->free_inodes);
    put_count(fs, raw, DIRECTORIES_AT, HIGH_DIRECTORIES_AT, group->directories);
    if (ext4_has_descriptor_checksums(fs)) {
        put_le16(raw + FLAGS_AT, group->flags);
        put_count(fs, raw, UNUSED_INODES_AT, HIGH_UNUSED_INODES_AT, group->unused_inodes);
    }
    put_bitmap_checksum(fs, raw, BLOCK_BITMAP_CHECKSUM_AT, HIGH_BLOCK_BITMAP_CHECKSUM_AT,
                        block_bitmap, fs->superblock.blocks_per_group);
    put_bitmap_checksum(fs, raw, INODE_BITMAP_CHECKSUM_AT, HIGH_INODE_BITMAP_CHECKSUM_AT,
                        inode_bitmap, fs->superblock.inodes_per_group);
    if (ext4_has_descriptor_checksums(fs))
        put_le16(raw + CHECKSUM_AT, ext4_descriptor_checksum(fs, group->number, raw));
release:
    cache_release(buffer);
    return status;
}

enum status ext4_group_store(struct ext4 *fs, const struct ext4_group *group)
{
    return ext4_group_store_bitmaps(fs, group, NULL, NULL);
}

enum status ext4_group_bitmap_checksums(struct ext4 *fs, u32 number, u32 *block_bitmap,
                                        u32 *inode_bitmap)
{
    struct buffer *buffer;
    u8 *raw;
    enum status status = get_raw(fs, number, &buffer, &raw);
    if (status != OK)
        return status;
    *block_bitmap =
        get_count(fs, raw, BLOCK_BITMAP_CHECKSUM_AT, HIGH_BLOCK_BITMAP_CHECKSUM_AT);
    *inode_bitmap =
        get_count(fs, raw, INODE_BITMAP_CHECKSUM_AT, HIGH_INODE_BITMAP_CHECKSUM_AT);
    cache_release(buffer);
    return OK;
}

enum status ext4_group_sum_free(struct ext4 *fs, struct ext4_free_counts *free)
{
    struct ext4_free_counts sum = { 0, 0 };
    for (u32 number = 0; number < fs->superblock.group_count; number++) {
        struct ext4_group group;
        enum status status = ext4_group_load(fs, number, &group);
        if (status != OK)
            return status;
        sum.blocks += group.free_blocks;
        sum.inodes += group.free_inodes;
    }
    *free = sum;
    return OK;
}
