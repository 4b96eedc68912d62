#include "kernel/base/bitmap.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/string.h"

/* Applies `set` or clear to a range: bits up to a byte, whole bytes, the remaining bits. */
void bitmap_set_range(u8 *bits, u64 first, u64 count)
{
    u64 limit = first + count;

    for (; first < limit && first % 8 != 0; first++)
        bitmap_set(bits, first);
    memset(bits + first / 8, 0xff, (limit - first) / 8);
    for (first += align_down(limit - first, 8); first < limit; first++)
        bitmap_set(bits, first);
}

void bitmap_clear_range(u8 *bits, u64 first, u64 count)
{
    u64 limit = first + count;

    for (; first < limit && first % 8 != 0; first++)
        bitmap_clear(bits, first);
    memset(bits + first / 8, 0, (limit - first) / 8);
    for (first += align_down(limit - first, 8); first < limit; first++)
        bitmap_clear(bits, first);
}

/* The first bit in [from, limit) that differs from `skipped` (0 or all ones). */
static u64 find(const u8 *bits, u64 from, u64 limit, u64 skipped)
{
    while (from < limit) {
        if (from % 8 == 0 && limit - from >= 64) {
            u64 word = get_le64(bits + from / 8) ^ skipped;
            if (word != 0)
                return from + (u64)__builtin_ctzll(word);
            from += 64;
        } else {
            if (bitmap_test(bits, from) != (skipped & 1))
                return from;
            from++;
        }
    }
    return limit;
}

u64 bitmap_find_clear(const u8 *bits, u64 from, u64 limit)
{
    return find(bits, from, limit, ~0ULL);
}

u64 bitmap_find_set(const u8 *bits, u64 from, u64 limit)
{
    return find(bits, from, limit, 0);
}

/* In parallel over pairs, nibbles, bytes; the kernel has no compiler library to call. */
static u64 count_word(u64 word)
{
    word -= word >> 1 & 0x5555555555555555ULL;
    word = (word & 0x3333333333333333ULL) + (word >> 2 & 0x3333333333333333ULL);
    word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
    return word * 0x0101010101010101ULL >> 56;
}

u64 bitmap_count(const u8 *bits, u64 limit)
{
    u64 count = 0;
    u64 at = 0;

    for (; limit - at >= 64; at += 64)
        count += count_word(get_le64(bits + at / 8));
    for (; at < limit; at++)
        count += bitmap_test(bits, at);
    return count;
}
