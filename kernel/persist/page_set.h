/*
 * The harvested set: which pages a generation takes, and the frame that held each at its
 * demarcation.
 *
 * Records sit in a chain of frames. Room is reserved when a page comes to exist, so that adding a
 * record to the set can never fail: a harvest runs in places that could not handle a failure.
 */
#pragma once

#include "kernel/persist/page_machine.h"

struct page_record {
    u64 page; /* its number in the space */
    physical_address frame;
};

struct page_set {
    const struct page_machine *machine;
    physical_address first; /* chunk frames; 0: none */
    physical_address last;  /* the chunk in use */
    struct page_record *next,
        *end; /* where the next record goes in it, and where it ends */
    u64 capacity;
    u64 count;
};

/* A place in the set: zero it to start at the first record. */
struct page_cursor {
    physical_address chunk;
    u64 index; /* of the next record in the whole set */
};

void page_set_init(struct page_set *set, const struct page_machine *machine);
void page_set_destroy(struct page_set *set);

/* Afterwards `capacity` records fit. ERR_NO_MEMORY. */
enum status page_set_reserve(struct page_set *set, u64 capacity);
/* For page_set_append(): goes on to the next chunk, which must have been reserved. */
void page_set_advance(struct page_set *set);

/* Room must have been reserved. Inline, because a fault may append a whole table. */
static inline void page_set_append(struct page_set *set, struct page_record record)
{
    if (set->next == set->end)
        page_set_advance(set);
    *set->next++ = record;
    set->count++;
}

/* The next record, which may be altered, or NULL after the last. */
struct page_record *page_set_next(const struct page_set *set, struct page_cursor *cursor);
/* Keeps only the first `count` records; the room stays. */
void page_set_truncate(struct page_set *set, u64 count);
