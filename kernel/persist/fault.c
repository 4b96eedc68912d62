/*
 * How a page becomes readable and writable: made on first touch, its tables opened one level at a
 * time, copied while it is in flight. Invariants (I) and TLB rules (T): page_space.h.
 */
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/persist/page_space.h"
#include "kernel/persist/page_space_internal.h"

static enum status make_zero_page(struct page_space *space, u64 page)
{
    physical_address frame;
    enum status status = space->machine->frame_alloc(&frame);
    if (status)
        return status;

    memset(space->machine->frame_memory(frame), 0, PAGE_SIZE);
    status = page_space_put(space, page, frame);
    if (status)
        space->machine->frame_free(frame);
    return status;
}

/* I2 becomes I3: the children are closed in turn. False: it was open. */
static bool open_entry(struct page_space *space, page_entry *entry)
{
    if (*entry & PTE_WRITABLE)
        return false;
    if (*entry & PAGE_OPENED) {
        page_space_close(entry_table(space, *entry), TABLE_ENTRIES); /* T8 */
        *entry |= PAGE_TO_HARVEST;
    }
    *entry |= PTE_WRITABLE | PAGE_OPENED;
    return true;
}

/*
 * Opens the two upper entries of the page, from the top; T4 gives the order in each step. What was
 * written before the line stays where it is, for the walk to take. False: both were open.
 */
static bool open_path(struct page_space *space, u64 page)
{
    page_entry *upper = &space->top[top_index(page)];
    bool was_closed = open_entry(space, upper);

    space->opened |= was_closed;
    page_entry *lower = &entry_table(space, *upper)[middle_index(page)];
    return open_entry(space, lower) || was_closed;
}

/* I4: the record keeps the old frame, the writer goes on with a copy that is not listed. */
static enum status copy_in_flight(struct page_space *space, page_entry *leaf)
{
    physical_address frame;
    enum status status = space->machine->frame_alloc(&frame);
    if (status)
        return status;

    space->machine->copy_page(space->machine->frame_memory(frame),
                              space->machine->frame_memory(entry_frame(*leaf)));
    /* Dirty even if the writer does not come to write: the generation may still fail. */
    *leaf = (*leaf & ~(PTE_ADDRESS_MASK | PAGE_LISTED)) | frame | PTE_DIRTY;
    space->counters.copied++;
    return OK;
}

/*
 * I3: what a table that was opened before its harvest still has of the page must be in the set before
 * the page changes. Of a leaf without S nothing would tell the two apart afterwards, so its whole table
 * is harvested: only an alias comes here for one.
 */
static void take_before_write(struct page_space *space, u64 page)
{
    page_entry lower =
        entry_table(space, space->top[top_index(page)])[middle_index(page)];
    if (!(lower & PAGE_TO_HARVEST))
        return;

    page_entry *leaf = page_space_leaf(space, page);
    if (!(*leaf & PAGE_SOFTWARE_WRITABLE))
        page_space_harvest_table(space, top_index(page), middle_index(page));
    else if ((*leaf & (PTE_DIRTY | PTE_WRITABLE)) == PTE_DIRTY)
        page_space_take(space, page, leaf);
}

/*
 * All that a write needs but the right to it: tables open, nothing of the page in flight. A leaf with
 * S gets W.
 */
static enum status prepare_write(struct page_space *space, u64 page)
{
    bool was_closed = open_path(space, page);
    take_before_write(space, page);
    page_entry *leaf = page_space_leaf(space, page);
    enum status status = OK;
    if (*leaf & PTE_WRITABLE)
        space->counters.spurious += !was_closed; /* T5 */
    else if (is_in_flight(space) && *leaf & PAGE_LISTED)
        status = copy_in_flight(space, leaf);
    if (status == OK && *leaf & PAGE_SOFTWARE_WRITABLE)
        *leaf |= PTE_WRITABLE; /* I5 */

    space->machine->invalidate(page_address(space, page)); /* T2, T3, T4, T5 */
    return status;
}

static enum status make_exist(struct page_space *space, u64 page)
{
    if (page >= space->limit)
        return ERR_INVALID_ARGUMENT;

    page_space_catch_up(space);
    space->counters.faults++;
    if (page_space_has(space, page))
        return OK;
    return page_space_is_absent(space, page) ? ERR_BUSY : make_zero_page(space, page);
}

/* The leaf says what the policy said when the page came to exist. */
static bool permits(page_entry leaf, enum page_access access)
{
    switch (access) {
    case PAGE_WRITE:
        return leaf & PAGE_SOFTWARE_WRITABLE;
    case PAGE_EXECUTE:
        return !(leaf & PTE_NO_EXECUTE);
    default:
        return true;
    }
}

static enum status touch(struct page_space *space, u64 page, enum page_access access)
{
    enum status status = make_exist(space, page);
    if (status)
        return status;
    if (!permits(*page_space_leaf(space, page), access))
        return ERR_READ_ONLY;
    if (access == PAGE_WRITE)
        return prepare_write(space, page);
    space->machine->invalidate(page_address(space, page)); /* T5 */
    return OK;
}

enum status page_space_touch(struct page_space *space, u64 page, enum page_access access)
{
    bool outer = space->machine->begin_section();
    enum status status = touch(space, page, access);
    space->machine->end_section(outer);
    return status;
}

static enum status alias(struct page_space *space, u64 page, void **memory)
{
    enum status status = make_exist(space, page);
    if (status == OK)
        status = prepare_write(space, page);
    if (status)
        return status;

    page_entry *leaf = page_space_leaf(space, page);
    *leaf |= PTE_DIRTY;
    *memory = space->machine->frame_memory(entry_frame(*leaf));
    return OK;
}

enum status page_space_alias(struct page_space *space, u64 page, void **memory)
{
    bool outer = space->machine->begin_section();
    enum status status = alias(space, page, memory);
    space->machine->end_section(outer);
    return status;
}
