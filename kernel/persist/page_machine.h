/*
 * What the page spaces want from the machine: frames, a way to look into them, and the TLB.
 *
 * The kernel binds it to frames, the direct map and INVLPG (machine_kernel.c); the unit tests bind
 * it to a software MMU that keeps a TLB of its own, so that a missing invalidation is noticed.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/mm/frame.h"

struct page_machine {
    /* ERR_NO_MEMORY also while frames are left that the kernel keeps for its own needs. */
    enum status (*frame_alloc)(physical_address *frame);
    void (*frame_free)(physical_address frame);
    /* Where the frame can be read and, by a pager, be filled. Never through a window address. */
    void *(*frame_memory)(physical_address frame);
    /* Forgets what the CPU remembers about the page at this address, upper entries included. */
    void (*invalidate)(u64 address);
    /* Forgets all that is not global. */
    void (*reload)(void);
    /* 4 KiB from one frame's memory to another's. */
    void (*copy_page)(void *to, const void *from);
    /*
     * A section: nothing else runs on this CPU until its end. Short, and may nest; the answer of
     * the beginning is for the end.
     */
    bool (*begin_section)(void);
    void (*end_section)(bool outer);
};
