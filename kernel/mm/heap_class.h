/*
 * Size classes of the heap, and the slab: one page of equal slots behind a small header.
 *
 *   offset 0             64                                      4096
 *          | struct slab | slot | slot | slot | ...    | unused |
 *
 * Knows nothing of frames or addresses, so it runs on the host as well.
 */
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/types.h"

enum { HEAP_CLASS_COUNT = 14, SLAB_HEADER_SIZE = 64, SLAB_BITMAP_WORDS = 4 };

struct slab {
    struct list_link link; /* in its class's list while it has a free slot */
    u32 magic;
    u16 slot_size;
    u16 class_index;
    u16 used;
    u16 slots;
    u64 taken[SLAB_BITMAP_WORDS]; /* bit n: slot n is in use */
};
_Static_assert(sizeof(struct slab) <= SLAB_HEADER_SIZE, "the header holds it");

/* The class whose slots hold `size` bytes, or HEAP_CLASS_COUNT if it needs whole pages. */
u16 heap_class_of(size_t size);
u16 heap_class_slot_size(u16 class_index);

/* Turns a page into an empty slab. */
struct slab *slab_init(void *page, u16 class_index);
/* A free slot; the slab must have one. */
void *slab_take(struct slab *slab);
/* False, and nothing changed, if `memory` is not a slot in use of a slab. */
[[nodiscard]] bool slab_give(struct slab *slab, void *memory);

static inline bool slab_is_full(const struct slab *slab)
{
    return slab->used == slab->slots;
}
