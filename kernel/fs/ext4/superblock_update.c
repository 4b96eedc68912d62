/* What changes in the superblock: see rules S1 and S2 in superblock.h. */
#include "kernel/fs/ext4/superblock.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/feature.h"

enum {
    FREE_BLOCKS_LOW_AT = 0x0C,
    FREE_INODES_AT = 0x10,
    MOUNT_TIME_AT = 0x2C,
    WRITE_TIME_AT = 0x30,
    MOUNT_COUNT_AT = 0x34,
    INCOMPAT_AT = 0x60,
    RO_COMPAT_AT = 0x64,
    LAST_MOUNTED_END_AT = 0xC3,
    SEAL_AT = 0xC4,
    LAST_ORPHAN_AT = 0xE8,
    FREE_BLOCKS_HIGH_AT = 0x158,
};

enum { SUPERBLOCK_SECTOR = 2, SUPERBLOCK_OFFSET = 1024 };
static const u32 crc32c_polynomial = 0x82F63B78;

/* x^-n for the n bits from the seal to the checksum, modulo the polynomial; x^0 is the highest bit. */
static const u32 back_to_seal = 0x4D55119E;

/* Modulo the polynomial. */
static u32 crc32c_multiply(u32 a, u32 b)
{
    u32 product = 0;
    for (u32 bit = 1U << 31; bit != 0; bit >>= 1) {
        if (a & bit)
            product ^= b;
        b = b & 1 ? b >> 1 ^ crc32c_polynomial : b >> 1;
    }
    return product;
}

/*
 * The CRC is linear: how far it is from the stored checksum with a seal of zeros, taken back to where
 * the seal stands, is the seal.
 */
void ext4_superblock_seal(u8 *raw)
{
    raw[LAST_MOUNTED_END_AT] = 0;
    if (!(get_le32(raw + RO_COMPAT_AT) & EXT4_RO_COMPAT_METADATA_CSUM))
        return;

    put_le32(raw + SEAL_AT, 0);
    u32 without = crc32c_update(~0U, raw, EXT4_SUPERBLOCK_CHECKSUM_AT);
    u32 wanted = get_le32(raw + EXT4_SUPERBLOCK_CHECKSUM_AT);
    put_le32(raw + SEAL_AT, crc32c_multiply(without ^ wanted, back_to_seal));
}

static u32 now_seconds(void)
{
    return (u32)(port_now_microseconds() / 1000000);
}

/* One sector is written, so the change happens or does not (S1). */
static enum status change_recovery_flag(struct ext4 *fs, bool set)
{
    u8 *raw = fs->scratch;
    struct ext4_superblock decoded;
    bool checksum_good = false;
    enum status status =
        disk_read(fs->disk, SUPERBLOCK_SECTOR, raw, EXT4_SUPERBLOCK_BYTES);
    if (status != OK)
        return status;
    status = ext4_superblock_decode(raw, EXT4_SUPERBLOCK_BYTES, &decoded, &checksum_good);
    if (status != OK || !checksum_good) {
        log_error("ext4: superblock: changed on the disk behind our back");
        return ERR_CORRUPT;
    }

    u32 incompat = get_le32(raw + INCOMPAT_AT);
    put_le32(raw + INCOMPAT_AT, set ? incompat | EXT4_INCOMPAT_RECOVER
                                    : incompat & ~(u32)EXT4_INCOMPAT_RECOVER);
    put_le32(raw + WRITE_TIME_AT, now_seconds());
    ext4_superblock_seal(raw);
    status = disk_write(fs->disk, SUPERBLOCK_SECTOR, raw, SECTOR_SIZE);
    return status == OK ? disk_flush(fs->disk) : status;
}

enum status ext4_superblock_set_recovery(struct ext4 *fs)
{
    return change_recovery_flag(fs, true);
}

enum status ext4_superblock_clear_recovery(struct ext4 *fs)
{
    return change_recovery_flag(fs, false);
}

enum status ext4_superblock_get(struct ext4 *fs, struct buffer **buffer, u8 **raw)
{
    u32 block_size = fs->superblock.block_size;
    struct buffer *found;
    enum status status = cache_get(&fs->cache, SUPERBLOCK_OFFSET / block_size, &found);
    if (status != OK)
        return status;
    *raw = found->data + SUPERBLOCK_OFFSET % block_size;
    *buffer = found;
    return OK;
}

enum status ext4_superblock_modify(struct ext4 *fs, struct buffer **buffer, u8 **raw)
{
    struct buffer *found;
    u8 *bytes;
    enum status status = ext4_superblock_get(fs, &found, &bytes);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, found);
    if (status != OK) {
        cache_release(found);
        return status;
    }
    *buffer = found;
    *raw = bytes;
    return OK;
}

enum status ext4_superblock_last_orphan(struct ext4 *fs, u32 *inode)
{
    struct buffer *buffer;
    u8 *raw;
    enum status status = ext4_superblock_get(fs, &buffer, &raw);
    if (status != OK)
        return status;
    *inode = get_le32(raw + LAST_ORPHAN_AT);
    cache_release(buffer);
    return OK;
}

enum status ext4_superblock_set_last_orphan(struct ext4 *fs, u32 inode)
{
    struct buffer *buffer;
    u8 *raw;
    enum status status = ext4_superblock_modify(fs, &buffer, &raw);
    if (status != OK)
        return status;
    put_le32(raw + LAST_ORPHAN_AT, inode);
    ext4_superblock_seal(raw);
    cache_release(buffer);
    return OK;
}

enum status ext4_superblock_set_orphan_present(struct ext4 *fs, bool present)
{
    struct buffer *buffer;
    u8 *raw;
    enum status status = ext4_superblock_modify(fs, &buffer, &raw);
    if (status != OK)
        return status;
    u32 ro_compat = get_le32(raw + RO_COMPAT_AT);
    put_le32(raw + RO_COMPAT_AT, present
                                     ? ro_compat | EXT4_RO_COMPAT_ORPHAN_PRESENT
                                     : ro_compat & ~(u32)EXT4_RO_COMPAT_ORPHAN_PRESENT);
    ext4_superblock_seal(raw);
    cache_release(buffer);
    return OK;
}

enum status ext4_superblock_free_counts(struct ext4 *fs, struct ext4_free_counts *free)
{
    struct buffer *buffer;
    u8 *raw;
    enum status status = ext4_superblock_get(fs, &buffer, &raw);
    if (status != OK)
        return status;
    free->blocks = get_le32(raw + FREE_BLOCKS_LOW_AT);
    if (ext4_has_incompat(fs, EXT4_INCOMPAT_64BIT))
        free->blocks |= (u64)get_le32(raw + FREE_BLOCKS_HIGH_AT) << 32;
    free->inodes = get_le32(raw + FREE_INODES_AT);
    cache_release(buffer);
    return OK;
}

enum status ext4_superblock_before_commit(void *context)
{
    struct ext4 *fs = context;
    struct buffer *buffer;
    u8 *raw;
    enum status status = ext4_superblock_modify(fs, &buffer, &raw);
    if (status != OK)
        return status;

    const struct ext4_free_counts *free = &fs->running.free;
    put_le32(raw + FREE_BLOCKS_LOW_AT, (u32)free->blocks);
    if (ext4_has_incompat(fs, EXT4_INCOMPAT_64BIT))
        put_le32(raw + FREE_BLOCKS_HIGH_AT, (u32)(free->blocks >> 32));
    put_le32(raw + FREE_INODES_AT, (u32)free->inodes);
    put_le32(raw + WRITE_TIME_AT, now_seconds());
    put_le32(raw + INCOMPAT_AT, get_le32(raw + INCOMPAT_AT) | EXT4_INCOMPAT_RECOVER);
    if (!fs->mount_counted) {
        put_le32(raw + MOUNT_TIME_AT, now_seconds());
        put_le16(raw + MOUNT_COUNT_AT, (u16)(get_le16(raw + MOUNT_COUNT_AT) + 1));
    }
    ext4_superblock_seal(raw);
    cache_release(buffer);
    return OK;
}
