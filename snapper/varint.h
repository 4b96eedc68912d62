/*
 * Numbers in as few bytes as they need: unsigned LEB128.
 *
 * Seven bits a byte, the lowest first; all bytes but the last have the top bit set. 300 is AC 02.
 * Each number has one encoding: a longer one than needed is refused.
 */
#pragma once

#include "kernel/base/types.h"

enum { VARINT_SIZE_MAX = 10 };

/* Writes at most VARINT_SIZE_MAX bytes; returns how many. */
size_t varint_put(u8 *to, u64 value);

/* Bytes not trusted, consumed from the front. */
struct byte_reader {
    const u8 *at;
    size_t left;
};

/* False, and nothing consumed: the bytes end too soon, more than 64 bits, or longer than needed. */
[[nodiscard]] bool varint_get(struct byte_reader *reader, u64 *value);
/* The next `size` bytes; NULL: there are not as many. */
[[nodiscard]] const u8 *bytes_get(struct byte_reader *reader, size_t size);
