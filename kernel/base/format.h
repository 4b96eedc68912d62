/*
 * Text from values: the printf subset that this project uses, without a C library.
 *
 *   %d %i %u %x %X %c %s %p %%    flags - 0 #, width and precision (also *), h hh l ll z
 *
 * Always terminates within `size` (if size > 0) and returns the length that the whole text
 * has, like snprintf().
 */
#pragma once

#include "kernel/base/types.h"

size_t format_text(char *to, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
size_t format_text_list(char *to, size_t size, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);
