/*
 * The end of the line: reports on the console what happened, with registers, backtrace and the last
 * log lines, then ends the machine (exit code 35 under QEMU's isa-debug-exit).
 *
 * Demanded by arch and mm, provided by kernel/panic.c. For programmers' mistakes and broken hardware,
 * never for bad input.
 */
#pragma once

#include "kernel/base/types.h"

_Noreturn void panic(const char *format, ...) PRINTF_LIKE(1, 2);

struct trap_frame;
/* An exception that nothing resolves; `reason` may be NULL. */
_Noreturn void panic_trap(const struct trap_frame *frame, const char *reason);
