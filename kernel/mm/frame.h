/*
 * Physical memory in frames of 4 KiB. All RAM is reachable through the direct map.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"
#include "kernel/mm/layout.h"

typedef u64 physical_address;

/* A frame; its content is whatever was there. ERR_NO_MEMORY. */
enum status frame_alloc(physical_address *frame);
/* `count` contiguous ones, for device queues. */
enum status frame_alloc_contiguous(size_t count, physical_address *first);
void frame_free(physical_address frame);

u64 frame_total(void); /* frames of usable RAM */
u64 frame_available(void);

static inline void *physical_to_virtual(physical_address address)
{
    return (void *)(DIRECT_MAP_BASE + address);
}

/*
 * The physical address of any mapped kernel address (direct map, image, heap, stack, persistent
 * window), by walking the page tables where needed; panics on an unmapped one.
 */
physical_address virtual_to_physical(const void *address);
