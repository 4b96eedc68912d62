/*
 * Arithmetic on numbers that came from outside: each returns true and writes `result` only
 * if the exact result fits, so `if (!checked_add(a, b, &sum)) return ERR_CORRUPT;`.
 */
#pragma once

#include "kernel/base/types.h"

[[nodiscard]] static inline bool checked_add(u64 a, u64 b, u64 *result)
{
    u64 sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *result = sum;
    return true;
}

[[nodiscard]] static inline bool checked_multiply(u64 a, u64 b, u64 *result)
{
    u64 product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *result = product;
    return true;
}

/* Does [first, first + count) lie inside [0, limit)? */
[[nodiscard]] static inline bool range_inside(u64 first, u64 count, u64 limit)
{
    return first <= limit && count <= limit - first;
}

static inline u64 min_u64(u64 a, u64 b)
{
    return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
    return a > b ? a : b;
}

static inline size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* `a / b` rounded up; b is never zero. */
static inline u64 divide_up(u64 a, u64 b)
{
    return a / b + (a % b != 0);
}

/* Rounded to a multiple of `unit`, a power of two. */
static inline u64 align_down(u64 value, u64 unit)
{
    return value & ~(unit - 1);
}

static inline u64 align_up(u64 value, u64 unit)
{
    return align_down(value + unit - 1, unit);
}
