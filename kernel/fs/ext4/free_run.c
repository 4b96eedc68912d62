#include "kernel/base/bitmap.h"
#include "kernel/fs/ext4/allocate.h"

struct ext4_block_run
ext4_find_free_run(const u8 *bits, u64 from, u64 limit, u64 wanted,
                   bool (*is_excluded)(const void *context, u64 bit), const void *context)
{
    struct ext4_block_run best = { 0, 0 };
    u64 at = from;
    while (best.count < wanted) {
        at = bitmap_find_clear(bits, at, limit);
        if (at >= limit)
            break;
        u64 end = bitmap_find_set(bits, at, limit);
        if (end - at > wanted)
            end = at + wanted;
        u64 first = at;
        while (is_excluded && at < end && !is_excluded(context, at))
            at++;
        if (!is_excluded)
            at = end;
        if (at - first > best.count)
            best = (struct ext4_block_run){ first, at - first };
        if (at < end)
            at++; /* past the excluded bit */
    }
    return best;
}
