#include "kernel/persist/page_space.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/persist/page_space_internal.h"

void page_space_init(struct page_space *space, const struct page_machine *machine,
                     page_entry *top, u64 base, u64 size)
{
    ASSERT(base % GIB == 0 && size % GIB == 0 && size / GIB <= TABLE_ENTRIES);

    *space = (struct page_space){
        .machine = machine,
        .top = top,
        .top_entries = (u32)(size / GIB),
        .base = base,
        .limit = size / PAGE_SIZE,
    };
    page_set_init(&space->set, machine);
    map_init(&space->forgotten);
    map_init(&space->forgetting);
}

void page_space_set_policy(struct page_space *space, const struct page_policy *policy)
{
    ASSERT(space->counters.pages == 0);

    space->policy = *policy;
}

void page_space_join(struct page_space *space, u64 number, const u64 *line)
{
    space->number = number;
    space->line = line;
    space->last_line = *line;
}

static void free_leaf_table(struct page_space *space, page_entry entry)
{
    page_entry *table = entry_table(space, entry);

    for (u32 i = 0; i < TABLE_ENTRIES; i++)
        if (table[i] & PTE_PRESENT)
            space->machine->frame_free(entry_frame(table[i]));
    space->machine->frame_free(entry_frame(entry));
}

void page_space_reset(struct page_space *space)
{
    ASSERT(space->phase == SPACE_IDLE);

    for (u32 i = 0; i < space->top_entries; i++) {
        page_entry entry = space->top[i];
        if (!(entry & PTE_PRESENT))
            continue;

        page_entry *table = entry_table(space, entry);
        for (u32 j = 0; j < TABLE_ENTRIES; j++)
            if (table[j] & PTE_PRESENT)
                free_leaf_table(space, table[j]);
        space->top[i] = 0;
        space->machine->frame_free(entry_frame(entry));
    }
    space->machine->reload(); /* T3 */

    page_set_destroy(&space->set);
    map_destroy(&space->forgotten);
    map_destroy(&space->forgetting);
    struct page_space kept = *space;
    page_space_init(space, space->machine, space->top, space->base,
                    space->limit * PAGE_SIZE);
    space->policy = kept.policy;
    space->backing = kept.backing;
    if (kept.line)
        page_space_join(space, kept.number, kept.line);
}

page_entry *page_space_leaf(const struct page_space *space, u64 page)
{
    page_entry entry = space->top[top_index(page)];
    if (!(entry & PTE_PRESENT))
        return NULL;

    entry = entry_table(space, entry)[middle_index(page)];
    if (!(entry & PTE_PRESENT))
        return NULL;

    return &entry_table(space, entry)[leaf_index(page)];
}

bool page_space_has(const struct page_space *space, u64 page)
{
    return page_space_peek(space, page) != NULL;
}

const void *page_space_peek(const struct page_space *space, u64 page)
{
    if (page >= space->limit)
        return NULL;

    const page_entry *leaf = page_space_leaf(space, page);
    if (!leaf || !(*leaf & PTE_PRESENT))
        return NULL;
    return space->machine->frame_memory(entry_frame(*leaf));
}

enum page_rights page_space_rights(const struct page_space *space, u64 page)
{
    if (page >= space->limit)
        return PAGE_NONE;
    if (!space->policy.rights)
        return PAGE_WRITABLE;
    return space->policy.rights(space->policy.context, page);
}

static page_entry user_bit(const struct page_space *space)
{
    return space->policy.user ? PTE_USER : 0;
}

/* I5, I8: W never without S, X never with it. */
static page_entry leaf_flags(const struct page_space *space, enum page_rights rights)
{
    page_entry flags = PTE_PRESENT | user_bit(space);

    if (rights != PAGE_EXECUTABLE)
        flags |= PTE_NO_EXECUTE;
    if (rights == PAGE_WRITABLE)
        flags |= PTE_WRITABLE | PAGE_SOFTWARE_WRITABLE;
    return flags;
}

bool page_space_is_absent(const struct page_space *space, u64 page)
{
    const struct page_backing *backing = space->backing;
    bool outer = space->machine->begin_section();
    u64 value;

    bool absent = backing && page < space->limit && !page_space_has(space, page) &&
                  !map_get(&space->forgotten, page, &value) &&
                  !map_get(&space->forgetting, page, &value) &&
                  backing->holds(backing->context, space->number, page);
    space->machine->end_section(outer);
    return absent;
}

/* The table under an upper entry, made if need be: closed, nothing to harvest (I1). */
static enum status reach_table(struct page_space *space, page_entry *entry,
                               page_entry **table)
{
    if (!(*entry & PTE_PRESENT)) {
        physical_address frame;
        enum status status = space->machine->frame_alloc(&frame);
        if (status)
            return status;
        memset(space->machine->frame_memory(frame), 0, PAGE_SIZE);
        *entry = frame | PTE_PRESENT | user_bit(space);
    }
    *table = entry_table(space, *entry);
    return OK;
}

/* All that a page needs beside its frame: tables, and a place in the set. */
static enum status make_place(struct page_space *space, u64 page, page_entry **leaf)
{
    page_entry *middle, *leaves;

    enum status status = reach_table(space, &space->top[top_index(page)], &middle);
    if (status)
        return status;
    status = reach_table(space, &middle[middle_index(page)], &leaves);
    if (status)
        return status;
    *leaf = &leaves[leaf_index(page)];
    if (**leaf & PTE_PRESENT)
        return ERR_EXISTS;
    return page_set_reserve(&space->set, space->counters.pages + 1); /* I7 */
}

enum status page_space_put(struct page_space *space, u64 page, physical_address frame)
{
    enum page_rights rights = page_space_rights(space, page);
    if (rights == PAGE_NONE)
        return ERR_INVALID_ARGUMENT;

    page_entry *leaf;
    enum status status = make_place(space, page, &leaf);
    if (status)
        return status;
    *leaf = frame | leaf_flags(space, rights);
    space->counters.pages++;
    return OK;
}

enum status page_space_make_place(struct page_space *space, u64 page)
{
    if (page_space_rights(space, page) == PAGE_NONE)
        return ERR_INVALID_ARGUMENT;

    page_entry *leaf;
    bool outer = space->machine->begin_section();
    page_space_catch_up(space);
    enum status status = make_place(space, page, &leaf);
    space->machine->end_section(outer);
    return status;
}

enum status page_space_install(struct page_space *space, u64 page, physical_address frame)
{
    bool outer = space->machine->begin_section();
    page_space_catch_up(space);
    enum status status = page_space_put(space, page, frame);
    space->machine->end_section(outer);
    return status;
}

/* A frame that is in flight stays the record's; commit or abort frees it. */
static void drop_leaf(struct page_space *space, u64 page)
{
    page_entry *leaf = page_space_leaf(space, page);
    page_entry was = *leaf;

    *leaf = 0;
    space->machine->invalidate(page_address(space, page)); /* T3 */
    if (!is_in_flight(space) || !(was & PAGE_LISTED))
        space->machine->frame_free(entry_frame(was));
    space->counters.pages--;
}

static enum status release(struct page_space *space, u64 page)
{
    bool present = page_space_has(space, page);
    if (!present && !page_space_is_absent(space, page))
        return ERR_NOT_FOUND;

    enum status status = map_set(&space->forgotten, page, 0);
    if (status == OK && present)
        drop_leaf(space, page);
    return status;
}

enum status page_space_release(struct page_space *space, u64 page)
{
    ASSERT(space->phase != SPACE_ABORTING);

    page_space_enter(space);
    /* What the demarcation has claimed must be in the set before its page goes. */
    while (space->phase == SPACE_HARVESTING && page_space_harvest_step(space))
        ;
    bool outer = space->machine->begin_section();
    enum status status = release(space, page);
    space->machine->end_section(outer);
    return status;
}

/* --- eviction --- */

/* Its bytes are those of the current generation, or zeros that nobody wrote. */
static bool may_evict(const struct page_space *space, page_entry leaf)
{
    return leaf & PTE_PRESENT && !(leaf & (PTE_DIRTY | PAGE_LISTED)) &&
           space->phase != SPACE_ABORTING;
}

/* One page under the hand, or the rest of a table that is not there. How many frames it freed. */
static u64 evict_at(struct page_space *space, u64 *hand)
{
    u64 page = *hand;
    page_entry *leaf = page_space_leaf(space, page);
    if (!leaf) {
        u64 step = space->top[top_index(page)] & PTE_PRESENT ? 1ULL << 9 : 1ULL << 18;
        *hand = (page / step + 1) * step;
        return 0;
    }

    ++*hand;
    if (!may_evict(space, *leaf))
        return 0;
    if (*leaf & PTE_ACCESSED) { /* a second chance; what the TLB remembers is no matter */
        *leaf &= ~PTE_ACCESSED;
        return 0;
    }
    drop_leaf(space, page);
    return 1;
}

u64 page_space_evict(struct page_space *space, u64 *hand, u64 first, u64 wanted)
{
    u64 freed = 0;

    page_space_enter(space);
    *hand = max_u64(*hand, first);
    while (freed < wanted && *hand < space->limit) {
        bool outer = space->machine->begin_section();
        freed += evict_at(space, hand);
        space->machine->end_section(outer);
    }
    return freed;
}
