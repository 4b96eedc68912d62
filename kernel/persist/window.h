/*
 * The persistent window of the kernel (kernel/mm/layout.h): page space 0, bound to this machine.
 *
 * Its pages come to exist by page fault. Those that commands write on behalf of a user are asked for
 * with page_space_touch() first, so that "no memory left" is an answer and not a fault: a part of
 * memory is kept for the kernel's own needs, and only a fault in the kernel's objects may use it.
 */
#pragma once

#include "kernel/persist/page_space.h"

/* After paging_init() and frame_init(). The window is empty. */
void window_init(void);
/*
 * What had to come back is there: from now on the kernel's part is twice as large. The machine
 * that took the generation may have needed less for itself than this one while it resumes.
 */
void window_resumed(void);
struct page_space *window_space(void);
/* For spaces beside the window: the same frames, within the same limits. */
const struct page_machine *window_machine(void);

/* The number of the page at an address in the window. */
static inline u64 window_page(u64 address)
{
    return (address - PERSISTENT_BASE) / PAGE_SIZE;
}

/* Where the page is; touching it there may fault, and then makes it. */
void *window_address(u64 page);

/*
 * Who makes a page ready when a fault alone cannot: it is absent, or there is no room for it. As
 * persist_touch().
 */
void window_set_pager(enum status (*touch)(struct page_space *space, u64 page,
                                           enum page_access access));

/* Frames that pages of the window may still take. */
u64 window_frames_left(void);
/* All that are free, with the kernel's part. */
u64 window_frames_free(void);
