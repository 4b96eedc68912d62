/*
 * The last part of a replay: copies in the log, one of each block, go to their places.
 *
 * All of them are compared with their checksums before the first is written, so a damaged log
 * changes nothing: ERR_CORRUPT, with a line.
 */
#pragma once

#include "kernel/fs/jbd2/journal_reader.h"

/* The newest copy of a block, in the log. */
struct journal_copy {
    u64 log_block; /* first: sort_by_key(); counted from the tail */
    u64 block;
    u32 sequence;
    u32 checksum;
    bool escaped;
};

/* OK: all copies can be read and are what was logged. */
enum status journal_restore_verify(struct journal_reader *reader,
                                   const struct journal_copy *copies, size_t count);
/* Written, not flushed; buffers of these blocks are forgotten. */
enum status journal_restore_to_disk(struct journal_reader *reader,
                                    const struct journal_copy *copies, size_t count);
/* Nothing is written: they become pinned buffers of the cache. */
enum status journal_restore_to_memory(struct journal_reader *reader,
                                      const struct journal_copy *copies, size_t count);
