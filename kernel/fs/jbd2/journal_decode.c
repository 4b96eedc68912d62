#include "kernel/fs/jbd2/journal_format.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"

u32 journal_block_checksum(const struct journal_layout *layout, const u8 *raw,
                           size_t hole)
{
    static const u8 zero[4];
    u32 crc = crc32c_update(layout->seed, raw, hole);
    crc = crc32c_update(crc, zero, sizeof zero);
    return crc32c_update(crc, raw + hole + 4, layout->block_size - hole - 4);
}

bool journal_header_decode(const u8 *raw, u32 *type, u32 *sequence)
{
    if (get_be32(raw) != JOURNAL_MAGIC)
        return false;
    *type = get_be32(raw + 4);
    *sequence = get_be32(raw + 8);
    return true;
}

bool journal_tail_is_valid(const struct journal_layout *layout, const u8 *raw)
{
    if (!journal_has_checksums(layout))
        return true;
    size_t at = layout->block_size - JOURNAL_TAIL_SIZE;
    return get_be32(raw + at) == journal_block_checksum(layout, raw, at);
}

void journal_tag_first(struct journal_tag_cursor *cursor,
                       const struct journal_layout *layout, const u8 *raw)
{
    *cursor = (struct journal_tag_cursor){ layout, raw, JOURNAL_HEADER_SIZE, false };
}

bool journal_tag_next(struct journal_tag_cursor *cursor, struct journal_tag *tag)
{
    const struct journal_layout *layout = cursor->layout;
    size_t size = journal_tag_size(layout);
    if (cursor->ended || cursor->at + size > journal_records_end(layout))
        return false;

    const u8 *raw = cursor->raw + cursor->at;
    u32 flags = layout->checksum_v3 ? get_be32(raw + 4) : get_be16(raw + 6);
    *tag = (struct journal_tag){ .block = get_be32(raw),
                                 .escaped = flags & JOURNAL_FLAG_ESCAPED };
    if (layout->wide)
        tag->block |= (u64)get_be32(raw + 8) << 32;
    if (layout->checksum_v3)
        tag->checksum = get_be32(raw + 12);
    else if (layout->checksum_v2)
        tag->checksum = get_be16(raw + 4);

    cursor->at += size + (flags & JOURNAL_FLAG_SAME_UUID ? 0 : JOURNAL_UUID_SIZE);
    cursor->ended = flags & JOURNAL_FLAG_LAST;
    return true;
}

bool journal_tag_matches(const struct journal_layout *layout,
                         const struct journal_tag *tag, u32 sequence, const u8 *data)
{
    return !journal_has_checksums(layout) ||
           tag->checksum == journal_data_checksum(layout, sequence, data);
}

static size_t revoke_record_size(const struct journal_layout *layout)
{
    return layout->wide ? 8 : 4;
}

enum status journal_revoke_count(const struct journal_layout *layout, const u8 *raw,
                                 u32 *count)
{
    u32 used = get_be32(raw + JOURNAL_HEADER_SIZE);
    if (used > journal_records_end(layout)) {
        log_error("journal: revoke block of sequence %u: %u bytes used",
                  get_be32(raw + 8), used);
        return ERR_CORRUPT;
    }
    *count =
        used < JOURNAL_REVOKE_HEADER_SIZE
            ? 0
            : (u32)((used - JOURNAL_REVOKE_HEADER_SIZE) / revoke_record_size(layout));
    return OK;
}

u64 journal_revoke_at(const struct journal_layout *layout, const u8 *raw, u32 index)
{
    const u8 *record =
        raw + JOURNAL_REVOKE_HEADER_SIZE + index * revoke_record_size(layout);
    return layout->wide ? get_be64(record) : get_be32(record);
}

void journal_commit_decode(const struct journal_layout *layout, const u8 *raw,
                           struct journal_commit_block *commit)
{
    commit->seconds = get_be64(raw + JOURNAL_COMMIT_SECONDS_AT);
    commit->valid = !journal_has_checksums(layout) ||
                    get_be32(raw + JOURNAL_COMMIT_CHECKSUM_AT) ==
                        journal_block_checksum(layout, raw, JOURNAL_COMMIT_CHECKSUM_AT);
}
