/*
 * The kernel's log and clock behind kernel/base/port.h, as far as others steer them.
 */
#pragma once

#include "kernel/log_ring.h"

/*
 * Who writes log lines to the console. The serial port at first; the line editor takes over to keep
 * them out of the line that is being typed. `text` is one line with its newline.
 */
void kernel_log_set_writer(void (*writer)(const char *text, size_t size));
/* Lines below this level go into the ring only. LOG_INFO at first. */
void kernel_log_set_level(enum log_level level);
const struct log_ring *kernel_log(void);

/* Sets the wall clock: `now` microseconds since 1970, from the RTC. */
void kernel_clock_set(u64 now_microseconds);
