#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/fs/jbd2/journal_internal.h"

enum {
    LIVE_BYTES_MAX = 4 * MIB, /* bounds the pinned memory and the time of a replay */
    CAP_DIVISOR = 4, /* an old tail and a new transaction fit well beside each other */
    HOOK_BLOCKS = 1,
};

u32 journal_length(const struct journal *journal)
{
    return journal->log_end - journal->superblock.first;
}

u32 journal_advance(const struct journal *journal, u32 journal_block, u32 count)
{
    u64 beyond = (u64)journal_block - journal->superblock.first + count;
    return journal->superblock.first + (u32)(beyond % journal_length(journal));
}

void journal_superblock_stage(struct journal *journal, u32 start, u32 sequence)
{
    journal->superblock.start = start;
    journal->superblock.sequence = sequence;
    journal_superblock_encode(&journal->superblock, journal->raw_superblock);
}

enum status journal_superblock_write(struct journal *journal, u32 start, u32 sequence)
{
    struct disk *disk = journal->cache->disk;
    u64 sector = journal_map(journal, 0) * (journal->cache->block_size / SECTOR_SIZE);
    journal_superblock_stage(journal, start, sequence);
    enum status status =
        disk_write(disk, sector, journal->raw_superblock, JOURNAL_SUPERBLOCK_LIVE);
    return status == OK ? disk_flush(disk) : status;
}

/* --- opening --- */

static enum status read_superblock(struct journal *journal)
{
    const struct journal_extent *last = &journal->extents[journal->extent_count - 1];
    struct journal_superblock *superblock = &journal->superblock;
    size_t block_size = journal->cache->block_size;
    enum status status = disk_read(journal->cache->disk,
                                   journal_map(journal, 0) * (block_size / SECTOR_SIZE),
                                   journal->raw_superblock, JOURNAL_SUPERBLOCK_SIZE);
    if (status == OK)
        status = journal_superblock_decode(journal->raw_superblock, superblock);
    if (status != OK)
        return status;
    if (superblock->block_size != block_size ||
        superblock->block_count > last->journal_block + last->count) {
        log_error("journal: superblock: %u blocks of %u bytes in a file of %u of %zu",
                  superblock->block_count, superblock->block_size,
                  last->journal_block + last->count, block_size);
        return ERR_CORRUPT;
    }
    if (superblock->error)
        log_warning("journal: superblock: error %u left by an earlier use",
                    superblock->error);
    return OK;
}

static void lay_out_log(struct journal *journal)
{
    const struct journal_superblock *superblock = &journal->superblock;
    u32 log_blocks;

    journal->log_end = superblock->block_count - superblock->fast_commit_blocks;
    journal->head = superblock->first;
    journal->sequence = superblock->sequence;
    log_blocks = journal->log_end - superblock->first;
    journal->cap = log_blocks / CAP_DIVISOR;
    journal->checkpoint_limit =
        (u32)min_u64(log_blocks / CAP_DIVISOR, LIVE_BYTES_MAX / superblock->block_size);
    journal_layout_init(&journal->layout, superblock);
}

enum status journal_open(struct cache *cache, const struct journal_location *location,
                         struct journal **result)
{
    struct journal *journal = port_alloc(sizeof *journal);
    if (!journal)
        return ERR_NO_MEMORY;
    journal->cache = cache;
    list_init(&journal->running);
    list_init(&journal->committed);
    map_init(&journal->freed);
    enum status status = journal_location_init(journal, location);
    if (status == OK)
        status = gather_open(&journal->gather, cache->disk, cache->block_size);
    if (status == OK)
        status = read_superblock(journal);
    if (status != OK) {
        journal_close(journal);
        return status;
    }
    lay_out_log(journal);
    *result = journal;
    return OK;
}

void journal_close(struct journal *journal)
{
    journal_rollback(journal);
    for (struct list_link *link; (link = list_first(&journal->committed));) {
        struct journal_entry *entry = CONTAINER_OF(link, struct journal_entry, committed);
        entry->buffer->transient = true; /* newer than the disk */
        journal_entry_destroy(journal, entry);
    }
    map_destroy(&journal->freed);
    gather_close(&journal->gather);
    port_free(journal->extents);
    port_free(journal->places);
    port_free(journal);
}

void journal_set_before_commit(struct journal *journal,
                               enum status (*hook)(void *context), void *context)
{
    journal->before_commit = hook;
    journal->before_commit_context = context;
    journal->hook_reserve = hook ? HOOK_BLOCKS : 0;
}

bool journal_is_aborted(const struct journal *journal)
{
    return journal->aborted;
}
