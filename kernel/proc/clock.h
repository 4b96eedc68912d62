/*
 * Time for programs: microseconds over all lives of this memory, monotonic. While no machine runs it,
 * it stands still.
 *
 * At a line there is time for one store only, of the time stamp; what it means was noted just before.
 */
#pragma once

#include "kernel/base/types.h"

/* Part of the process table. */
struct program_clock {
    u64 noted; /* program time ... */
    u64 stamp; /* ... at this time stamp, of a counter with so many ... */
    u64 hertz; /* ... a second */
    u64 line;  /* the time stamp at the line */
};

/* It goes on from the line. A stranger's numbers give some time, and nothing worse. */
void program_clock_start(const struct program_clock *saved);
/* A line is about to be drawn. */
void program_clock_note(struct program_clock *saved);
u64 program_clock(void);
