#include "kernel/fs/jbd2/journal_restore.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"

enum { RESTORE_BATCH = 64 };

/* As it lies in the log, and is what was logged. */
static enum status get_copy(struct journal_reader *reader,
                            const struct journal_copy *copy, const u8 **raw)
{
    const struct journal_tag tag = { copy->block, copy->escaped, copy->checksum };
    enum status status = journal_reader_get(reader, (u32)copy->log_block, raw);
    if (status != OK)
        return status;
    if (journal_tag_matches(&reader->journal->layout, &tag, copy->sequence, *raw))
        return OK;
    log_error("journal: transaction %u: bad checksum of block %llu", copy->sequence,
              (unsigned long long)copy->block);
    return ERR_CORRUPT;
}

/* As the block was before the log took it. */
static enum status read_copy(struct journal_reader *reader,
                             const struct journal_copy *copy, u8 *data)
{
    const u8 *raw;
    enum status status = get_copy(reader, copy, &raw);
    if (status != OK)
        return status;
    memcpy(data, raw, reader->journal->cache->block_size);
    if (copy->escaped)
        put_be32(data, JOURNAL_MAGIC);
    return OK;
}

enum status journal_restore_verify(struct journal_reader *reader,
                                   const struct journal_copy *copies, size_t count)
{
    const u8 *raw;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++)
        status = get_copy(reader, &copies[i], &raw);
    return status;
}

static enum status restore_batch(struct journal_reader *reader,
                                 const struct journal_copy *copies, size_t count,
                                 u8 *batch)
{
    struct journal *journal = reader->journal;
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++) {
        u8 *data = batch + i * journal->cache->block_size;
        status = read_copy(reader, &copies[i], data);
        if (status != OK)
            break;
        cache_forget(journal->cache, copies[i].block);
        gather_write(&journal->gather, copies[i].block, data);
    }
    enum status written = gather_finish(&journal->gather);
    return status == OK ? written : status;
}

enum status journal_restore_to_disk(struct journal_reader *reader,
                                    const struct journal_copy *copies, size_t count)
{
    enum status status = OK;
    u8 *batch = port_alloc(RESTORE_BATCH * reader->journal->cache->block_size);
    if (!batch)
        return ERR_NO_MEMORY;
    for (size_t done = 0; status == OK && done < count; done += RESTORE_BATCH)
        status = restore_batch(reader, copies + done,
                               min_size(RESTORE_BATCH, count - done), batch);
    port_free(batch);
    return status;
}

static enum status restore_one_to_memory(struct journal_reader *reader,
                                         const struct journal_copy *copy)
{
    struct buffer *buffer;
    enum status status = cache_get_fresh(reader->journal->cache, copy->block, &buffer);
    if (status != OK)
        return status;
    status = read_copy(reader, copy, buffer->data);
    struct journal_entry *entry = status == OK ? journal_entry_create(buffer) : NULL;
    if (status == OK && !entry)
        status = ERR_NO_MEMORY;
    buffer->transient = status != OK;
    if (entry)
        journal_committed_add(reader->journal, entry);
    cache_release(buffer);
    return status;
}

enum status journal_restore_to_memory(struct journal_reader *reader,
                                      const struct journal_copy *copies, size_t count)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < count; i++)
        status = restore_one_to_memory(reader, &copies[i]);
    return status;
}
