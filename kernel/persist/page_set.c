#include "kernel/persist/page_set.h"

#include "kernel/base/log.h"

struct page_chunk {
    physical_address next;
    u64 unused;
    struct page_record records[(PAGE_SIZE - 16) / sizeof(struct page_record)];
};

enum { CHUNK_RECORDS = ARRAY_LENGTH(((struct page_chunk *)NULL)->records) };

_Static_assert(sizeof(struct page_chunk) == PAGE_SIZE, "a chunk fills a frame");

static struct page_chunk *chunk_at(const struct page_set *set, physical_address frame)
{
    return set->machine->frame_memory(frame);
}

void page_set_init(struct page_set *set, const struct page_machine *machine)
{
    *set = (struct page_set){ .machine = machine };
}

void page_set_destroy(struct page_set *set)
{
    physical_address frame = set->first;

    while (frame) {
        physical_address next = chunk_at(set, frame)->next;
        set->machine->frame_free(frame);
        frame = next;
    }
    page_set_init(set, set->machine);
}

/* The chunk after the one in use is where the chain is extended: order does not matter behind it. */
enum status page_set_reserve(struct page_set *set, u64 capacity)
{
    while (set->capacity < capacity) {
        physical_address frame;
        enum status status = set->machine->frame_alloc(&frame);
        if (status)
            return status;

        struct page_chunk *chunk = chunk_at(set, frame);
        if (!set->first) {
            chunk->next = 0;
            set->first = set->last = frame;
        } else {
            struct page_chunk *last = chunk_at(set, set->last);
            chunk->next = last->next;
            last->next = frame;
        }
        set->capacity += CHUNK_RECORDS;
    }
    return OK;
}

static void use_chunk(struct page_set *set, physical_address frame, u64 records)
{
    struct page_chunk *chunk = chunk_at(set, frame);

    set->last = frame;
    set->next = chunk->records + records;
    set->end = chunk->records + CHUNK_RECORDS;
}

void page_set_advance(struct page_set *set)
{
    ASSERT(set->count < set->capacity);
    use_chunk(set, set->next ? chunk_at(set, set->last)->next : set->first, 0);
}

struct page_record *page_set_next(const struct page_set *set, struct page_cursor *cursor)
{
    if (cursor->index >= set->count)
        return NULL;

    if (cursor->index == 0)
        cursor->chunk = set->first;
    else if (cursor->index % CHUNK_RECORDS == 0)
        cursor->chunk = chunk_at(set, cursor->chunk)->next;
    return &chunk_at(set, cursor->chunk)->records[cursor->index++ % CHUNK_RECORDS];
}

void page_set_truncate(struct page_set *set, u64 count)
{
    ASSERT(count <= set->count);

    set->count = count;
    if (!set->first)
        return;
    physical_address frame = set->first;
    for (; count > CHUNK_RECORDS; count -= CHUNK_RECORDS)
        frame = chunk_at(set, frame)->next;
    use_chunk(set, frame, count);
}
