/*
 * One generation: what was written to the page spaces since the last one goes to Snapper.
 *
 *   prepare, begin      while programs run
 *   the line            by whoever sees the moment between two instructions of programs, or here
 *   harvest, hand over, commit
 *                       while programs run on; what they write now is the next generation's
 */
#pragma once

#include "kernel/base/stage.h"
#include "kernel/block/disk.h"
#include "kernel/persist/spaces.h"
#include "snapper/snapper.h"

struct capture {
    struct spaces *spaces;
    struct snapper *snapper;
    const struct disk *disk; /* for its counters */
    /*
     * Lets programs run until mark_line() was called; returning without it is fine, then nothing runs
     * and the line is drawn here. NULL: nothing ever runs.
     */
    void (*await_line)(void);
    bool passing; /* the generation is marked so (snapper.h) */
};

struct capture_report {
    struct snapper_commit_report commit;
    u64 entries_read;             /* page-table entries, to find what was written */
    u64 requests, bytes, flushes; /* writes of the disk */
    u64 mark_cycles; /* of the time stamp over the line alone; instructions under -icount */
    u64 cycles[STAGE_COUNT]; /* of the kernel alone, by stage; likewise */
    u64 flight_microseconds; /* line to commit, in which programs run on */
    u64 total_microseconds;
};

/*
 * On OK the generation is durable and its pages are clean. On error there is none, and all that it
 * would have taken waits for the next one. ERR_INVALID_STATE, ERR_NO_SPACE, ERR_NO_MEMORY, ERR_IO ...
 */
enum status capture_generation(const struct capture *capture, const char *description,
                               struct capture_report *report);
