#include "kernel/fs/jbd2/journal_format.h"

#include "kernel/base/checked.h"
#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

enum {
    BLOCK_SIZE_AT = 0x0C,
    BLOCK_COUNT_AT = 0x10,
    FIRST_AT = 0x14,
    SEQUENCE_AT = 0x18,
    START_AT = 0x1C,
    ERROR_AT = 0x20,
    COMPAT_AT = 0x24,
    INCOMPAT_AT = 0x28,
    RO_COMPAT_AT = 0x2C,
    UUID_AT = 0x30,
    CHECKSUM_TYPE_AT = 0x50,
    FAST_COMMIT_BLOCKS_AT = 0x54,
    CHECKSUM_AT = 0xFC,
    CHECKSUM_TYPE_CRC32C = 4,
    FAST_COMMIT_BLOCKS_DEFAULT = 256,
};

static u32 superblock_checksum(const u8 *raw)
{
    static const u8 zero[4];
    u32 crc = crc32c_update(~0u, raw, CHECKSUM_AT);
    crc = crc32c_update(crc, zero, sizeof zero);
    return crc32c_update(crc, raw + CHECKSUM_AT + 4,
                         JOURNAL_SUPERBLOCK_SIZE - CHECKSUM_AT - 4);
}

static bool wants_checksum(u32 incompat)
{
    return incompat & (JOURNAL_INCOMPAT_CSUM_V2 | JOURNAL_INCOMPAT_CSUM_V3);
}

static enum status check_features(const struct journal_superblock *sb, const u8 *raw)
{
    if (sb->incompat & ~(u32)JOURNAL_INCOMPAT_KNOWN) {
        log_error("journal: unknown incompat features 0x%x",
                  sb->incompat & ~(u32)JOURNAL_INCOMPAT_KNOWN);
        return ERR_UNSUPPORTED;
    }
    if (sb->ro_compat) {
        log_error("journal: unknown read-only features 0x%x", sb->ro_compat);
        return ERR_UNSUPPORTED;
    }
    if (!wants_checksum(sb->incompat))
        return OK;
    if (sb->compat & JOURNAL_COMPAT_CHECKSUM) {
        log_error("journal: superblock: checksum v1 and v%u at once",
                  sb->incompat & JOURNAL_INCOMPAT_CSUM_V3 ? 3 : 2);
        return ERR_CORRUPT;
    }
    if ((sb->incompat & JOURNAL_INCOMPAT_CSUM_V2) &&
        (sb->incompat & JOURNAL_INCOMPAT_CSUM_V3)) {
        log_error("journal: superblock: checksum v2 and v3 at once");
        return ERR_CORRUPT;
    }
    if (raw[CHECKSUM_TYPE_AT] != CHECKSUM_TYPE_CRC32C) {
        log_error("journal: checksum type %u is not crc32c", raw[CHECKSUM_TYPE_AT]);
        return ERR_UNSUPPORTED;
    }
    if (get_be32(raw + CHECKSUM_AT) != superblock_checksum(raw)) {
        log_error("journal: superblock: bad checksum 0x%x", get_be32(raw + CHECKSUM_AT));
        return ERR_CORRUPT;
    }
    return OK;
}

static enum status check_geometry(const struct journal_superblock *sb)
{
    if (sb->block_size != 1024 && sb->block_size != 2048 && sb->block_size != 4096) {
        log_error("journal: superblock: block size %u", sb->block_size);
        return ERR_CORRUPT;
    }
    if (sb->block_count < JOURNAL_BLOCKS_MIN || sb->first == 0 ||
        !range_inside(sb->first, JOURNAL_BLOCKS_MIN - 1, sb->block_count)) {
        log_error("journal: superblock: log from %u in %u blocks", sb->first,
                  sb->block_count);
        return ERR_CORRUPT;
    }
    if (!range_inside(sb->fast_commit_blocks, JOURNAL_BLOCKS_MIN - 1,
                      sb->block_count - sb->first)) {
        log_error("journal: superblock: %u fast commit blocks of %u",
                  sb->fast_commit_blocks, sb->block_count);
        return ERR_CORRUPT;
    }
    if (sb->start != 0 && (sb->start < sb->first || sb->start >= sb->block_count)) {
        log_error("journal: superblock: log starts at %u of %u", sb->start,
                  sb->block_count);
        return ERR_CORRUPT;
    }
    return OK;
}

static u32 decode_fast_commit_blocks(const u8 *raw, u32 incompat)
{
    if (!(incompat & JOURNAL_INCOMPAT_FAST_COMMIT))
        return 0;
    u32 blocks = get_be32(raw + FAST_COMMIT_BLOCKS_AT);
    return blocks ? blocks : FAST_COMMIT_BLOCKS_DEFAULT;
}

enum status journal_superblock_decode(const u8 *raw, struct journal_superblock *sb)
{
    u32 type, ignored;
    if (!journal_header_decode(raw, &type, &ignored)) {
        log_error("journal: superblock: magic 0x%x", get_be32(raw));
        return ERR_CORRUPT;
    }
    if (type == JOURNAL_SUPERBLOCK_V1) {
        log_error("journal: superblock of version 1");
        return ERR_UNSUPPORTED;
    }
    if (type != JOURNAL_SUPERBLOCK_V2) {
        log_error("journal: superblock: block type %u", type);
        return ERR_CORRUPT;
    }

    u32 incompat = get_be32(raw + INCOMPAT_AT);
    struct journal_superblock decoded = {
        .block_size = get_be32(raw + BLOCK_SIZE_AT),
        .block_count = get_be32(raw + BLOCK_COUNT_AT),
        .first = get_be32(raw + FIRST_AT),
        .sequence = get_be32(raw + SEQUENCE_AT),
        .start = get_be32(raw + START_AT),
        .error = get_be32(raw + ERROR_AT),
        .compat = get_be32(raw + COMPAT_AT),
        .incompat = incompat,
        .ro_compat = get_be32(raw + RO_COMPAT_AT),
        .fast_commit_blocks = decode_fast_commit_blocks(raw, incompat),
    };
    memcpy(decoded.uuid, raw + UUID_AT, sizeof decoded.uuid);

    enum status status = check_features(&decoded, raw);
    if (status == OK)
        status = check_geometry(&decoded);
    if (status == OK)
        *sb = decoded;
    return status;
}

void journal_superblock_encode(const struct journal_superblock *sb, u8 *raw)
{
    put_be32(raw + SEQUENCE_AT, sb->sequence);
    put_be32(raw + START_AT, sb->start);
    put_be32(raw + COMPAT_AT, sb->compat);
    put_be32(raw + INCOMPAT_AT, sb->incompat);
    if (!wants_checksum(sb->incompat))
        return;
    raw[CHECKSUM_TYPE_AT] = CHECKSUM_TYPE_CRC32C;
    put_be32(raw + CHECKSUM_AT, superblock_checksum(raw));
}

void journal_layout_init(struct journal_layout *layout,
                         const struct journal_superblock *sb)
{
    *layout = (struct journal_layout){
        .block_size = sb->block_size,
        .checksum_v2 = sb->incompat & JOURNAL_INCOMPAT_CSUM_V2,
        .checksum_v3 = sb->incompat & JOURNAL_INCOMPAT_CSUM_V3,
        .wide = sb->incompat & JOURNAL_INCOMPAT_64BIT,
        .seed = crc32c_update(~0u, sb->uuid, sizeof sb->uuid),
    };
    memcpy(layout->uuid, sb->uuid, sizeof layout->uuid);
}
