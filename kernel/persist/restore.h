/*
 * Pages come back from a generation into a page space: one at a time by number, as a fault will ask
 * for them, or all at once before anything runs.
 *
 * A page comes back with exactly the bytes that its generation holds, and clean; or it does not come
 * back and the caller is told. Zeros never stand in for something lost.
 */
#pragma once

#include "kernel/persist/page_space.h"
#include "snapper/snapper.h"

struct restore {
    struct page_space *space;
    u64 space_number; /* the upper part of the object ids */
    struct snapper_view *view;
};

/*
 * ERR_NOT_FOUND: the generation has no such page; ERR_EXISTS: it is back already; ERR_INTEGRITY,
 * ERR_CORRUPT: it has, but not its bytes; ERR_NO_MEMORY.
 */
enum status restore_page(const struct restore *restore, u64 page);

/*
 * All that the generation holds. ERR_UNSUPPORTED: objects that are no pages of this space. On error
 * some pages are back: the caller resets the space. `pages` counts, ERR_EXISTS not included.
 */
enum status restore_all(const struct restore *restore, u64 *pages);
