#include "kernel/base/checked.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/fs/jbd2/journal_internal.h"

enum { BLOCKS_PER_MASK = 64 };

/* --- entries --- */

struct journal_entry *journal_entry_create(struct buffer *buffer)
{
    struct journal_entry *entry = port_alloc(sizeof *entry);
    if (!entry)
        return NULL;
    entry->buffer = buffer;
    buffer->journal = entry;
    cache_pin(buffer);
    return entry;
}

void journal_entry_destroy(struct journal *journal, struct journal_entry *entry)
{
    if (list_is_linked(&entry->running))
        list_remove(&entry->running);
    if (list_is_linked(&entry->committed))
        journal_committed_remove(journal, entry);
    entry->buffer->journal = NULL;
    cache_unpin(entry->buffer);
    port_free(entry->undo);
    port_free(entry);
}

void journal_committed_add(struct journal *journal, struct journal_entry *entry)
{
    list_append(&journal->committed, &entry->committed);
    journal->committed_count++;
}

void journal_committed_remove(struct journal *journal, struct journal_entry *entry)
{
    list_remove(&entry->committed);
    journal->committed_count--;
}

/* --- room --- */

u32 journal_log_blocks(const struct journal *journal, u32 logged, u32 revoked)
{
    u32 descriptors = (u32)divide_up(logged, journal_tags_per_block(&journal->layout));
    u32 revokes = (u32)divide_up(revoked, journal_revokes_per_block(&journal->layout));
    return revokes + descriptors + logged + 1;
}

/*
 * The most blocks that fit with so many revoked, beside what the hook will add: n blocks need
 * n / tags descriptors, rounded up.
 */
static u32 most_logged(const struct journal *journal, u32 revoked)
{
    u32 fixed = journal_log_blocks(journal, 0, revoked);
    u32 tags = journal_tags_per_block(&journal->layout);
    if (fixed >= journal->cap)
        return 0;
    u32 most = (u32)((u64)(journal->cap - fixed) * tags / (tags + 1));
    return most > journal->hook_reserve ? most - journal->hook_reserve : 0;
}

u32 journal_room(const struct journal *journal)
{
    u32 most = most_logged(journal, journal->revoke_count);
    return most > journal->running_count ? most - journal->running_count : 0;
}

bool journal_is_running(const struct journal *journal)
{
    return !list_is_empty(&journal->running) || journal->freed.count > 0;
}

/* --- freed blocks --- */

static u64 freed_mask(const struct journal *journal, u64 key)
{
    u64 mask;
    return map_get(&journal->freed, key, &mask) ? mask : 0;
}

bool journal_has_freed(const struct journal *journal)
{
    return journal->freed.count > 0;
}

bool journal_is_freed(const struct journal *journal, u64 block)
{
    return freed_mask(journal, block / BLOCKS_PER_MASK) >> block % BLOCKS_PER_MASK & 1;
}

static enum status mark_freed(struct journal *journal, u64 block, u64 count)
{
    while (count > 0) {
        u64 bit = block % BLOCKS_PER_MASK;
        u64 run = min_u64(count, BLOCKS_PER_MASK - bit); /* never 0 */
        u64 mask = ((1ull << (run - 1) << 1) - 1) << bit;
        u64 key = block / BLOCKS_PER_MASK;
        enum status status =
            map_set(&journal->freed, key, freed_mask(journal, key) | mask);
        if (status != OK)
            return status;
        block += run;
        count -= run;
    }
    return OK;
}

static void unmark_freed(struct journal *journal, u64 block)
{
    u64 key = block / BLOCKS_PER_MASK;
    u64 mask = freed_mask(journal, key) & ~(1ull << block % BLOCKS_PER_MASK);
    if (mask == 0)
        map_remove(&journal->freed, key);
    else if (map_set(&journal->freed, key, mask) != OK)
        port_panic(__FILE__, __LINE__, "replacing a key of a map needs no memory");
}

static struct journal_entry *entry_of(const struct journal *journal, u64 block)
{
    struct buffer *buffer = map_get_pointer(&journal->cache->buffers, block);
    return buffer ? buffer->journal : NULL;
}

/* How much the running transaction would log less, and revoke more. */
static void count_freed(const struct journal *journal, u64 block, u64 count, u32 *logged,
                        u32 *revoked)
{
    *logged = 0;
    *revoked = 0;
    for (u64 i = 0; i < count; i++) {
        const struct journal_entry *entry = entry_of(journal, block + i);
        if (!entry || entry->freed)
            continue;
        *logged += list_is_linked(&entry->running);
        *revoked += list_is_linked(&entry->committed);
    }
}

static void free_entry(struct journal *journal, struct journal_entry *entry)
{
    if (list_is_linked(&entry->running))
        journal->running_count--;
    else
        list_append(&journal->running, &entry->running);
    journal->revoke_count += list_is_linked(&entry->committed);
    entry->freed = true;
}

static enum status require_usable(const struct journal *journal)
{
    return journal->aborted || journal->read_only ? ERR_READ_ONLY : OK;
}

enum status journal_revoke(struct journal *journal, u64 block, u64 count)
{
    u32 logged, revoked;
    enum status status = require_usable(journal);
    if (status != OK)
        return status;
    count_freed(journal, block, count, &logged, &revoked);
    if (revoked > 0 && journal->running_count - logged >=
                           most_logged(journal, journal->revoke_count + revoked))
        return ERR_TRANSACTION_FULL;
    status = mark_freed(journal, block, count);
    if (status != OK)
        return status;
    for (u64 i = 0; i < count; i++) {
        struct journal_entry *entry = entry_of(journal, block + i);
        if (entry && !entry->freed)
            free_entry(journal, entry);
    }
    return OK;
}

/* --- changing --- */

/* New blocks, most of what a generation changes, were nothing but zeros: they need no copy. */
static enum status copy_for_undo(struct journal *journal, struct journal_entry *entry)
{
    size_t block_size = journal->cache->block_size;
    if (entry->undo || entry->was_zero)
        return OK; /* freed after it was changed, and now used again */
    entry->was_zero = !list_is_linked(&entry->committed) &&
                      memory_is_zero(entry->buffer->data, block_size);
    if (entry->was_zero)
        return OK;
    entry->undo = port_alloc(block_size);
    if (!entry->undo)
        return ERR_NO_MEMORY;
    memcpy(entry->undo, entry->buffer->data, block_size);
    return OK;
}

static void join_running(struct journal *journal, struct journal_entry *entry)
{
    u64 block = entry->buffer->block;
    if (journal_is_freed(journal, block))
        unmark_freed(journal, block);
    if (entry->freed) {
        entry->freed = false;
        journal->revoke_count -= list_is_linked(&entry->committed);
    } else {
        list_append(&journal->running, &entry->running);
    }
    journal->running_count++;
}

enum status journal_modify(struct journal *journal, struct buffer *buffer)
{
    struct journal_entry *entry = buffer->journal;
    enum status status = require_usable(journal);
    if (status != OK)
        return status;
    if (entry && list_is_linked(&entry->running) && !entry->freed)
        return OK;
    if (journal_room(journal) == 0)
        return ERR_TRANSACTION_FULL;
    if (!entry)
        entry = journal_entry_create(buffer);
    if (!entry)
        return ERR_NO_MEMORY;
    status = copy_for_undo(journal, entry);
    if (status == OK)
        join_running(journal, entry);
    else if (!list_is_linked(&entry->committed) && !entry->freed)
        journal_entry_destroy(journal, entry);
    return status;
}

/* --- the end --- */

/* Out of the running transaction; an entry that the live log does not hold is gone. */
static void leave_running(struct journal *journal, struct journal_entry *entry)
{
    list_remove(&entry->running);
    port_free(entry->undo);
    entry->undo = NULL;
    entry->was_zero = entry->freed = false;
    if (!list_is_linked(&entry->committed))
        journal_entry_destroy(journal, entry);
}

static void start_anew(struct journal *journal)
{
    journal->running_count = 0;
    journal->revoke_count = 0;
    map_clear(&journal->freed);
}

void journal_rollback(struct journal *journal)
{
    for (struct list_link *link; (link = list_first(&journal->running));) {
        struct journal_entry *entry = CONTAINER_OF(link, struct journal_entry, running);
        if (entry->undo)
            memcpy(entry->buffer->data, entry->undo, journal->cache->block_size);
        else if (entry->was_zero)
            memset(entry->buffer->data, 0, journal->cache->block_size);
        leave_running(journal, entry);
    }
    start_anew(journal);
}

void journal_running_settle(struct journal *journal)
{
    for (struct list_link *link; (link = list_first(&journal->running));) {
        struct journal_entry *entry = CONTAINER_OF(link, struct journal_entry, running);
        entry->buffer->transient = entry->freed;
        if (entry->freed && list_is_linked(&entry->committed))
            journal_committed_remove(journal, entry);
        else if (!entry->freed && !list_is_linked(&entry->committed))
            journal_committed_add(journal, entry);
        leave_running(journal, entry);
    }
    start_anew(journal);
}
