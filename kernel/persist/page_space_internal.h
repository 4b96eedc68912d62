/*
 * The bits and the walk, shared by page_space.c, fault.c and dirty.c. Invariants (I) and TLB rules
 * (T) are numbered in page_space.h.
 */
#pragma once

#include "kernel/persist/page_space.h"

#define PAGE_SOFTWARE_WRITABLE PTE_SOFTWARE_0 /* S, in leaves */
#define PAGE_OPENED PTE_SOFTWARE_0            /* O, in upper entries */
#define PAGE_TO_HARVEST PTE_SOFTWARE_1        /* H, in upper entries */
#define PAGE_LISTED PTE_SOFTWARE_2            /* L, in leaves */

static inline u32 top_index(u64 page)
{
    return (u32)(page >> 18);
}

static inline u32 middle_index(u64 page)
{
    return (u32)(page >> 9) % TABLE_ENTRIES;
}

static inline u32 leaf_index(u64 page)
{
    return (u32)page % TABLE_ENTRIES;
}

static inline u64 page_number(u32 top, u32 middle, u32 leaf)
{
    return (u64)top << 18 | (u64)middle << 9 | leaf;
}

static inline u64 page_address(const struct page_space *space, u64 page)
{
    return space->base + page * PAGE_SIZE;
}

static inline physical_address entry_frame(page_entry entry)
{
    return entry & PTE_ADDRESS_MASK;
}

static inline page_entry *entry_table(const struct page_space *space, page_entry entry)
{
    return space->machine->frame_memory(entry_frame(entry));
}

/* The device, or Snapper, has the frames of listed leaves. */
static inline bool is_in_flight(const struct page_space *space)
{
    return space->phase == SPACE_HARVESTING || space->phase == SPACE_IN_FLIGHT;
}

/* The leaf entry of the page, or NULL while no table holds one. The page must be in the space. */
page_entry *page_space_leaf(const struct page_space *space, u64 page);

/* page_space_enter() and page_space_demarcate() inside a section. */
void page_space_catch_up(struct page_space *space);
/* Install inside a section. */
enum status page_space_put(struct page_space *space, u64 page, physical_address frame);

/* PAGE_NONE outside the space. */
enum page_rights page_space_rights(const struct page_space *space, u64 page);

/*
 * Takes W from the entries, one instruction each, whatever their state: O remembers what W said of an
 * upper one. By groups of 16: what a table has behind `count` is zero.
 */
void page_space_close(page_entry *table, u32 count);
/* The leaf joins the set, if it is not there yet; the caller invalidates its page (T2). */
void page_space_take(struct page_space *space, u64 page, page_entry *leaf);
/* The harvest of one leaf table. */
void page_space_harvest_table(struct page_space *space, u32 top, u32 middle);
