#include "kernel/mm/frame.h"

#include "kernel/arch/image.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/panic.h"
#include "kernel/base/checked.h"
#include "kernel/mm/frame_map.h"

/* The boot page tables reach this far; the map itself must lie below. */
#define BOOT_REACH (4 * GIB)

static struct frame_map map;
static u64 total;

void frame_init(const struct memory_range *ranges, size_t count)
{
    u64 image_limit = image_physical(image_end);
    u64 limit = frame_map_limit(ranges, count, FRAME_PHYSICAL_LIMIT);
    u64 map_frames = divide_up(frame_map_bytes(limit), PAGE_SIZE);
    u64 map_first;

    if (limit == 0 || frame_map_find_place(ranges, count, image_limit, BOOT_REACH,
                                           map_frames, &map_first) != OK)
        panic("frames: the memory map has no room for %lu frames of bookkeeping",
              map_frames);

    frame_map_init(&map, physical_to_virtual(map_first * PAGE_SIZE), limit, ranges,
                   count);
    frame_map_reserve(&map, 0, divide_up(image_limit, PAGE_SIZE));
    total = map.available;
    frame_map_reserve(&map, map_first, map_frames);
}

enum status frame_alloc(physical_address *frame)
{
    return frame_alloc_contiguous(1, frame);
}

enum status frame_alloc_contiguous(size_t count, physical_address *first)
{
    u64 number;
    bool enabled = interrupts_save();
    enum status status = frame_map_take(&map, count, &number);
    interrupts_restore(enabled);

    if (status == OK)
        *first = number * PAGE_SIZE;
    return status;
}

void frame_keep_runs_apart(void)
{
    enum { SHARE = 4 }; /* of memory; window.c keeps somewhat less for the kernel */
    u64 top = min_u64(map.limit, BOOT_REACH / PAGE_SIZE);

    map.runs_from = top - top / SHARE;
}

void frame_free(physical_address frame)
{
    frame_free_contiguous(frame, 1);
}

void frame_free_contiguous(physical_address first, size_t count)
{
    bool enabled = interrupts_save();
    bool given = first % PAGE_SIZE == 0 && frame_map_give(&map, first / PAGE_SIZE, count);
    interrupts_restore(enabled);
    if (!given)
        panic("frames: 0x%lx is freed but not in use", first);
}

u64 frame_total(void)
{
    return total;
}

u64 frame_available(void)
{
    return map.available;
}

u64 frame_limit(void)
{
    return map.limit;
}
