#include "kernel/fs/ext4/checksum.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/feature.h"

enum {
    DESCRIPTOR_CHECKSUM_AT = 0x1E,
    INODE_CHECKSUM_LOW_AT = 0x7C,
    INODE_EXTRA_SIZE_AT = 0x80,
    INODE_CHECKSUM_HIGH_AT = 0x82,
    INODE_BASE_SIZE = 128,
    ATTRIBUTE_CHECKSUM_AT = 0x10,
    COPY_MAX = 256,
};

static const u8 zeros[4];

u32 ext4_superblock_checksum(const u8 *raw)
{
    return crc32c_update(~0U, raw, EXT4_SUPERBLOCK_CHECKSUM_AT);
}

u32 ext4_checksum_seed_of_uuid(const u8 *uuid)
{
    return crc32c_update(~0U, uuid, 16);
}

static u32 with_le32(u32 crc, u32 value)
{
    u8 raw[4];
    put_le32(raw, value);
    return crc32c_update(crc, raw, sizeof raw);
}

u32 ext4_inode_checksum_seed(const struct ext4 *fs, u32 number, u32 generation)
{
    return with_le32(with_le32(fs->superblock.checksum_seed, number), generation);
}

bool ext4_has_descriptor_checksums(const struct ext4 *fs)
{
    return ext4_has_ro_compat(fs, EXT4_RO_COMPAT_METADATA_CSUM | EXT4_RO_COMPAT_GDT_CSUM);
}

/* The old checksum: over the UUID, the group's number and the descriptor around the field. */
static u16 descriptor_crc16(const struct ext4 *fs, u32 group, const u8 *raw)
{
    enum { AFTER = DESCRIPTOR_CHECKSUM_AT + 2 };
    const struct ext4_superblock *superblock = &fs->superblock;
    u8 number[4];
    put_le32(number, group);

    u16 crc = crc16_update(0xFFFF, superblock->uuid, sizeof superblock->uuid);
    crc = crc16_update(crc, number, sizeof number);
    crc = crc16_update(crc, raw, DESCRIPTOR_CHECKSUM_AT);
    if (superblock->descriptor_size > AFTER)
        crc = crc16_update(crc, raw + AFTER, superblock->descriptor_size - AFTER);
    return crc;
}

u16 ext4_descriptor_checksum(const struct ext4 *fs, u32 group, const u8 *raw)
{
    enum { AFTER = DESCRIPTOR_CHECKSUM_AT + 2 };
    if (!ext4_has_checksums(fs))
        return ext4_has_descriptor_checksums(fs) ? descriptor_crc16(fs, group, raw) : 0;

    u32 crc = with_le32(fs->superblock.checksum_seed, group);
    u8 copy[COPY_MAX];
    if (fs->superblock.descriptor_size <= sizeof copy) {
        memcpy(copy, raw, fs->superblock.descriptor_size);
        put_le16(copy + DESCRIPTOR_CHECKSUM_AT, 0);
        return (u16)crc32c_update(crc, copy, fs->superblock.descriptor_size);
    }
    crc = crc32c_update(crc, raw, DESCRIPTOR_CHECKSUM_AT);
    crc = crc32c_update(crc, zeros, 2);
    crc = crc32c_update(crc, raw + AFTER, fs->superblock.descriptor_size - AFTER);
    return (u16)crc;
}

u32 ext4_bitmap_checksum(const struct ext4 *fs, const u8 *bitmap, u32 bits)
{
    return crc32c_update(fs->superblock.checksum_seed, bitmap, bits / 8);
}

/* The inode with zeros for its checksum: one piece is summed faster than six. */
static const u8 *inode_to_sum(const u8 *raw, u32 size, u8 *copy)
{
    memcpy(copy, raw, size);
    put_le16(copy + INODE_CHECKSUM_LOW_AT, 0);
    if (size > INODE_BASE_SIZE && get_le16(raw + INODE_EXTRA_SIZE_AT) >= 4)
        put_le16(copy + INODE_CHECKSUM_HIGH_AT, 0);
    return copy;
}

u32 ext4_inode_checksum(const struct ext4 *fs, u32 seed, const u8 *raw)
{
    u32 inode_size = fs->superblock.inode_size;
    u8 copy[COPY_MAX];
    if (inode_size <= sizeof copy)
        return crc32c_update(seed, inode_to_sum(raw, inode_size, copy), inode_size);

    u32 crc = crc32c_update(seed, raw, INODE_CHECKSUM_LOW_AT);
    crc = crc32c_update(crc, zeros, 2);
    crc = crc32c_update(crc, raw + INODE_CHECKSUM_LOW_AT + 2,
                        INODE_BASE_SIZE - INODE_CHECKSUM_LOW_AT - 2);
    if (inode_size <= INODE_BASE_SIZE)
        return crc;

    crc = crc32c_update(crc, raw + INODE_BASE_SIZE, 2);
    bool has_high = get_le16(raw + INODE_EXTRA_SIZE_AT) >= 4;
    crc = crc32c_update(crc, has_high ? zeros : raw + INODE_CHECKSUM_HIGH_AT, 2);
    return crc32c_update(crc, raw + INODE_CHECKSUM_HIGH_AT + 2,
                         inode_size - INODE_CHECKSUM_HIGH_AT - 2);
}

u32 ext4_owned_block_checksum(u32 inode_seed, const u8 *raw, size_t size)
{
    return crc32c_update(inode_seed, raw, size);
}

u32 ext4_attribute_block_checksum(const struct ext4 *fs, u64 block, const u8 *raw)
{
    u8 number[8];
    put_le64(number, block);
    u32 crc = crc32c_update(fs->superblock.checksum_seed, number, sizeof number);
    crc = crc32c_update(crc, raw, ATTRIBUTE_CHECKSUM_AT);
    crc = crc32c_update(crc, zeros, 4);
    return crc32c_update(crc, raw + ATTRIBUTE_CHECKSUM_AT + 4,
                         fs->superblock.block_size - ATTRIBUTE_CHECKSUM_AT - 4);
}
