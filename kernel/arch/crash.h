/*
 * Ways to break down on purpose, for `crash KIND` in the shell and `crash=KIND` on the command line:
 * each shows that a protection or the panic path works.
 *
 *   panic      a plain panic
 *   triple     a reset by triple fault: nothing is flushed, nothing is said
 *   hang       interrupts off, for ever
 *   null       a read through a null pointer
 *   stack      endless recursion into the guard page
 *   smash      a local buffer overrun, for the stack protector
 *   text       a write to the kernel's code; text-alias: through the direct map
 *   constant   a write to a read-only constant
 *   execute    a jump into data
 *   divide     a division by zero
 */
#pragma once

#include "kernel/base/status.h"

/* Returns ERR_NOT_FOUND if there is no such kind, and OK only if a protection did not work. */
enum status crash(const char *kind);
