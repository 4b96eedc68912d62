#include "kernel/fs/ext4/inode.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/extent.h"
#include "kernel/fs/ext4/feature.h"
#include "kernel/fs/ext4/group.h"
#include "kernel/fs/ext4/read_ahead.h"

enum {
    MODE_AT = 0x00,
    SIZE_LOW_AT = 0x04,
    ACCESS_TIME_AT = 0x08,
    CHANGE_TIME_AT = 0x0C,
    MODIFY_TIME_AT = 0x10,
    DELETE_TIME_AT = 0x14,
    LINKS_AT = 0x1A,
    BLOCKS_LOW_AT = 0x1C,
    FLAGS_AT = 0x20,
    MAP_AT = 0x28,
    GENERATION_AT = 0x64,
    ATTRIBUTE_BLOCK_LOW_AT = 0x68,
    SIZE_HIGH_AT = 0x6C,
    BLOCKS_HIGH_AT = 0x74,
    ATTRIBUTE_BLOCK_HIGH_AT = 0x76,
    CHECKSUM_LOW_AT = 0x7C,
    EXTRA_SIZE_AT = 0x80,
    CHECKSUM_HIGH_AT = 0x82,
    CHANGE_EXTRA_AT = 0x84,
    MODIFY_EXTRA_AT = 0x88,
    ACCESS_EXTRA_AT = 0x8C,
    CREATE_TIME_AT = 0x90,
    CREATE_EXTRA_AT = 0x94,
    BASE_SIZE = 128,
    SHORT_SYMLINK = 60,
};

u64 ext4_now_seconds(void)
{
    return port_now_microseconds() / 1000000;
}

bool ext4_inode_has_map(const struct ext4_inode *inode)
{
    if (ext4_inode_is(inode, EXT4_MODE_SYMLINK))
        return inode->size_bytes >= SHORT_SYMLINK;
    return ext4_inode_is(inode, EXT4_MODE_FILE) ||
           ext4_inode_is(inode, EXT4_MODE_DIRECTORY);
}

/* Does the inode have the field of `size` bytes at `at` in its extra part? */
static bool has_extra(const struct ext4 *fs, const u8 *raw, size_t at, size_t size)
{
    return fs->superblock.inode_size > BASE_SIZE &&
           at + size <= BASE_SIZE + (size_t)get_le16(raw + EXTRA_SIZE_AT);
}

static u64 get_time(const struct ext4 *fs, const u8 *raw, size_t at, size_t extra_at)
{
    i64 seconds = (i32)get_le32(raw + at);
    if (has_extra(fs, raw, extra_at, 4))
        seconds += (i64)(get_le32(raw + extra_at) & 3) << 32;
    return (u64)seconds;
}

static void put_time(const struct ext4 *fs, u8 *raw, size_t at, size_t extra_at,
                     u64 seconds)
{
    if (get_time(fs, raw, at, extra_at) == seconds)
        return; /* keeps the nanoseconds */
    put_le32(raw + at, (u32)seconds);
    if (has_extra(fs, raw, extra_at, 4))
        put_le32(raw + extra_at, (u32)((seconds - (u64)(i64)(i32)seconds) >> 32) & 3);
}

static enum status refuse(u32 number, const char *what, u64 value)
{
    log_error("ext4: inode %u: %s: %llu", number, what, (unsigned long long)value);
    return ERR_CORRUPT;
}

static enum status verify_checksum(const struct ext4 *fs, const struct ext4_inode *inode,
                                   const u8 *raw)
{
    u32 checksum = ext4_inode_checksum(fs, inode->checksum_seed, raw);
    u32 stored = get_le16(raw + CHECKSUM_LOW_AT);
    if (has_extra(fs, raw, CHECKSUM_HIGH_AT, 2))
        stored |= (u32)get_le16(raw + CHECKSUM_HIGH_AT) << 16;
    else
        checksum &= 0xFFFF;
    return checksum == stored ? OK : refuse(inode->number, "bad checksum", stored);
}

static u64 decode_blocks(const struct ext4 *fs, const u8 *raw, u32 flags)
{
    u64 blocks = get_le32(raw + BLOCKS_LOW_AT);
    if (!ext4_has_ro_compat(fs, EXT4_RO_COMPAT_HUGE_FILE))
        return blocks;
    blocks |= (u64)get_le16(raw + BLOCKS_HIGH_AT) << 32;
    return flags & EXT4_INODE_FLAG_HUGE_FILE
               ? blocks * (fs->superblock.block_size / SECTOR_SIZE)
               : blocks;
}

enum status ext4_inode_decode(const struct ext4 *fs, u32 number, const u8 *raw,
                              struct ext4_inode *result)
{
    struct ext4_inode inode = {
        .number = number,
        .mode = get_le16(raw + MODE_AT),
        .links = get_le16(raw + LINKS_AT),
        .size_bytes = get_le32(raw + SIZE_LOW_AT),
        .flags = get_le32(raw + FLAGS_AT),
        .generation = get_le32(raw + GENERATION_AT),
        .access_time = get_time(fs, raw, ACCESS_TIME_AT, ACCESS_EXTRA_AT),
        .change_time = get_time(fs, raw, CHANGE_TIME_AT, CHANGE_EXTRA_AT),
        .modify_time = get_time(fs, raw, MODIFY_TIME_AT, MODIFY_EXTRA_AT),
        .delete_time = get_le32(raw + DELETE_TIME_AT),
        .attribute_block = get_le32(raw + ATTRIBUTE_BLOCK_LOW_AT) |
                           (u64)get_le16(raw + ATTRIBUTE_BLOCK_HIGH_AT) << 32,
    };
    if (inode.mode == 0)
        return refuse(number, "free, links", inode.links);
    if (fs->superblock.inode_size > BASE_SIZE &&
        get_le16(raw + EXTRA_SIZE_AT) > fs->superblock.inode_size - BASE_SIZE)
        return refuse(number, "impossible extra size", get_le16(raw + EXTRA_SIZE_AT));
    if (ext4_has_checksums(fs)) {
        inode.checksum_seed = ext4_inode_checksum_seed(fs, number, inode.generation);
        enum status status = verify_checksum(fs, &inode, raw);
        if (status != OK)
            return status;
    }
    if (ext4_inode_is(&inode, EXT4_MODE_FILE))
        inode.size_bytes |= (u64)get_le32(raw + SIZE_HIGH_AT) << 32;
    if (inode.size_bytes >> 63)
        return refuse(number, "impossible size", inode.size_bytes);
    inode.blocks_512 = decode_blocks(fs, raw, inode.flags);
    memcpy(inode.map, raw + MAP_AT, sizeof inode.map);
    *result = inode;
    return OK;
}

static void encode_blocks(const struct ext4 *fs, const struct ext4_inode *inode, u8 *raw)
{
    u64 blocks = inode->blocks_512;
    if (inode->flags & EXT4_INODE_FLAG_HUGE_FILE)
        blocks /= fs->superblock.block_size / SECTOR_SIZE;
    put_le32(raw + BLOCKS_LOW_AT, (u32)blocks);
    if (ext4_has_ro_compat(fs, EXT4_RO_COMPAT_HUGE_FILE))
        put_le16(raw + BLOCKS_HIGH_AT, (u16)(blocks >> 32));
}

void ext4_inode_encode(const struct ext4 *fs, const struct ext4_inode *inode, u8 *raw)
{
    put_le16(raw + MODE_AT, inode->mode);
    put_le32(raw + SIZE_LOW_AT, (u32)inode->size_bytes);
    put_time(fs, raw, ACCESS_TIME_AT, ACCESS_EXTRA_AT, inode->access_time);
    put_time(fs, raw, CHANGE_TIME_AT, CHANGE_EXTRA_AT, inode->change_time);
    put_time(fs, raw, MODIFY_TIME_AT, MODIFY_EXTRA_AT, inode->modify_time);
    put_le32(raw + DELETE_TIME_AT, inode->delete_time);
    put_le16(raw + LINKS_AT, (u16)inode->links);
    encode_blocks(fs, inode, raw);
    put_le32(raw + FLAGS_AT, inode->flags);
    memcpy(raw + MAP_AT, inode->map, sizeof inode->map);
    put_le32(raw + GENERATION_AT, inode->generation);
    put_le32(raw + ATTRIBUTE_BLOCK_LOW_AT, (u32)inode->attribute_block);
    put_le16(raw + ATTRIBUTE_BLOCK_HIGH_AT, (u16)(inode->attribute_block >> 32));
    if (ext4_inode_is(inode, EXT4_MODE_FILE))
        put_le32(raw + SIZE_HIGH_AT, (u32)(inode->size_bytes >> 32));
    if (!ext4_has_checksums(fs))
        return;
    u32 checksum = ext4_inode_checksum(fs, inode->checksum_seed, raw);
    put_le16(raw + CHECKSUM_LOW_AT, (u16)checksum);
    if (has_extra(fs, raw, CHECKSUM_HIGH_AT, 2))
        put_le16(raw + CHECKSUM_HIGH_AT, (u16)(checksum >> 16));
}

void ext4_inode_encode_new(const struct ext4 *fs, const struct ext4_inode *inode, u8 *raw)
{
    u32 extra_room = fs->superblock.inode_size - BASE_SIZE;
    memset(raw, 0, fs->superblock.inode_size);
    if (extra_room > 0) {
        u64 want = max_u64(fs->superblock.want_extra_inode_size, 32);
        put_le16(raw + EXTRA_SIZE_AT, (u16)align_down(min_u64(want, extra_room), 4));
        put_time(fs, raw, CREATE_TIME_AT, CREATE_EXTRA_AT, inode->modify_time);
    }
    ext4_inode_encode(fs, inode, raw);
}

void ext4_inode_init(struct ext4 *fs, u32 number, u16 mode, u32 links,
                     struct ext4_inode *inode)
{
    u64 now = ext4_now_seconds();
    *inode = (struct ext4_inode){
        .number = number,
        .mode = mode,
        .links = links,
        .generation = ext4_next_generation(fs),
        .access_time = now,
        .change_time = now,
        .modify_time = now,
    };
    if (ext4_has_checksums(fs))
        inode->checksum_seed = ext4_inode_checksum_seed(fs, number, inode->generation);
    bool has_map =
        ext4_inode_is(inode, EXT4_MODE_FILE) || ext4_inode_is(inode, EXT4_MODE_DIRECTORY);
    if (has_map && ext4_has_incompat(fs, EXT4_INCOMPAT_EXTENTS))
        ext4_extent_root_init(inode);
}

static u64 end_of_initialised(const struct ext4 *fs, const struct ext4_group *group)
{
    const struct ext4_superblock *superblock = &fs->superblock;
    u32 initialised = superblock->inodes_per_group - group->unused_inodes;
    return group->inode_table +
           divide_up(initialised, superblock->block_size / superblock->inode_size);
}

/* How far a reader in order may go from a block of the group's table: with flex_bg the next group's follows. */
static u64 end_of_tables(struct ext4 *fs, const struct ext4_group *group, u64 block)
{
    enum { NEIGHBOURS_MAX = 8 };
    struct ext4_group next = *group;
    u64 end = end_of_initialised(fs, group);
    if (block != fs->read_ahead.of_tables.next)
        return end;
    for (int i = 0; i < NEIGHBOURS_MAX && next.unused_inodes == 0; i++) {
        if (next.number + 1 == fs->superblock.group_count ||
            ext4_group_load(fs, next.number + 1, &next) != OK || next.inode_table != end)
            break;
        end = end_of_initialised(fs, &next);
    }
    return end;
}

/* The block of the inode table with this inode, read. ERR_CORRUPT: no such inode. */
static enum status get_table_block(struct ext4 *fs, u32 number, struct buffer **buffer,
                                   u8 **raw)
{
    const struct ext4_superblock *superblock = &fs->superblock;
    if (number == 0 || number > superblock->inode_count)
        return refuse(number, "number out of range, inodes", superblock->inode_count);
    struct ext4_group group;
    enum status status = ext4_group_load(fs, ext4_group_of_inode(fs, number), &group);
    if (status != OK)
        return status;
    u32 index = (number - 1) % superblock->inodes_per_group;
    u32 initialised = superblock->inodes_per_group - group.unused_inodes;
    if (index >= initialised)
        return refuse(number, "never used, unused from", initialised);

    u32 per_block = superblock->block_size / superblock->inode_size;
    u64 block = group.inode_table + index / per_block;
    ext4_read_ahead_metadata(fs, &fs->read_ahead.of_tables, block,
                             end_of_tables(fs, &group, block));
    status = cache_get(&fs->cache, block, buffer);
    if (status == OK)
        *raw = (*buffer)->data + (size_t)(index % per_block) * superblock->inode_size;
    return status;
}

enum status ext4_inode_load(struct ext4 *fs, u32 number, struct ext4_inode *inode)
{
    struct buffer *buffer;
    u8 *raw;
    enum status status = get_table_block(fs, number, &buffer, &raw);
    if (status != OK)
        return status;
    status = ext4_inode_decode(fs, number, raw, inode);
    cache_release(buffer);
    return status;
}

enum status ext4_inode_store(struct ext4 *fs, const struct ext4_inode *inode)
{
    struct buffer *buffer;
    u8 *raw;
    enum status status = get_table_block(fs, inode->number, &buffer, &raw);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, buffer);
    if (status == OK)
        ext4_inode_encode(fs, inode, raw);
    cache_release(buffer);
    return status;
}
