/*
 * Commands of the host, for tests that need a tool no helper has yet.
 */
#pragma once

#include "kernel/base/types.h"

/*
 * Runs a shell command with /usr/sbin on the path and returns what it printed (first 256 KiB, valid
 * until the next call). An exit code above `worst` ends the program with a message.
 */
const char *host_run(int worst, const char *format, ...) PRINTF_LIKE(2, 3);
