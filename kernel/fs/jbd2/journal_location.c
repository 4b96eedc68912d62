/* Where the journal lies on the disk: its extents, which come from there and are not trusted. */
#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/sort.h"
#include "kernel/base/string.h"
#include "kernel/fs/jbd2/journal_internal.h"

/* In order, without gaps, inside the file system, and as long as a journal can be. */
static enum status check_extents(const struct cache *cache,
                                 const struct journal_location *location)
{
    u64 next = 0;
    for (size_t i = 0; i < location->extent_count; i++) {
        const struct journal_extent *extent = &location->extents[i];
        if (extent->journal_block != next || extent->count == 0 ||
            !range_inside(extent->disk_block, extent->count, cache->block_count)) {
            log_error("journal: extent of %u blocks at %u: disk block %llu",
                      extent->count, extent->journal_block,
                      (unsigned long long)extent->disk_block);
            return ERR_CORRUPT;
        }
        next += extent->count;
    }
    if (next < JOURNAL_BLOCKS_MIN || next > UINT32_MAX) {
        log_error("journal: %llu blocks long", (unsigned long long)next);
        return ERR_CORRUPT;
    }
    return OK;
}

/* No block twice; `places` are in the order of the disk. */
static enum status check_places(const struct journal_place *places, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (places[i - 1].disk_block + places[i - 1].count <= places[i].disk_block)
            continue;
        log_error("journal: disk block %llu is in it twice",
                  (unsigned long long)places[i].disk_block);
        return ERR_CORRUPT;
    }
    return OK;
}

enum status journal_location_init(struct journal *journal,
                                  const struct journal_location *location)
{
    size_t count = location->extent_count;
    enum status status = check_extents(journal->cache, location);
    if (status != OK)
        return status;
    journal->extents = port_alloc(count * sizeof *journal->extents);
    journal->places = port_alloc(count * sizeof *journal->places);
    if (!journal->extents || !journal->places)
        return ERR_NO_MEMORY;

    memcpy(journal->extents, location->extents, count * sizeof *journal->extents);
    journal->extent_count = count;
    for (size_t i = 0; i < count; i++)
        journal->places[i] = (struct journal_place){ location->extents[i].disk_block,
                                                     location->extents[i].count };
    sort_by_key(journal->places, count, sizeof *journal->places);
    journal->checksums = location->checksums;
    journal->wide_blocks = location->wide_blocks;
    return check_places(journal->places, count);
}

u64 journal_map_run(const struct journal *journal, u32 journal_block, u32 *count)
{
    size_t low = 0, high = journal->extent_count; /* it is in [low, high) */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (journal->extents[middle].journal_block <= journal_block)
            low = middle;
        else
            high = middle;
    }
    const struct journal_extent *extent = &journal->extents[low];
    u32 within = journal_block - extent->journal_block;
    ASSERT(within < extent->count);
    *count = extent->count - within;
    return extent->disk_block + within;
}

u64 journal_map(const struct journal *journal, u32 journal_block)
{
    u32 count;
    return journal_map_run(journal, journal_block, &count);
}

bool journal_holds(const struct journal *journal, u64 disk_block)
{
    size_t low = 0, high = journal->extent_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (journal->places[middle].disk_block <= disk_block)
            low = middle;
        else
            high = middle;
    }
    return disk_block - journal->places[low].disk_block < journal->places[low].count;
}
