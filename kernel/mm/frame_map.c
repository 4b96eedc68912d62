#include "kernel/mm/frame_map.h"

#include "kernel/base/bitmap.h"
#include "kernel/base/checked.h"
#include "kernel/base/string.h"

/* The whole frames inside a usable range, cut at `limit`; may be none. */
static u64 usable_frames(const struct memory_range *range, u64 limit, u64 *first)
{
    u64 end = min_u64((range->base + range->size) >> PAGE_SHIFT, limit);

    *first = divide_up(range->base, PAGE_SIZE);
    return *first < end ? end - *first : 0;
}

/* The frames that a range touches, cut at `limit`. */
static u64 touched_frames(const struct memory_range *range, u64 limit, u64 *first)
{
    u64 end = min_u64(divide_up(range->base + range->size, PAGE_SIZE), limit);

    *first = range->base >> PAGE_SHIFT;
    return *first < end ? end - *first : 0;
}

u64 frame_map_limit(const struct memory_range *ranges, size_t count, u64 physical_limit)
{
    u64 limit = 0;

    for (size_t i = 0; i < count; i++) {
        u64 first;
        u64 frames = usable_frames(&ranges[i], physical_limit >> PAGE_SHIFT, &first);
        if (ranges[i].usable && frames > 0)
            limit = max_u64(limit, first + frames);
    }
    return limit;
}

static u64 words_of(u64 limit)
{
    return divide_up(limit, 64);
}

size_t frame_map_bytes(u64 limit)
{
    return (size_t)(words_of(limit) + words_of(words_of(limit))) * 8;
}

/* FM2, after frames were taken. */
static void mark_full(struct frame_map *map, u64 first, u64 count)
{
    for (u64 word = first / 64; word <= (first + count - 1) / 64; word++)
        if (bitmap_find_clear(map->bits, word * 64, word * 64 + 64) == word * 64 + 64)
            bitmap_set(map->full, word);
}

/* FM2, after frames were given back. */
static void mark_not_full(struct frame_map *map, u64 first, u64 count)
{
    u64 word = first / 64;

    bitmap_clear_range(map->full, word, (first + count - 1) / 64 - word + 1);
}

/* The first available frame from `from` on, or the limit: a look at each 4,096 that are in use. */
static u64 find_available(const struct frame_map *map, u64 from)
{
    u64 end = min_u64(align_down(from, 64) + 64, map->limit);
    u64 found = from < end ? bitmap_find_clear(map->bits, from, end) : end;
    if (found < end || end == map->limit)
        return found;

    u64 words = words_of(map->limit);
    u64 word = bitmap_find_clear(map->full, end / 64, words);
    return word == words ? map->limit
                         : bitmap_find_clear(map->bits, word * 64, map->limit);
}

/* The first reserved range that touches [base, base + size). */
static const struct memory_range *reserved_conflict(const struct memory_range *ranges,
                                                    size_t count, u64 base, u64 size)
{
    for (size_t i = 0; i < count; i++) {
        if (!ranges[i].usable && ranges[i].base < base + size &&
            base < ranges[i].base + ranges[i].size)
            return &ranges[i];
    }
    return NULL;
}

enum status frame_map_find_place(const struct memory_range *ranges, size_t count,
                                 u64 floor, u64 ceiling, u64 frames, u64 *first)
{
    u64 size = frames * PAGE_SIZE;

    for (size_t i = 0; i < count; i++) {
        u64 end = min_u64(ranges[i].base + ranges[i].size, ceiling);
        u64 base = max_u64(ranges[i].base, floor);

        if (!ranges[i].usable || base >= end)
            continue;
        base = align_up(base, PAGE_SIZE);
        /* Each reserved range is stepped over at most once: the base only grows. */
        for (size_t step = 0; step <= count && range_inside(base, size, end); step++) {
            const struct memory_range *conflict =
                reserved_conflict(ranges, count, base, size);
            if (!conflict) {
                *first = base >> PAGE_SHIFT;
                return OK;
            }
            u64 after = min_u64(conflict->base + conflict->size, end);
            base = align_up(after, PAGE_SIZE);
        }
    }
    return ERR_NO_MEMORY;
}

void frame_map_init(struct frame_map *map, u8 *bits, u64 limit,
                    const struct memory_range *ranges, size_t count)
{
    u64 first;

    *map = (struct frame_map){
        .bits = bits,
        .full = bits + words_of(limit) * 8,
        .limit = limit,
    };
    memset(bits, 0xff, frame_map_bytes(limit));
    for (size_t i = 0; i < count; i++) {
        u64 frames = usable_frames(&ranges[i], limit, &first);
        if (ranges[i].usable && frames > 0)
            bitmap_clear_range(bits, first, frames);
    }
    for (size_t i = 0; i < count; i++) {
        u64 frames = touched_frames(&ranges[i], limit, &first);
        if (!ranges[i].usable && frames > 0)
            bitmap_set_range(bits, first, frames);
    }
    memset(map->full, 0, words_of(words_of(limit)) * 8);
    if (limit > 0)
        mark_full(map, 0, limit);
    map->available = limit - bitmap_count(bits, limit);
}

void frame_map_reserve(struct frame_map *map, u64 first, u64 count)
{
    if (first >= map->limit || count == 0)
        return;
    count = min_u64(count, map->limit - first);
    bitmap_set_range(map->bits, first, count);
    mark_full(map, first, count);
    map->available = map->limit - bitmap_count(map->bits, map->limit);
}

/* The lowest run at or above `start`, which is available; `limit`: there is none. */
static u64 find_run(const struct frame_map *map, u64 start, u64 count)
{
    while (range_inside(start, count, map->limit)) {
        u64 end = bitmap_find_set(map->bits, start, start + count);
        if (end == start + count)
            return start;
        start = find_available(map, end);
    }
    return map->limit;
}

enum status frame_map_take(struct frame_map *map, u64 count, u64 *first)
{
    u64 start = map->limit;
    if (count == 0 || count > map->available)
        return ERR_NO_MEMORY;

    map->search_from = find_available(map, map->search_from);
    if (count > 1 && map->runs_from > map->search_from)
        start = find_run(map, find_available(map, map->runs_from), count);
    if (start == map->limit)
        start = find_run(map, map->search_from, count);
    if (start == map->limit)
        return ERR_NO_MEMORY;

    bitmap_set_range(map->bits, start, count);
    mark_full(map, start, count);
    map->available -= count;
    if (start == map->search_from)
        map->search_from = start + count;
    *first = start;
    return OK;
}

bool frame_map_give(struct frame_map *map, u64 first, u64 count)
{
    if (count == 0 || !range_inside(first, count, map->limit))
        return false;
    if (bitmap_find_clear(map->bits, first, first + count) != first + count)
        return false;

    bitmap_clear_range(map->bits, first, count);
    mark_not_full(map, first, count);
    map->available += count;
    map->search_from = min_u64(map->search_from, first);
    return true;
}
