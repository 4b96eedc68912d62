#include "kernel/fs/jbd2/journal_reader.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"

enum { WINDOW_BYTES = 4 * MIB, SMALLEST_WINDOW = 16, READ_AHEAD = 64 };

enum status journal_reader_open(struct journal_reader *reader, struct journal *journal)
{
    size_t block_size = journal->cache->block_size;
    u32 capacity = (u32)min_u64(journal_length(journal), WINDOW_BYTES / block_size);
    *reader = (struct journal_reader){ .journal = journal };
    while (capacity > 0 && !reader->window) {
        reader->window = port_alloc(capacity * block_size);
        reader->capacity = capacity;
        capacity = capacity > SMALLEST_WINDOW ? capacity / 2 : 0;
    }
    return reader->window ? OK : ERR_NO_MEMORY;
}

void journal_reader_close(struct journal_reader *reader)
{
    port_free(reader->window);
    reader->window = NULL;
}

/* Appends `count` blocks to the window, run by run as they lie on the disk. */
static enum status append(struct journal_reader *reader, u32 count)
{
    struct journal *journal = reader->journal;
    size_t block_size = journal->cache->block_size;
    for (u32 done = 0; done < count;) {
        u32 run;
        u32 block = journal_advance(journal, journal->superblock.start,
                                    reader->first + reader->count + done);
        u64 disk_block = journal_map_run(journal, block, &run);
        run = (u32)min_u64(run, journal->log_end - block); /* there the ring closes */
        run = (u32)min_u64(run, count - done);
        enum status status = disk_read(
            journal->cache->disk, disk_block * (block_size / SECTOR_SIZE),
            reader->window + (reader->count + done) * block_size, run * block_size);
        if (status != OK)
            return status;
        done += run;
    }
    reader->count += count;
    return OK;
}

/* One step of read-ahead; where that fails, the next block alone. */
static enum status extend(struct journal_reader *reader)
{
    u32 left = journal_length(reader->journal) - reader->first - reader->count;
    u32 room = reader->capacity - reader->count;
    u32 step = (u32)min_u64(min_u64(left, room), READ_AHEAD);
    enum status status = append(reader, step);
    return status == OK || step == 1 ? status : append(reader, 1);
}

enum status journal_reader_get(struct journal_reader *reader, u32 at, const u8 **raw)
{
    if (at < reader->first || at - reader->first >= reader->capacity) {
        reader->first = at;
        reader->count = 0;
    }
    while (at >= reader->first + reader->count) {
        enum status status = extend(reader);
        if (status != OK)
            return status;
    }
    *raw = reader->window + (at - reader->first) * reader->journal->cache->block_size;
    return OK;
}
