/*
 * The kernel heap, behind port_alloc() and port_free(): size classes up to a page, runs of frames
 * above, all in the direct map. Zeroed, aligned to 16 (to 4096 from 4096 bytes on).
 */
#pragma once

#include "kernel/base/types.h"

/* After paging_init(). Takes four bytes for each frame, to know the lengths of runs. */
void heap_init(void);

/* Not for interrupt handlers. */
[[nodiscard]] void *heap_alloc(size_t size); /* NULL: out of memory, or size 0 */
/* NULL is fine. Panics on what is not allocated, a second free included. */
void heap_free(void *memory);
u64 heap_used_bytes(void);
/* The most that was in use at once. */
u64 heap_most_bytes(void);
