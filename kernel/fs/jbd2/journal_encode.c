#include "kernel/fs/jbd2/journal_format.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/string.h"

u32 journal_tags_per_block(const struct journal_layout *layout)
{
    return (u32)((journal_records_end(layout) - JOURNAL_HEADER_SIZE - JOURNAL_UUID_SIZE) /
                 journal_tag_size(layout));
}

u32 journal_revokes_per_block(const struct journal_layout *layout)
{
    return (u32)((journal_records_end(layout) - JOURNAL_REVOKE_HEADER_SIZE) /
                 (layout->wide ? 8 : 4));
}

u32 journal_data_checksum(const struct journal_layout *layout, u32 sequence,
                          const u8 *data)
{
    if (!journal_has_checksums(layout))
        return 0;
    u8 prefix[4];
    put_be32(prefix, sequence);
    u32 crc = crc32c_update(layout->seed, prefix, sizeof prefix);
    crc = crc32c_update(crc, data, layout->block_size);
    return layout->checksum_v3 ? crc : crc & 0xFFFF;
}

static void header_encode(enum journal_block_type type, u32 sequence, u8 *raw)
{
    put_be32(raw, JOURNAL_MAGIC);
    put_be32(raw + 4, type);
    put_be32(raw + 8, sequence);
}

static void tail_encode(const struct journal_layout *layout, u8 *raw)
{
    if (!journal_has_checksums(layout))
        return;
    size_t at = layout->block_size - JOURNAL_TAIL_SIZE;
    put_be32(raw + at, journal_block_checksum(layout, raw, at));
}

static void tag_encode(const struct journal_layout *layout, const struct journal_tag *tag,
                       u32 flags, u8 *raw)
{
    put_be32(raw, (u32)tag->block);
    if (layout->checksum_v3) {
        put_be32(raw + 4, flags);
        put_be32(raw + 12, tag->checksum);
    } else {
        put_be16(raw + 4, (u16)tag->checksum);
        put_be16(raw + 6, (u16)flags);
    }
    if (layout->wide)
        put_be32(raw + 8, (u32)(tag->block >> 32));
}

void journal_descriptor_encode(const struct journal_layout *layout, u32 sequence,
                               const struct journal_tag *tags, u32 count, u8 *raw)
{
    u8 *at = raw + JOURNAL_HEADER_SIZE;
    header_encode(JOURNAL_DESCRIPTOR, sequence, raw);
    for (u32 i = 0; i < count; i++) {
        u32 flags = (tags[i].escaped ? JOURNAL_FLAG_ESCAPED : 0u) |
                    (i > 0 ? JOURNAL_FLAG_SAME_UUID : 0u) |
                    (i == count - 1 ? JOURNAL_FLAG_LAST : 0u);
        tag_encode(layout, &tags[i], flags, at);
        at += journal_tag_size(layout);
        if (i == 0) {
            memcpy(at, layout->uuid, JOURNAL_UUID_SIZE);
            at += JOURNAL_UUID_SIZE;
        }
    }
    tail_encode(layout, raw);
}

void journal_revoke_encode(const struct journal_layout *layout, u32 sequence,
                           const u64 *blocks, u32 count, u8 *raw)
{
    u8 *at = raw + JOURNAL_REVOKE_HEADER_SIZE;
    header_encode(JOURNAL_REVOKE, sequence, raw);
    for (u32 i = 0; i < count; i++) {
        if (layout->wide)
            put_be64(at, blocks[i]);
        else
            put_be32(at, (u32)blocks[i]);
        at += layout->wide ? 8 : 4;
    }
    put_be32(raw + JOURNAL_HEADER_SIZE, (u32)(at - raw));
    tail_encode(layout, raw);
}

void journal_commit_encode(const struct journal_layout *layout, u32 sequence,
                           u64 microseconds, u8 *raw)
{
    header_encode(JOURNAL_COMMIT, sequence, raw);
    put_be64(raw + JOURNAL_COMMIT_SECONDS_AT, microseconds / 1000000);
    put_be32(raw + JOURNAL_COMMIT_NANOSECONDS_AT, (u32)(microseconds % 1000000 * 1000));
    if (journal_has_checksums(layout))
        put_be32(raw + JOURNAL_COMMIT_CHECKSUM_AT,
                 journal_block_checksum(layout, raw, JOURNAL_COMMIT_CHECKSUM_AT));
}
