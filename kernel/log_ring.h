/*
 * The kernel's log: the newest lines in a ring of fixed size, whole lines only, the oldest dropped.
 * Not in the persistent window: it tells about this boot.
 */
#pragma once

#include "kernel/base/port.h"

enum { LOG_RING_SIZE = 32 * KIB, LOG_RING_LINE_MAX = 240 };

struct log_ring {
    u64 first; /* positions count all bytes ever written; offset = position % LOG_RING_SIZE */
    u64 end;
    char text[LOG_RING_SIZE];
};

/* Appends a line; what is longer than LOG_RING_LINE_MAX is cut. */
void log_ring_append(struct log_ring *ring, const char *line);

/* The position `lines` lines before the end, or the oldest. */
u64 log_ring_last(const struct log_ring *ring, size_t lines);

/*
 * Copies the line at *position into `line` and moves on; false at the end. A position whose line was
 * dropped meanwhile continues at the oldest.
 */
[[nodiscard]] bool log_ring_next(const struct log_ring *ring, u64 *position,
                                 char line[LOG_RING_LINE_MAX + 1]);
