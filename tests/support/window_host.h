/*
 * The persistent window on the software MMU, with a clock that stands still: kernel/persist without a
 * machine.
 */
#pragma once

#include "kernel/persist/window.h"

/* A machine with so many frames, its window empty. */
void window_host_start(size_t frames);
/* The same, after the power was off: nothing is left of memory. */
void window_host_reboot(void);
/* Fails the test if frames have leaked. */
void window_host_stop(void);

/* Lets the timer run on. */
void window_host_pass(u64 microseconds);

/* A program's access to the window: an aligned word, with the faults that it takes. */
void window_host_write(u64 page, size_t offset, u64 value);
u64 window_host_read(u64 page, size_t offset);
