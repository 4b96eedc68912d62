/*
 * The memory of processes: for each a page space behind top-level tables of its own, with the rights
 * that the regions of its process say. What is not in a region cannot come to exist.
 */
#pragma once

#include "kernel/persist/spaces.h"
#include "kernel/proc/process.h"

/*
 * The process has memory from here on: none, or what the resumed generation holds under the number of
 * its space. Its regions may change later, but not the rights of a page that exists. ERR_NO_MEMORY.
 */
enum status space_open(struct process *process, enum space_origin origin);
/* All its pages are gone, and the next generation forgets them. */
void space_close(const struct process *process);
bool space_is_open(const struct process *process);

/* Makes it the memory of ring 3. */
void space_load(const struct process *process);

/*
 * Makes the page at `address` ready for the access. ERR_INVALID_ARGUMENT: no such page; ERR_READ_ONLY:
 * not for this kind of access; ERR_BUSY: it is being brought, or room is made for it: ask again after
 * persist_poll(). Any other error: it cannot be had.
 */
enum status space_touch(const struct process *process, u64 address,
                        enum page_access access);
/* The same for all pages of a range, in the order of their addresses. */
enum status space_touch_range(const struct process *process, u64 address, u64 size,
                              enum page_access access);
/* Writes whatever the rights say, loaded or not. */
enum status space_fill(const struct process *process, u64 address, const void *data,
                       size_t size);

/* NULL: it has none. */
struct page_space *space_pages(const struct process *process);
/* X3: all tables of all processes; adds to the report. */
void space_check_all(struct paging_report *report);
u64 space_page_count(const struct process *process); /* in memory */
