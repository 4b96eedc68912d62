/*
 * A CPU's memory management in software: page tables of three levels in a pool of frames, walked on
 * each access that the TLB does not answer, with A and D bits set and faults raised as x86 does.
 *
 * It is as forgetful as the architecture allows and no more: translations stay in the TLB with the
 * rights and the D bit that they had, upper entries stay in a cache of their own, both until they
 * are invalidated. A fault forgets the page that faulted. So a missing invalidation shows.
 */
#pragma once

#include "kernel/persist/page_space.h"

enum { SOFT_MMU_GIB = 3, SOFT_MMU_USER_GIB = 1 };
#define SOFT_MMU_BASE PERSISTENT_BASE /* of the window, which is always there */
#define SOFT_MMU_USER_BASE 0          /* of what soft_mmu_load() has put there */

/* There is one, because the machine interface has no context, like the real one. */
void soft_mmu_start(size_t frames);
void soft_mmu_stop(void);

const struct page_machine *soft_mmu_machine(void);
page_entry *soft_mmu_top(void);
size_t soft_mmu_frames_used(void);
size_t soft_mmu_frames_left(void);
/* frame_alloc fails while true. */
void soft_mmu_refuse_frames(bool refuse);

/*
 * Called wherever another context may come in: after each outermost section. NULL: nobody does. While
 * it runs it is not called again.
 */
void soft_mmu_set_between(void (*between)(void *context), void *context);

enum { SOFT_MMU_OK, SOFT_MMU_READ_FAULT, SOFT_MMU_WRITE_FAULT, SOFT_MMU_FETCH_FAULT };
/* One aligned access of the CPU, by page number and offset in the page. */
int soft_mmu_read(u64 page, size_t offset, u64 *value);
int soft_mmu_write(u64 page, size_t offset, u64 value);

/* Another table for user addresses, a page of entries, as a new CR3 would bring. NULL: none. */
void soft_mmu_load(page_entry *top);
/* The same accesses in ring 3, to user addresses. */
int soft_mmu_user_read(u64 page, size_t offset, u64 *value);
int soft_mmu_user_write(u64 page, size_t offset, u64 value);
int soft_mmu_user_fetch(u64 page);

/* How often page tables were entered by frame_memory() since the start. */
u64 soft_mmu_looks_at(physical_address frame);
