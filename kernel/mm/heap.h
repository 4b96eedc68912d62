/*
 * The kernel heap, behind port_alloc() and port_free(): size classes up to a page, runs of frames
 * above, all in the direct map. Zeroed, aligned to 16 (to 4096 from 4096 bytes on).
 */
#pragma once

#include "kernel/base/types.h"

[[nodiscard]] void *heap_alloc(size_t size); /* NULL: out of memory, or size 0 */
void heap_free(void *memory);
u64 heap_used_bytes(void);
