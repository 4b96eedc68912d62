/*
 * Which frames are in use: one bit each, set = not available.
 *
 * Knows nothing of the machine, so it runs on the host as well. Frame numbers are physical
 * addresses divided by PAGE_SIZE.
 *
 * FM1: every frame below `search_from` is in use.
 * FM2: `full` has a bit set for each 64 frames that are all in use (those behind the limit count as such).
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/mm/memory_range.h"

struct frame_map {
    u8 *bits;        /* frame_map_bytes(), borrowed */
    u8 *full;        /* FM2; behind them */
    u64 limit;       /* frames */
    u64 search_from; /* FM1 */
    u64 runs_from;   /* runs are sought from here on first; 0: nowhere apart */
    u64 available;
};

/* The first frame number above all usable memory below `physical_limit` (bytes). */
u64 frame_map_limit(const struct memory_range *ranges, size_t count, u64 physical_limit);
/* What the map needs for so many frames. */
size_t frame_map_bytes(u64 limit);

/*
 * `count` contiguous frames of usable memory at or above `floor` (bytes) and below `ceiling`, before
 * there is a map: for the map itself.
 */
enum status frame_map_find_place(const struct memory_range *ranges, size_t count,
                                 u64 floor, u64 ceiling, u64 frames, u64 *first);

/* Whole usable frames become available; a frame that a reserved range touches does not. */
void frame_map_init(struct frame_map *map, u8 *bits, u64 limit,
                    const struct memory_range *ranges, size_t count);
/* Takes the frames out; some may be in use already. */
void frame_map_reserve(struct frame_map *map, u64 first, u64 count);

/*
 * The lowest `count` contiguous available frames; several of them from `runs_from` on, if there are any,
 * where single ones come last: so they do not cut the room for runs to pieces. ERR_NO_MEMORY.
 */
enum status frame_map_take(struct frame_map *map, u64 count, u64 *first);
/* False, and nothing changed, if one of them is not in use or out of range. */
[[nodiscard]] bool frame_map_give(struct frame_map *map, u64 first, u64 count);
