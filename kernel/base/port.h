/*
 * All that the portable code (base, block, fs, snapper) wants from outside.
 *
 * kernel/port_kernel.c binds it to the kernel, tests/ and snapper/host/ to the C library.
 * A platform choice is a choice of file, never an #ifdef.
 */
#pragma once

#include "kernel/base/stage.h"
#include "kernel/base/types.h"

/* `size` bytes, zeroed, aligned to 16; NULL only when memory is short, also for 0. Freed by port_free(). */
[[nodiscard]] void *port_alloc(size_t size);
void port_free(void *memory); /* NULL is fine */

/* Wall-clock time, UTC, in microseconds since 1970-01-01. May jump either way. */
u64 port_now_microseconds(void);

/* From here on work is done for this stage. What it was for until now: to go back to. */
enum stage port_stage(enum stage stage);

/* One finished log line without its newline. Use the macros of log.h. */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };
void port_log_line(enum log_level level, const char *line);

/* A programmer's mistake: report and stop. Never for bad input. */
_Noreturn void port_panic(const char *file, int line, const char *message);

/*
 * The raw registers of both CRCs over more bytes, as fast as this platform can; kernel/base/crc.h has
 * routines that run everywhere.
 */
u32 port_crc32(u32 crc, const void *data, size_t size);
u32 port_crc32c(u32 crc, const void *data, size_t size);
