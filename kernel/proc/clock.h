/*
 * Time for programs: microseconds over all lives of this memory, monotonic. While no machine runs it,
 * it stands still.
 */
#pragma once

#include "kernel/base/types.h"

/* It goes on from `microseconds`, the time at the line of the generation that was resumed. */
void program_clock_start(u64 microseconds);
u64 program_clock(void);
