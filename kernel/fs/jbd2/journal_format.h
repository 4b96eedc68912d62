/*
 * The blocks of the journal on disk: jbd2, version 2, all integers big endian.
 *
 *   superblock | ... free ... | R D b b b D b C | R D b C | ... free ...
 *                              `-- sequence n --' `- n+1 -'
 *   D descriptor: tags that say where the following data blocks b belong
 *   R revoke: blocks whose copies up to this sequence must not be replayed
 *   C commit: the transaction is complete
 *
 * Every block but b starts with this header; a data block that starts with the magic itself is
 * stored with zeros there and the escape flag in its tag.
 *
 *   0  4  magic C03B3998     4  4  type     8  4  sequence
 *
 * Tags, from byte 12; `f` flags, `c` checksum, in the first of a block and wherever flag 2 is
 * absent followed by 16 bytes of UUID; with checksums the last 4 bytes of the block are its own:
 *
 *   checksum v3        block 4 | f 4 | block high 4 | c 4
 *   v2 and 64bit       block 4 | c 2 | f 2 | block high 4 | unused 2
 *   v2                 block 4 | c 2 | f 2 | unused 2
 *   none and 64bit     block 4 | unused 2 | f 2 | block high 4
 *   none               block 4 | unused 2 | f 2
 *
 * Decoders take exactly one block of layout->block_size bytes and believe nothing in it.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum {
    JOURNAL_MAGIC_SIZE = 4,
    JOURNAL_SUPERBLOCK_SIZE = 1024,
    JOURNAL_SUPERBLOCK_LIVE =
        512, /* what ever changes lies in the first sector: no torn writes */
    JOURNAL_BLOCKS_MIN = 16,
};
#define JOURNAL_MAGIC 0xC03B3998U

enum journal_block_type {
    JOURNAL_DESCRIPTOR = 1,
    JOURNAL_COMMIT = 2,
    JOURNAL_SUPERBLOCK_V1 = 3,
    JOURNAL_SUPERBLOCK_V2 = 4,
    JOURNAL_REVOKE = 5,
};

enum {
    JOURNAL_COMPAT_CHECKSUM = 0x1,
    JOURNAL_INCOMPAT_REVOKE = 0x1,
    JOURNAL_INCOMPAT_64BIT = 0x2,
    JOURNAL_INCOMPAT_ASYNC_COMMIT = 0x4,
    JOURNAL_INCOMPAT_CSUM_V2 = 0x8,
    JOURNAL_INCOMPAT_CSUM_V3 = 0x10,
    JOURNAL_INCOMPAT_FAST_COMMIT = 0x20,
    JOURNAL_INCOMPAT_KNOWN = 0x3F,
};

/* What the features make of the format. */
struct journal_layout {
    u32 block_size;
    bool checksum_v2, checksum_v3; /* at most one */
    bool wide;                     /* 64-bit block numbers */
    u32 seed;                      /* of all checksums: over the UUID */
    u8 uuid[16];
};

struct journal_superblock {
    u32 block_size;
    u32 block_count; /* of the journal */
    u32 first;       /* first block of the log */
    u32 sequence;    /* expected at `start`, or the next one if the log is empty */
    u32 start;       /* 0: the log is empty */
    u32 error;       /* an errno that Linux left */
    u32 compat, incompat, ro_compat;
    u32 fast_commit_blocks; /* at the end of the journal, not part of the log */
    u8 uuid[16];
};

/* --- journal_superblock.c --- */

/* JOURNAL_SUPERBLOCK_SIZE bytes. ERR_CORRUPT, or ERR_UNSUPPORTED with the feature's name. */
enum status journal_superblock_decode(const u8 *raw, struct journal_superblock *sb);
/* Changes what we own (sequence, start, features) in a superblock that decoded; checksum too. */
void journal_superblock_encode(const struct journal_superblock *sb, u8 *raw);
void journal_layout_init(struct journal_layout *layout,
                         const struct journal_superblock *sb);

/* --- journal_decode.c --- */

/* Is this a block of the log, not data? Type and sequence are as found. */
[[nodiscard]] bool journal_header_decode(const u8 *raw, u32 *type, u32 *sequence);

/* The checksum at the end of a descriptor or revoke block; true without checksums. */
[[nodiscard]] bool journal_tail_is_valid(const struct journal_layout *layout,
                                         const u8 *raw);

struct journal_tag {
    u64 block;
    bool escaped;
    u32 checksum;
};

/* Walks the tags of a descriptor: at most one block full of them, whatever it says. */
struct journal_tag_cursor {
    const struct journal_layout *layout;
    const u8 *raw;
    size_t at;
    bool ended;
};
void journal_tag_first(struct journal_tag_cursor *cursor,
                       const struct journal_layout *layout, const u8 *raw);
[[nodiscard]] bool journal_tag_next(struct journal_tag_cursor *cursor,
                                    struct journal_tag *tag);
/* Does the data block, as stored in the log, fit its tag? */
[[nodiscard]] bool journal_tag_matches(const struct journal_layout *layout,
                                       const struct journal_tag *tag, u32 sequence,
                                       const u8 *data);

/* ERR_CORRUPT: the count does not fit the block. */
enum status journal_revoke_count(const struct journal_layout *layout, const u8 *raw,
                                 u32 *count);
u64 journal_revoke_at(const struct journal_layout *layout, const u8 *raw, u32 index);

struct journal_commit_block {
    bool valid; /* its checksum, if there is one */
    u64 seconds;
};
void journal_commit_decode(const struct journal_layout *layout, const u8 *raw,
                           struct journal_commit_block *commit);

/* --- journal_encode.c: `raw` is a zeroed block --- */

u32 journal_tags_per_block(const struct journal_layout *layout);
u32 journal_revokes_per_block(const struct journal_layout *layout);

/* The checksum that belongs in the tag of a data block, as stored in the log. */
u32 journal_data_checksum(const struct journal_layout *layout, u32 sequence,
                          const u8 *data);
/* 1 <= count <= journal_tags_per_block() */
void journal_descriptor_encode(const struct journal_layout *layout, u32 sequence,
                               const struct journal_tag *tags, u32 count, u8 *raw);
/* 1 <= count <= journal_revokes_per_block() */
void journal_revoke_encode(const struct journal_layout *layout, u32 sequence,
                           const u64 *blocks, u32 count, u8 *raw);
void journal_commit_encode(const struct journal_layout *layout, u32 sequence,
                           u64 microseconds, u8 *raw);

/* --- shared by the three --- */

enum {
    JOURNAL_HEADER_SIZE = 12,
    JOURNAL_REVOKE_HEADER_SIZE = 16,
    JOURNAL_TAIL_SIZE = 4,
    JOURNAL_UUID_SIZE = 16,
    JOURNAL_COMMIT_CHECKSUM_AT = 16,
    JOURNAL_COMMIT_SECONDS_AT = 48,
    JOURNAL_COMMIT_NANOSECONDS_AT = 56,
    JOURNAL_FLAG_ESCAPED = 1,
    JOURNAL_FLAG_SAME_UUID = 2,
    JOURNAL_FLAG_LAST = 8,
};

static inline bool journal_has_checksums(const struct journal_layout *layout)
{
    return layout->checksum_v2 || layout->checksum_v3;
}

static inline size_t journal_tag_size(const struct journal_layout *layout)
{
    if (layout->checksum_v3)
        return 16;
    return 8u + (layout->checksum_v2 ? 2u : 0u) + (layout->wide ? 4u : 0u);
}

/* Where tags and revoke records end. */
static inline size_t journal_records_end(const struct journal_layout *layout)
{
    return layout->block_size - (journal_has_checksums(layout) ? JOURNAL_TAIL_SIZE : 0);
}

/* The checksum of a block whose 4 bytes at `hole` count as zero. */
u32 journal_block_checksum(const struct journal_layout *layout, const u8 *raw,
                           size_t hole);

/* Sequence numbers wrap around. */
static inline bool journal_sequence_after(u32 a, u32 b)
{
    return (i32)(a - b) > 0;
}
