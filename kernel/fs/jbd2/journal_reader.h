/*
 * Reads the log from its tail on, for a replay that goes over it several times.
 *
 * Blocks are read ahead in large requests into a window; a live log that fits in it, as ours does,
 * is read from the disk once. Short of memory the window is smaller, and the rest is read again.
 * What cannot be read is ERR_IO only for who asks for it: beyond the log's end nobody does.
 */
#pragma once

#include "kernel/fs/jbd2/journal_internal.h"

struct journal_reader {
    struct journal *journal;
    u8 *window;
    u32 capacity; /* of the window, in blocks */
    u32 first; /* the window holds `count` blocks from this one on, counted from the tail */
    u32 count;
};

/* ERR_NO_MEMORY: not even the smallest window. */
enum status journal_reader_open(struct journal_reader *reader, struct journal *journal);
void journal_reader_close(struct journal_reader *reader);

/* Block `at`, counted from the tail, below the log's length; valid until the next call. */
enum status journal_reader_get(struct journal_reader *reader, u32 at, const u8 **raw);
