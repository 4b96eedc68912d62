#include "kernel/fs/ext4/superblock.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/feature.h"

enum {
    INODE_COUNT_AT = 0x00,
    BLOCK_COUNT_LOW_AT = 0x04,
    RESERVED_BLOCKS_LOW_AT = 0x08,
    FIRST_DATA_BLOCK_AT = 0x14,
    LOG_BLOCK_SIZE_AT = 0x18,
    BLOCKS_PER_GROUP_AT = 0x20,
    INODES_PER_GROUP_AT = 0x28,
    MOUNT_COUNT_AT = 0x34,
    MAGIC_AT = 0x38,
    REVISION_AT = 0x4C,
    FIRST_INODE_AT = 0x54,
    INODE_SIZE_AT = 0x58,
    COMPAT_AT = 0x5C,
    INCOMPAT_AT = 0x60,
    RO_COMPAT_AT = 0x64,
    UUID_AT = 0x68,
    RESERVED_GDT_BLOCKS_AT = 0xCE,
    JOURNAL_INODE_AT = 0xE0,
    LAST_ORPHAN_AT = 0xE8,
    HASH_SEED_AT = 0xEC,
    HASH_VERSION_AT = 0xFC,
    DESCRIPTOR_SIZE_AT = 0xFE,
    FIRST_META_GROUP_AT = 0x104,
    BLOCK_COUNT_HIGH_AT = 0x150,
    RESERVED_BLOCKS_HIGH_AT = 0x154,
    WANT_EXTRA_SIZE_AT = 0x15E,
    FLAGS_AT = 0x160,
    LOG_GROUPS_PER_FLEX_AT = 0x174,
    CHECKSUM_TYPE_AT = 0x175,
    BACKUP_GROUPS_AT = 0x24C,
    CHECKSUM_SEED_AT = 0x270,
    ORPHAN_FILE_INODE_AT = 0x280,
};

enum {
    MAGIC = 0xEF53,
    CHECKSUM_TYPE_CRC32C = 1,
    FLAG_UNSIGNED_HASH = 0x2,
    ORIGINAL_FIRST_INODE = 11,
    RO_COMPAT_BIGALLOC = 0x200,
};

bool ext4_has_compat(const struct ext4 *fs, u32 feature)
{
    return (fs->superblock.compat & feature) != 0;
}

bool ext4_has_incompat(const struct ext4 *fs, u32 feature)
{
    return (fs->superblock.incompat & feature) != 0;
}

bool ext4_has_ro_compat(const struct ext4 *fs, u32 feature)
{
    return (fs->superblock.ro_compat & feature) != 0;
}

bool ext4_has_checksums(const struct ext4 *fs)
{
    return ext4_has_ro_compat(fs, EXT4_RO_COMPAT_METADATA_CSUM);
}

static enum status refuse(const char *what, u64 value)
{
    log_error("ext4: superblock: impossible %s: %llu", what, (unsigned long long)value);
    return ERR_CORRUPT;
}

static bool is_power_of_two(u32 value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

static enum status check_features(const struct ext4_superblock *superblock)
{
    u32 unknown = superblock->incompat & ~(u32)EXT4_INCOMPAT_KNOWN;
    if (unknown) {
        log_error("ext4: unsupported feature: %s (incompat %#x)",
                  ext4_incompat_name(unknown), unknown);
        return ERR_UNSUPPORTED;
    }
    return OK;
}

static enum status decode_geometry(const u8 *raw, struct ext4_superblock *superblock)
{
    u32 shift = get_le32(raw + LOG_BLOCK_SIZE_AT);
    if (shift > 6)
        return refuse("block size exponent", shift);
    if (shift > 2) {
        log_error("ext4: unsupported block size: %u", 1024U << shift);
        return ERR_UNSUPPORTED;
    }
    superblock->block_shift = 10 + shift;
    superblock->block_size = 1024U << shift;
    superblock->inode_count = get_le32(raw + INODE_COUNT_AT);
    superblock->first_data_block = get_le32(raw + FIRST_DATA_BLOCK_AT);
    superblock->blocks_per_group = get_le32(raw + BLOCKS_PER_GROUP_AT);
    superblock->inodes_per_group = get_le32(raw + INODES_PER_GROUP_AT);
    superblock->reserved_gdt_blocks = get_le16(raw + RESERVED_GDT_BLOCKS_AT);
    superblock->first_meta_group = get_le32(raw + FIRST_META_GROUP_AT);
    superblock->block_count = get_le32(raw + BLOCK_COUNT_LOW_AT);
    superblock->reserved_blocks = get_le32(raw + RESERVED_BLOCKS_LOW_AT);
    if (superblock->incompat & EXT4_INCOMPAT_64BIT) {
        superblock->block_count |= (u64)get_le32(raw + BLOCK_COUNT_HIGH_AT) << 32;
        superblock->reserved_blocks |= (u64)get_le32(raw + RESERVED_BLOCKS_HIGH_AT) << 32;
    }
    return OK;
}

static enum status check_geometry(struct ext4_superblock *superblock)
{
    u32 bits = superblock->block_size * 8;
    bool clusters = superblock->ro_compat & RO_COMPAT_BIGALLOC;
    if (superblock->first_data_block !=
        (superblock->block_size == 1024 && !clusters ? 1U : 0U))
        return refuse("first data block", superblock->first_data_block);
    if (superblock->blocks_per_group < 256 || superblock->blocks_per_group % 8 != 0 ||
        (!clusters && superblock->blocks_per_group > bits))
        return refuse("blocks per group", superblock->blocks_per_group);
    if (superblock->inodes_per_group == 0 || superblock->inodes_per_group % 8 != 0 ||
        superblock->inodes_per_group > bits)
        return refuse("inodes per group", superblock->inodes_per_group);
    if (superblock->block_count <= superblock->first_data_block ||
        superblock->block_count >> 48 != 0)
        return refuse("block count", superblock->block_count);

    u64 groups = divide_up(superblock->block_count - superblock->first_data_block,
                           superblock->blocks_per_group);
    if (groups > UINT32_MAX ||
        groups * superblock->inodes_per_group != superblock->inode_count)
        return refuse("inode count", superblock->inode_count);
    superblock->group_count = (u32)groups;
    if (superblock->reserved_gdt_blocks > superblock->block_size / 4)
        return refuse("reserved descriptor blocks", superblock->reserved_gdt_blocks);
    return OK;
}

static enum status decode_sizes(const u8 *raw, struct ext4_superblock *superblock)
{
    bool original = get_le32(raw + REVISION_AT) == 0;
    superblock->inode_size = original ? 128 : get_le16(raw + INODE_SIZE_AT);
    superblock->first_inode =
        original ? ORIGINAL_FIRST_INODE : get_le32(raw + FIRST_INODE_AT);
    superblock->descriptor_size = superblock->incompat & EXT4_INCOMPAT_64BIT
                                      ? get_le16(raw + DESCRIPTOR_SIZE_AT)
                                      : 32;
    superblock->log_groups_per_flex = raw[LOG_GROUPS_PER_FLEX_AT];

    if (!is_power_of_two(superblock->inode_size) || superblock->inode_size < 128 ||
        superblock->inode_size > superblock->block_size)
        return refuse("inode size", superblock->inode_size);
    if (superblock->inodes_per_group < superblock->block_size / superblock->inode_size)
        return refuse("inodes per group", superblock->inodes_per_group);
    if (superblock->first_inode < ORIGINAL_FIRST_INODE ||
        superblock->first_inode > superblock->inode_count)
        return refuse("first inode", superblock->first_inode);
    if (superblock->incompat & EXT4_INCOMPAT_64BIT &&
        (!is_power_of_two(superblock->descriptor_size) ||
         superblock->descriptor_size < 64 || superblock->descriptor_size > 1024))
        return refuse("descriptor size", superblock->descriptor_size);
    if (superblock->log_groups_per_flex > 31)
        return refuse("flex group exponent", superblock->log_groups_per_flex);

    u64 descriptor_blocks =
        divide_up((u64)superblock->group_count * superblock->descriptor_size,
                  superblock->block_size);
    if (!(superblock->incompat & EXT4_INCOMPAT_META_BG) &&
        descriptor_blocks + superblock->reserved_gdt_blocks + 4 >
            superblock->blocks_per_group)
        return refuse("descriptor table length", descriptor_blocks);
    return OK;
}

static void decode_rest(const u8 *raw, struct ext4_superblock *superblock)
{
    superblock->mount_count = get_le16(raw + MOUNT_COUNT_AT);
    superblock->journal_inode = superblock->compat & EXT4_COMPAT_HAS_JOURNAL
                                    ? get_le32(raw + JOURNAL_INODE_AT)
                                    : 0;
    superblock->last_orphan = get_le32(raw + LAST_ORPHAN_AT);
    superblock->orphan_file_inode = superblock->compat & EXT4_COMPAT_ORPHAN_FILE
                                        ? get_le32(raw + ORPHAN_FILE_INODE_AT)
                                        : 0;
    superblock->default_hash_version = raw[HASH_VERSION_AT];
    superblock->hash_unsigned = get_le32(raw + FLAGS_AT) & FLAG_UNSIGNED_HASH;
    superblock->want_extra_inode_size = get_le16(raw + WANT_EXTRA_SIZE_AT);
    for (size_t i = 0; i < ARRAY_LENGTH(superblock->hash_seed); i++)
        superblock->hash_seed[i] = get_le32(raw + HASH_SEED_AT + 4 * i);
    for (size_t i = 0; i < ARRAY_LENGTH(superblock->backup_groups); i++)
        superblock->backup_groups[i] = get_le32(raw + BACKUP_GROUPS_AT + 4 * i);
    memcpy(superblock->uuid, raw + UUID_AT, sizeof superblock->uuid);
}

enum status ext4_superblock_decode(const u8 *raw, size_t size,
                                   struct ext4_superblock *result, bool *checksum_good)
{
    if (size < EXT4_SUPERBLOCK_BYTES || get_le16(raw + MAGIC_AT) != MAGIC)
        return ERR_CORRUPT;

    struct ext4_superblock superblock = {
        .compat = get_le32(raw + COMPAT_AT),
        .incompat = get_le32(raw + INCOMPAT_AT),
        .ro_compat = get_le32(raw + RO_COMPAT_AT),
    };
    enum status status = check_features(&superblock);
    if (status == OK)
        status = decode_geometry(raw, &superblock);
    if (status == OK)
        status = check_geometry(&superblock);
    if (status == OK)
        status = decode_sizes(raw, &superblock);
    if (status != OK)
        return status;
    decode_rest(raw, &superblock);

    bool checksums = superblock.ro_compat & EXT4_RO_COMPAT_METADATA_CSUM;
    if (checksums && raw[CHECKSUM_TYPE_AT] != CHECKSUM_TYPE_CRC32C)
        return refuse("checksum type", raw[CHECKSUM_TYPE_AT]);
    if (superblock.journal_inode > superblock.inode_count)
        return refuse("journal inode", superblock.journal_inode);
    if (superblock.orphan_file_inode > superblock.inode_count)
        return refuse("orphan file inode", superblock.orphan_file_inode);

    superblock.checksum_seed = superblock.incompat & EXT4_INCOMPAT_CSUM_SEED
                                   ? get_le32(raw + CHECKSUM_SEED_AT)
                                   : ext4_checksum_seed_of_uuid(superblock.uuid);
    *checksum_good = !checksums || ext4_superblock_checksum(raw) ==
                                       get_le32(raw + EXT4_SUPERBLOCK_CHECKSUM_AT);
    *result = superblock;
    return OK;
}

enum status ext4_superblock_read_backup(struct disk *disk, u8 *raw,
                                        struct ext4_superblock *superblock)
{
    for (u32 shift = 10; shift <= 12; shift++) {
        u64 block = (8ULL << shift) + (shift == 10);
        bool checksum_good = false;
        if (!range_inside(block << (shift - 9), 2, disk->sector_count))
            continue;
        enum status status =
            disk_read(disk, block << (shift - 9), raw, EXT4_SUPERBLOCK_BYTES);
        if (status != OK)
            return status;
        status = ext4_superblock_decode(raw, EXT4_SUPERBLOCK_BYTES, superblock,
                                        &checksum_good);
        if (status == OK && checksum_good && superblock->block_shift == shift)
            return OK;
    }
    return ERR_CORRUPT;
}
