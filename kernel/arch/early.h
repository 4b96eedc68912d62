/*
 * Output and exit for as long as the drivers are not there: COM1 polled, isa-debug-exit.
 */
#pragma once

#include "kernel/base/types.h"

void early_write(const char *text, size_t size);

enum early_exit { EARLY_EXIT_OFF = 0x10, EARLY_EXIT_PANIC = 0x11 };
_Noreturn void early_exit(enum early_exit value);
