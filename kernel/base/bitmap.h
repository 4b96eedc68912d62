/*
 * Bits in a byte array, bit n at byte n / 8, position n % 8: the layout of ext4's bitmaps.
 * All ranges are in bits and must lie inside the array.
 */
#pragma once

#include "kernel/base/types.h"

static inline bool bitmap_test(const u8 *bits, u64 at)
{
    return bits[at / 8] >> (at % 8) & 1;
}

static inline void bitmap_set(u8 *bits, u64 at)
{
    bits[at / 8] |= (u8)(1 << (at % 8));
}

static inline void bitmap_clear(u8 *bits, u64 at)
{
    bits[at / 8] &= (u8) ~(1 << (at % 8));
}

void bitmap_set_range(u8 *bits, u64 first, u64 count);
void bitmap_clear_range(u8 *bits, u64 first, u64 count);

/* The first clear (set) bit in [from, limit), or `limit`. Whole words at a time. */
u64 bitmap_find_clear(const u8 *bits, u64 from, u64 limit);
u64 bitmap_find_set(const u8 *bits, u64 from, u64 limit);

/* How many bits in [0, limit) are set. */
u64 bitmap_count(const u8 *bits, u64 limit);
