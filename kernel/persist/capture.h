/*
 * One generation: what was written to a page space since the last one goes to Snapper.
 *
 * In this form everything stands still from the demarcation to the commit.
 */
#pragma once

#include "kernel/block/disk.h"
#include "kernel/persist/page_space.h"
#include "snapper/snapper.h"

struct capture {
    struct page_space *space;
    u64 space_number;
    struct snapper *snapper;
    const struct disk *disk; /* for its counters */
};

struct capture_report {
    struct snapper_commit_report commit;
    u64 entries_read;             /* page-table entries, to find what was written */
    u64 requests, bytes, flushes; /* writes of the disk */
    u64 mark_cycles; /* of the time stamp over the demarcation alone; instructions under -icount */
    u64 pause_microseconds; /* demarcation to commit */
    u64 total_microseconds;
};

/*
 * On OK the generation is durable and its pages are clean. On error there is none, and all that it
 * would have taken waits for the next one. ERR_INVALID_STATE, ERR_NO_SPACE, ERR_NO_MEMORY, ERR_IO ...
 */
enum status capture_generation(const struct capture *capture, const char *description,
                               struct capture_report *report);
