/*
 * Physical memory in frames of 4 KiB. All RAM is reachable through the direct map. A page fault may
 * take frames, so each call turns interrupts off for its while.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"
#include "kernel/mm/layout.h"

typedef u64 physical_address;

/*
 * Takes over the usable ranges, up to FRAME_PHYSICAL_LIMIT, without the first MiB and the kernel image.
 * Panics if they hold no memory to work with. Before paging_init(), which wants frames.
 */
struct memory_range;
#define FRAME_PHYSICAL_LIMIT (64 * GIB)
void frame_init(const struct memory_range *ranges, size_t count);

/* A frame; its content is whatever was there. ERR_NO_MEMORY. Not for interrupt handlers. */
enum status frame_alloc(physical_address *frame);
/* `count` contiguous ones, for device queues. */
enum status frame_alloc_contiguous(size_t count, physical_address *first);
/*
 * Runs come from the top of memory from now on, single frames from below. After paging_init(), which can
 * not reach all of it.
 */
void frame_keep_runs_apart(void);
/* Panics if it is not in use. */
void frame_free(physical_address frame);
void frame_free_contiguous(physical_address first, size_t count);

u64 frame_total(void); /* frames of usable RAM, the image's not counted */
u64 frame_available(void);
u64 frame_limit(void); /* all frame numbers are below */

static inline void *physical_to_virtual(physical_address address)
{
    return (void *)(DIRECT_MAP_BASE + address);
}

/*
 * The physical address of any mapped kernel address (direct map, image, heap, stack, persistent
 * window), by walking the page tables where needed; panics on an unmapped one.
 */
physical_address virtual_to_physical(const void *address);
