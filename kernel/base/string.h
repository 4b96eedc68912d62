/*
 * Memory and text. The mem* and str* functions are the C library's, with its semantics: the
 * host links its own, the kernel links kernel/base/string.c. The text_* ones are ours.
 */
#pragma once

#include "kernel/base/types.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);
char *strchr(const char *text, int character);

/* Copies with a terminator; false (and an empty `to`) if it does not fit in `size`. */
[[nodiscard]] bool text_copy(char *to, size_t size, const char *from);
bool text_starts_with(const char *text, const char *prefix);
bool text_equal(const char *a, const char *b);

/*
 * The whole of `text` as a number: decimal, or hexadecimal after "0x". False on an empty text,
 * a foreign character or overflow.
 */
[[nodiscard]] bool text_to_u64(const char *text, u64 *value);
/* Exactly `length` digits of base 10 or 16 at `text`, no terminator needed. */
[[nodiscard]] bool digits_to_u64(const char *text, size_t length, unsigned base,
                                 u64 *value);

/* Is every one of the `size` bytes zero? */
bool memory_is_zero(const void *data, size_t size);
