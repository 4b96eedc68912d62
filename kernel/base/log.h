/*
 * Log lines and assertions for all code.
 *
 *   log_error("ext4: inode %u: bad checksum", number);
 *
 * One line each: kind, place, value. The text is built with format.h and handed to
 * port_log_line(). `assert` means a programmer's mistake, never a bad disk.
 */
#pragma once

#include "kernel/base/port.h"

void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)

#define ASSERT(condition)                                                                \
    ((condition) ? (void)0                                                               \
                 : port_panic(__FILE__, __LINE__, "assertion failed: " #condition))
