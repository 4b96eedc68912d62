/*
 * The system calls of a program on the host: memory from the C library, up to a limit; the console is
 * a text that the test has written and one that the program does.
 */
#pragma once

#include "kernel/base/types.h"

/* No input, no output yet, and all memory may be taken that is left. */
void user_host_reset(void);
/* How much memory the program may still take. */
void user_host_limit(size_t bytes);
/* What the program reads, line by line; then there is no more. Borrowed. */
void user_host_input(const char *text);
/* All that the program has printed so far. */
const char *user_host_output(void);
