/*
 * A commit, in the order that makes it atomic (J2, J5):
 *
 *   checkpoint of the live log, if it has grown long    \
 *   revoke blocks, descriptors, copies of the blocks     > FLUSH > commit block > FLUSH
 *                                                                  and superblock if the tail moves
 *
 * If the superblock reaches the platter without the commit block, the log seems empty: what was
 * in it is at its places since the first flush. The other way round the old tail still stands,
 * and nothing of the old log has been overwritten.
 */
#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/sort.h"
#include "kernel/base/string.h"
#include "kernel/fs/jbd2/journal_internal.h"

/* What a commit needs, all allocated before the first write. */
struct commit {
    struct journal *journal;
    u32 blocks;      /* in the log */
    u32 at;          /* the log's next block */
    bool moves_tail; /* this transaction becomes the log's tail */
    u8 *scratch; /* zeroed blocks: revokes, descriptors, escaped copies, the commit block */
    struct journal_tag *tags; /* of one descriptor */
    const u8 **copies;        /* the blocks that follow it */
    u64 *revoked;             /* of one revoke block */
    struct write_back *write_backs;
};

/* A block of the live log on its way to its place. */
struct write_back {
    u64 block; /* first: sort_by_key() */
    const u8 *data;
};

static bool needs_escape(const u8 *data)
{
    return get_be32(data) == JOURNAL_MAGIC;
}

static size_t count_escapes(const struct journal *journal)
{
    size_t count = 0;
    LIST_FOR_EACH (struct journal_entry, entry, &journal->running, running)
        count += !entry->freed && needs_escape(entry->buffer->data);
    return count;
}

static void commit_release(struct commit *commit)
{
    port_free(commit->scratch);
    port_free(commit->tags);
    port_free(commit->copies);
    port_free(commit->revoked);
    port_free(commit->write_backs);
}

static enum status commit_prepare(struct journal *journal, struct commit *commit)
{
    u32 tags = journal_tags_per_block(&journal->layout);
    u32 revokes = journal_revokes_per_block(&journal->layout);
    u32 blocks =
        journal_log_blocks(journal, journal->running_count, journal->revoke_count);
    size_t scratch_blocks = blocks - journal->running_count + count_escapes(journal);

    *commit = (struct commit){
        .journal = journal,
        .blocks = blocks,
        .at = journal->head,
        .moves_tail =
            journal->live == 0 || journal->live + blocks > journal->checkpoint_limit,
        .scratch = port_alloc(scratch_blocks * journal->cache->block_size),
        .tags = port_alloc(tags * sizeof *commit->tags),
        .copies = port_alloc(tags * sizeof *commit->copies),
        .revoked = port_alloc(revokes * sizeof *commit->revoked),
        .write_backs =
            port_alloc((journal->committed_count + 1) * sizeof *commit->write_backs),
    };
    if (commit->scratch && commit->tags && commit->copies && commit->revoked &&
        commit->write_backs)
        return OK;
    commit_release(commit);
    return ERR_NO_MEMORY;
}

static void append(struct commit *commit, const u8 *data)
{
    struct journal *journal = commit->journal;
    gather_write(&journal->gather, journal_map(journal, commit->at), data);
    commit->at = journal_advance(journal, commit->at, 1);
}

/* --- the checkpoint --- */

/* Hands the live log's blocks, as last committed, to the queue of writes. */
static void queue_checkpoint(struct journal *journal, struct write_back *write_backs)
{
    enum stage outer = port_stage(STAGE_CHECKPOINT);
    size_t count = 0;
    LIST_FOR_EACH (struct journal_entry, entry, &journal->committed, committed)
        write_backs[count++] =
            (struct write_back){ entry->buffer->block,
                                 entry->undo ? entry->undo : entry->buffer->data };
    sort_by_key(write_backs, count, sizeof *write_backs);
    for (size_t i = 0; i < count; i++)
        gather_write(&journal->gather, write_backs[i].block, write_backs[i].data);
    (void)port_stage(outer);
}

/* The live log's blocks are at their places: it owes nothing any more. */
static void forget_committed(struct journal *journal)
{
    for (struct list_link *link; (link = list_first(&journal->committed));) {
        struct journal_entry *entry = CONTAINER_OF(link, struct journal_entry, committed);
        if (list_is_linked(&entry->running)) {
            journal_committed_remove(journal, entry);
            journal->revoke_count -= entry->freed; /* there is no copy to forbid */
        } else {
            journal_entry_destroy(journal, entry);
        }
    }
    journal->live = 0;
}

/* --- the log --- */

static void append_revokes(struct commit *commit, u8 **scratch)
{
    struct journal *journal = commit->journal;
    const struct journal_layout *layout = &journal->layout;
    u32 most = journal_revokes_per_block(layout);
    u32 left = journal->revoke_count, count = 0;

    LIST_FOR_EACH (struct journal_entry, entry, &journal->running, running) {
        if (!entry->freed || !list_is_linked(&entry->committed))
            continue;
        commit->revoked[count++] = entry->buffer->block;
        left--;
        if (count < most && left > 0)
            continue;
        journal_revoke_encode(layout, journal->sequence, commit->revoked, count,
                              *scratch);
        append(commit, *scratch);
        *scratch += layout->block_size;
        count = 0;
    }
}

/* The block as the log keeps it: itself, or a copy without the magic it begins with. */
static const u8 *escape(const struct journal_layout *layout, const u8 *data, u8 **scratch)
{
    if (!needs_escape(data))
        return data;
    u8 *copy = *scratch;
    memcpy(copy, data, layout->block_size);
    memset(copy, 0, JOURNAL_MAGIC_SIZE);
    *scratch += layout->block_size;
    return copy;
}

static void append_descriptor(struct commit *commit, u32 count, u8 **scratch)
{
    const struct journal_layout *layout = &commit->journal->layout;
    journal_descriptor_encode(layout, commit->journal->sequence, commit->tags, count,
                              *scratch);
    append(commit, *scratch);
    *scratch += layout->block_size;
    for (u32 i = 0; i < count; i++)
        append(commit, commit->copies[i]);
}

static void append_blocks(struct commit *commit, u8 **scratch)
{
    struct journal *journal = commit->journal;
    const struct journal_layout *layout = &journal->layout;
    u32 most = journal_tags_per_block(layout);
    u32 left = journal->running_count, count = 0;

    LIST_FOR_EACH (struct journal_entry, entry, &journal->running, running) {
        if (entry->freed)
            continue;
        const u8 *copy = escape(layout, entry->buffer->data, scratch);
        commit->copies[count] = copy;
        commit->tags[count++] = (struct journal_tag){
            .block = entry->buffer->block,
            .escaped = copy != entry->buffer->data,
            .checksum = journal_data_checksum(layout, journal->sequence, copy),
        };
        left--;
        if (count == most || left == 0) {
            append_descriptor(commit, count, scratch);
            count = 0;
        }
    }
}

/* The point of no return. */
static void append_commit_block(struct commit *commit, u8 *raw)
{
    struct journal *journal = commit->journal;
    journal_commit_encode(&journal->layout, journal->sequence, port_now_microseconds(),
                          raw);
    append(commit, raw);
    if (!commit->moves_tail)
        return;
    journal_superblock_stage(journal, journal->head, journal->sequence);
    gather_write_sectors(&journal->gather,
                         journal_map(journal, 0) *
                             (journal->cache->block_size / SECTOR_SIZE),
                         journal->raw_superblock, JOURNAL_SUPERBLOCK_LIVE);
}

static enum status finish_and_flush(struct journal *journal)
{
    enum status status = gather_finish(&journal->gather);
    if (status != OK)
        return status;
    enum stage outer = port_stage(STAGE_FLUSH);
    status = disk_flush(journal->cache->disk);
    (void)port_stage(outer);
    return status;
}

static enum status commit_write(struct commit *commit)
{
    struct journal *journal = commit->journal;
    u8 *scratch = commit->scratch;

    if (commit->moves_tail)
        queue_checkpoint(journal, commit->write_backs);
    append_revokes(commit, &scratch);
    append_blocks(commit, &scratch);
    enum status status = finish_and_flush(journal);
    if (status != OK)
        return status;
    append_commit_block(commit, scratch);
    return finish_and_flush(journal);
}

static void commit_settle(struct commit *commit)
{
    struct journal *journal = commit->journal;
    if (commit->moves_tail)
        forget_committed(journal);
    journal_running_settle(journal);
    journal->live += commit->blocks;
    journal->head = commit->at;
    journal->sequence++;
}

/* From here on nothing is written: what is in the log and what is not cannot be told. */
static void abort_journal(struct journal *journal, enum status status)
{
    log_error("journal: %s: transaction %u: %s: read-only from now on",
              journal->cache->disk->name, journal->sequence, status_text(status));
    journal->aborted = true;
}

static enum status commit_running(struct journal *journal)
{
    struct commit commit;
    enum status status = commit_prepare(journal, &commit);
    if (status != OK)
        return status;
    status = commit_write(&commit);
    if (status == OK)
        commit_settle(&commit);
    else
        abort_journal(journal, status);
    commit_release(&commit);
    return status;
}

/* What the hook adds has its room reserved, so a transaction that was let grow is let commit. */
static enum status run_hook(struct journal *journal)
{
    u32 reserve = journal->hook_reserve;
    if (!journal->before_commit)
        return OK;
    journal->hook_reserve = 0;
    enum status status = journal->before_commit(journal->before_commit_context);
    journal->hook_reserve = reserve;
    return status;
}

enum status journal_commit(struct journal *journal)
{
    if (!journal_is_running(journal))
        return OK;
    enum stage outer = port_stage(STAGE_JOURNAL);
    enum status status = journal->aborted ? ERR_READ_ONLY : OK;
    if (status == OK)
        status = run_hook(journal);
    if (status == OK && journal->running_count + journal->revoke_count == 0)
        journal_running_settle(journal);
    else if (status == OK)
        status = commit_running(journal);
    if (status != OK)
        journal_rollback(journal);
    (void)port_stage(outer);
    return status;
}

enum status journal_checkpoint_all(struct journal *journal)
{
    if (journal->aborted || journal->read_only)
        return ERR_READ_ONLY;
    if (journal->superblock.start == 0)
        return OK;
    struct write_back *write_backs =
        port_alloc((journal->committed_count + 1) * sizeof *write_backs);
    if (!write_backs)
        return ERR_NO_MEMORY;
    queue_checkpoint(journal, write_backs);
    enum status status = finish_and_flush(journal);
    if (status == OK)
        status = journal_superblock_write(journal, 0, journal->sequence);
    port_free(write_backs);
    if (status == OK)
        forget_committed(journal);
    else
        abort_journal(journal, status);
    return status;
}
