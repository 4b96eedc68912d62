/*
 * The life of a generation inside a page space: the line, the harvest behind it, the end.
 * Invariants (I) and TLB rules (T): page_space.h.
 */
#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/persist/page_space.h"
#include "kernel/persist/page_space_internal.h"

bool page_space_is_dirty(const struct page_space *space)
{
    return space->opened || space->set.count || space->forgotten.count ||
           space->forgetting.count;
}

static u64 count_written_leaves(const page_entry *leaves)
{
    u64 count = 0;

    for (u32 i = 0; i < TABLE_ENTRIES; i++)
        count += leaves[i] & PTE_DIRTY && !(leaves[i] & PAGE_LISTED);
    return count;
}

u64 page_space_count_dirty(const struct page_space *space)
{
    u64 count = space->set.count;

    for (u32 i = 0; space->opened && i < space->top_entries; i++) {
        if (!(space->top[i] & PTE_WRITABLE))
            continue;
        const page_entry *table = entry_table(space, space->top[i]);
        for (u32 j = 0; j < TABLE_ENTRIES; j++)
            if (table[j] & PTE_WRITABLE)
                count += count_written_leaves(entry_table(space, table[j]));
    }
    return count;
}

/* False: the record means no page that is there, and can go. */
static bool refresh_record(struct page_space *space, struct page_record *record)
{
    page_entry *leaf = page_space_leaf(space, record->page);

    if (!(*leaf & PTE_PRESENT) || !(*leaf & PAGE_LISTED))
        return false;
    /* I4: what no walk will visit, because it was not written again, is closed here. */
    *leaf &= ~PTE_WRITABLE;
    space->machine->invalidate(page_address(space, record->page)); /* T2 */
    record->frame = entry_frame(*leaf);
    return true;
}

/*
 * After an abort the set stands for pages that may have been released since, and made anew; a leaf
 * that is not listed is not what the record meant.
 */
static void refresh_set(struct page_space *space)
{
    struct page_cursor from = {}, to = {};
    u64 kept = 0;

    for (struct page_record *record; (record = page_set_next(&space->set, &from));) {
        bool outer = space->machine->begin_section();
        if (refresh_record(space, record)) {
            *page_set_next(&space->set, &to) = *record;
            kept++;
        }
        space->machine->end_section(outer);
    }
    page_set_truncate(&space->set, kept);
}

/* Makes the pages of an aborted generation's list forgotten ones again. */
static enum status refresh_forgotten(struct page_space *space)
{
    size_t cursor = 0;
    enum status status = OK;

    for (u64 page, value;
         status == OK && map_next(&space->forgetting, &cursor, &page, &value);) {
        bool outer = space->machine->begin_section();
        status = map_set(&space->forgotten, page, value);
        space->machine->end_section(outer);
    }
    if (status)
        return status;
    bool outer = space->machine->begin_section();
    map_clear(&space->forgetting);
    space->machine->end_section(outer);
    return OK;
}

enum status page_space_prepare(struct page_space *space)
{
    ASSERT(space->phase == SPACE_IDLE);

    enum status status = refresh_forgotten(space);
    if (status == OK)
        refresh_set(space);
    return status;
}

void page_space_close(page_entry *table, u32 count)
{
    enum { GROUP = 16 };
    page_entry *end = table + align_up(count, GROUP);

    for (page_entry *group = table; group < end; group += GROUP)
#pragma GCC unroll 16
        for (u32 i = 0; i < GROUP; i++)
            group[i] &= ~PTE_WRITABLE;
}

static void demarcate(struct page_space *space)
{
    ASSERT(space->phase == SPACE_IDLE && space->forgetting.count == 0);

    struct map empty = space->forgetting;
    space->forgetting = space->forgotten;
    space->forgotten = empty;
    space->phase = SPACE_IN_FLIGHT;
    space->counters.entries_read = 0;
    if (!space->opened)
        return;
    space->phase = SPACE_HARVESTING;
    space->harvest_top = space->harvest_middle = 0;

    page_space_close(space->top, space->top_entries);
    space->counters.entries_read += space->top_entries;
    space->opened = false;
    space->machine->reload(); /* T6 */
}

void page_space_demarcate(struct page_space *space)
{
    bool outer = space->machine->begin_section();
    demarcate(space);
    space->machine->end_section(outer);
}

void page_space_catch_up(struct page_space *space)
{
    if (!space->line || space->last_line == *space->line)
        return;
    space->last_line = *space->line;
    demarcate(space);
}

void page_space_enter(struct page_space *space)
{
    bool outer = space->machine->begin_section();
    page_space_catch_up(space);
    space->machine->end_section(outer);
}

/* The leaves of a table that lost D and W. Beyond so many, all is invalidated at once. */
enum { CLOSED_MAX = 16 };
struct closed_leaves {
    u32 count;
    u32 index[CLOSED_MAX];
};

static void invalidate_closed(const struct page_space *space, u64 first_page,
                              const struct closed_leaves *closed)
{
    if (closed->count > CLOSED_MAX) {
        space->machine->reload();
        return;
    }
    for (u32 i = 0; i < closed->count; i++)
        space->machine->invalidate(page_address(space, first_page + closed->index[i]));
}

void page_space_take(struct page_space *space, u64 page, page_entry *entry)
{
    page_entry leaf = *entry;

    if (!(leaf & PAGE_LISTED))
        page_set_append(&space->set, (struct page_record){ page, entry_frame(leaf) });
    *entry = (leaf & ~(PTE_DIRTY | PTE_WRITABLE)) | PAGE_LISTED;
}

/* Was it written before the line? Once its table was opened again, W tells what came after (I3). */
static bool is_to_take(page_entry leaf, bool reopened)
{
    if (reopened)
        return (leaf & (PTE_DIRTY | PTE_WRITABLE)) == PTE_DIRTY;
    return leaf & PTE_DIRTY ||
           (leaf & (PAGE_LISTED | PTE_WRITABLE)) == (PAGE_LISTED | PTE_WRITABLE); /* I4 */
}

/* May be written without a fault again: nothing of it is in the set, or still to be taken. */
static bool is_to_rearm(page_entry leaf)
{
    return (leaf & (PAGE_SOFTWARE_WRITABLE | PAGE_LISTED | PTE_WRITABLE)) ==
           PAGE_SOFTWARE_WRITABLE;
}

static void harvest_leaves(struct page_space *space, page_entry *leaves, u64 first_page,
                           bool reopened)
{
    struct closed_leaves closed;

    closed.count = 0;
    for (u32 i = 0; i < TABLE_ENTRIES; i++) {
        if (is_to_take(leaves[i], reopened)) {
            page_space_take(space, first_page + i, &leaves[i]);
            if (closed.count < CLOSED_MAX)
                closed.index[closed.count] = i;
            closed.count++;
        } else if (is_to_rearm(leaves[i])) {
            leaves[i] |= PTE_WRITABLE; /* I5; T7 */
        }
    }
    space->counters.entries_read += TABLE_ENTRIES;
    invalidate_closed(space, first_page, &closed); /* T2 */
}

/* What is left of the entry once what is below it was harvested. */
static page_entry harvested(page_entry entry)
{
    return entry & PAGE_TO_HARVEST ? entry & ~PAGE_TO_HARVEST
                                   : entry & ~(PAGE_OPENED | PTE_WRITABLE);
}

void page_space_harvest_table(struct page_space *space, u32 top, u32 middle)
{
    page_entry *entry = &entry_table(space, space->top[top])[middle];

    harvest_leaves(space, entry_table(space, *entry), page_number(top, middle, 0),
                   *entry & PAGE_TO_HARVEST);
    *entry = harvested(*entry);
}

/* I2 or I3. `above` is closed: then nothing below has been opened since the line. */
static bool has_to_harvest(page_entry entry, bool above_is_closed)
{
    if (above_is_closed)
        return entry & PAGE_OPENED;
    return entry & PAGE_TO_HARVEST ||
           (entry & (PAGE_OPENED | PTE_WRITABLE)) == PAGE_OPENED;
}

/* The next table under this top entry, if there is one left. */
static bool harvest_under(struct page_space *space, u32 top)
{
    page_entry *table = entry_table(space, space->top[top]);
    bool is_closed = !(space->top[top] & PTE_WRITABLE);

    while (space->harvest_middle < TABLE_ENTRIES) {
        u32 middle = space->harvest_middle++;
        space->counters.entries_read++;
        if (!has_to_harvest(table[middle], is_closed))
            continue;

        page_space_harvest_table(space, top, middle);
        return true;
    }
    return false;
}

static bool harvest_step(struct page_space *space)
{
    if (space->phase != SPACE_HARVESTING)
        return false;

    for (; space->harvest_top < space->top_entries; space->harvest_top++) {
        page_entry *entry = &space->top[space->harvest_top];
        space->counters.entries_read++;
        if (has_to_harvest(*entry, false)) {
            if (harvest_under(space, space->harvest_top))
                return true;
            *entry = harvested(*entry);
        }
        space->harvest_middle = 0;
    }
    space->phase = SPACE_IN_FLIGHT;
    return false;
}

bool page_space_harvest_step(struct page_space *space)
{
    bool outer = space->machine->begin_section();
    bool more = harvest_step(space);
    space->machine->end_section(outer);
    return more;
}

bool page_space_next_taken(const struct page_space *space, struct page_cursor *cursor,
                           u64 *page, const void **memory)
{
    ASSERT(space->phase == SPACE_IN_FLIGHT);

    const struct page_record *record = page_set_next(&space->set, cursor);
    if (!record)
        return false;
    *page = record->page;
    *memory = space->machine->frame_memory(record->frame);
    return true;
}

bool page_space_next_forgotten(const struct page_space *space, size_t *cursor, u64 *page)
{
    u64 value;

    return map_next(&space->forgetting, cursor, page, &value);
}

/* Did the writer get another frame, or was the page released, while the record's was in flight? */
static bool record_owns_frame(const struct page_record *record, page_entry leaf)
{
    return !(leaf & PTE_PRESENT) || entry_frame(leaf) != record->frame;
}

/* Not in the set any more; W again, so that the next write costs no fault. D=0, so I1 holds. */
static page_entry rearmed(page_entry leaf)
{
    leaf &= ~PAGE_LISTED;
    return leaf & PAGE_SOFTWARE_WRITABLE ? leaf | PTE_WRITABLE : leaf; /* I5 */
}

static void commit_record(struct page_space *space, const struct page_record *record)
{
    page_entry *leaf = page_space_leaf(space, record->page);

    space->counters.entries_read++;
    if (record_owns_frame(record, *leaf))
        space->machine->frame_free(record->frame);
    else
        *leaf = rearmed(*leaf); /* T7 */
}

/* No longer in flight, whatever becomes of the set. */
static void finish(struct page_space *space, u64 kept, bool forget)
{
    bool outer = space->machine->begin_section();

    page_set_truncate(&space->set, kept);
    if (forget)
        map_clear(&space->forgetting);
    space->phase = SPACE_IDLE;
    space->machine->end_section(outer);
}

void page_space_commit(struct page_space *space)
{
    ASSERT(space->phase == SPACE_IN_FLIGHT);

    struct page_cursor cursor = {};
    for (struct page_record *record; (record = page_set_next(&space->set, &cursor));) {
        bool outer = space->machine->begin_section();
        commit_record(space, record);
        space->machine->end_section(outer);
    }
    finish(space, 0, true);
}

/* False: the page was released meanwhile. */
static bool abort_record(struct page_space *space, struct page_record *record)
{
    page_entry *leaf = page_space_leaf(space, record->page);

    if (record_owns_frame(record, *leaf))
        space->machine->frame_free(record->frame);
    if (!(*leaf & PTE_PRESENT))
        return false;
    *leaf |= PAGE_LISTED;
    record->frame = entry_frame(*leaf);
    return true;
}

void page_space_abort(struct page_space *space)
{
    ASSERT(space->phase != SPACE_IDLE);
    while (page_space_harvest_step(space))
        ;
    space->phase = SPACE_ABORTING; /* from here on frames stay with their pages */

    struct page_cursor from = {}, to = {};
    u64 kept = 0;
    for (struct page_record *record; (record = page_set_next(&space->set, &from));) {
        bool outer = space->machine->begin_section();
        if (abort_record(space, record)) {
            *page_set_next(&space->set, &to) = *record;
            kept++;
        }
        space->machine->end_section(outer);
    }
    finish(space, kept, false);
}
