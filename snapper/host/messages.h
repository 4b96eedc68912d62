/*
 * What snapctl says beside its answer: lines on standard error, and progress on a terminal.
 *
 * The portable code's log lines come out here too. Whoever fails and has seen no line yet adds one.
 */
#pragma once

#include "kernel/base/types.h"

/* Are log lines of level info shown as well? Returns what was so far. */
bool messages_set_verbose(bool verbose);
bool messages_are_verbose(void);

/* Log lines tell of a rehearsal: what they say was done was done in memory only. */
void messages_set_rehearsal(void);

/* "snapctl: ..." on standard error; complaints are counted. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);
void note(const char *format, ...) PRINTF_LIKE(1, 2);
u64 messages_complaints(void);

/*
 * "verb: 1234 of 16384 pages" in the last line of the terminal, from the second second on, not more
 * than ten times a second. Nothing if standard error is no terminal.
 */
void progress_begin(const char *what, const char *unit, u64 total);
void progress_step(u64 done);
void progress_end(void);
/* Before a line of the answer, which may go to the same terminal. */
void progress_erase(void);
/* The same for work that does not count its steps: requests to the disk are counted instead. */
void progress_begin_requests(const char *what);
void progress_request(void);
