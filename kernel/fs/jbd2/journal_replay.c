/*
 * Replay: what was committed before the machine stopped goes to its place.
 *
 *   scan      walks from the tail as long as blocks carry the expected sequence numbers and valid
 *             checksums, and keeps what lies up to the last commit block
 *   collect   of every block the newest copy that no later revoke forbids
 *   restore   copies them to the disk (or only into memory), checking each against its tag
 *
 * Walks are bounded by the length of the log, memory by what fits in it.
 */
#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/sort.h"
#include "kernel/base/string.h"
#include "kernel/fs/jbd2/journal_internal.h"

enum { RESTORE_BATCH = 64, FAST_COMMIT_HEAD_TAG = 9, FAST_COMMIT_HEAD_TID_AT = 8 };

/* The newest copy of a block, in the log. */
struct copy {
    u64 log_block; /* first: sort_by_key(); counted from the tail, so that it ascends */
    u64 block;
    u32 sequence;
    u32 checksum;
    bool escaped;
};

struct replay {
    struct journal *journal;
    u8 *raw; /* one block */
    u32 transactions;
    u32 revoked; /* copies that a revoke forbade */
    struct map
        revokes; /* block -> number of the last transaction that revokes it, from 0 */
    struct map newest;   /* block -> index in copies, but of revoked ones */
    struct copy *copies; /* `capacity`: as many as the log has blocks */
    size_t count, capacity;
};

static u32 log_length(const struct journal *journal)
{
    return journal->log_end - journal->superblock.first;
}

static u64 sector_of(const struct journal *journal, u64 block)
{
    return block * (journal->cache->block_size / SECTOR_SIZE);
}

/* `at` counts from the tail. */
static enum status read_log(struct journal *journal, u64 at, u8 *raw)
{
    u32 block = journal_advance(journal, journal->superblock.start, (u32)at);
    return disk_read(journal->cache->disk,
                     sector_of(journal, journal_map(journal, block)), raw,
                     journal->cache->block_size);
}

/* --- walking the log --- */

/* What a walk does with each block that is not a copy; `at` counts from the tail. */
typedef enum status visit_block(struct replay *replay, u32 type, u32 transaction, u32 at);

static u32 count_tags(const struct journal_layout *layout, const u8 *raw)
{
    struct journal_tag_cursor cursor;
    struct journal_tag tag;
    u32 count = 0;
    journal_tag_first(&cursor, layout, raw);
    while (journal_tag_next(&cursor, &tag))
        count++;
    return count;
}

/* Does the block just read continue transaction `sequence`? */
static bool belongs(const struct journal_layout *layout, const u8 *raw, u32 sequence,
                    u32 *type)
{
    u32 found;
    struct journal_commit_block commit;
    if (!journal_header_decode(raw, type, &found) || found != sequence)
        return false;
    switch (*type) {
    case JOURNAL_DESCRIPTOR:
    case JOURNAL_REVOKE:
        return journal_tail_is_valid(layout, raw);
    case JOURNAL_COMMIT:
        journal_commit_decode(layout, raw, &commit);
        return commit.valid;
    default:
        return false;
    }
}

/*
 * Visits the first `limit` transactions, or with no `visit` counts those that are complete.
 * What does not belong ends the log: it was being written when the machine stopped.
 */
static enum status walk(struct replay *replay, u32 limit, visit_block *visit)
{
    struct journal *journal = replay->journal;
    const struct journal_layout *layout = &journal->layout;
    u32 at = 0, transaction = 0, type = 0;

    while (transaction < limit && at < log_length(journal)) {
        u32 sequence = journal->superblock.sequence + transaction;
        enum status status = read_log(journal, at, replay->raw);
        if (status != OK)
            return status;
        if (!belongs(layout, replay->raw, sequence, &type))
            break;
        u32 copies = type == JOURNAL_DESCRIPTOR ? count_tags(layout, replay->raw) : 0;
        if (visit)
            status = visit(replay, type, transaction, at);
        if (status != OK)
            return status;
        at += 1 + copies;
        transaction += type == JOURNAL_COMMIT;
    }
    replay->transactions = transaction;
    return OK;
}

static enum status note_revokes(struct replay *replay, u32 type, u32 transaction, u32 at)
{
    const struct journal_layout *layout = &replay->journal->layout;
    u32 count = 0;
    (void)at;
    if (type != JOURNAL_REVOKE)
        return OK;
    enum status status = journal_revoke_count(layout, replay->raw, &count);
    for (u32 i = 0; status == OK && i < count; i++)
        status = map_set(&replay->revokes, journal_revoke_at(layout, replay->raw, i),
                         transaction);
    return status;
}

static enum status note_copy(struct replay *replay, const struct journal_tag *tag,
                             u32 transaction, u32 at)
{
    const struct journal *journal = replay->journal;
    u64 revoked_by, index = replay->count;

    if (tag->block >= journal->cache->block_count || at >= log_length(journal) ||
        replay->count == replay->capacity) {
        log_error("journal: transaction %u: tag for block %llu",
                  journal->superblock.sequence + transaction,
                  (unsigned long long)tag->block);
        return ERR_CORRUPT;
    }
    if (map_get(&replay->revokes, tag->block, &revoked_by) && transaction <= revoked_by) {
        replay->revoked++;
        return OK;
    }
    if (!map_get(&replay->newest, tag->block, &index)) {
        enum status status = map_set(&replay->newest, tag->block, index);
        if (status != OK)
            return status;
        replay->count++;
    }
    replay->copies[index] =
        (struct copy){ at, tag->block, journal->superblock.sequence + transaction,
                       tag->checksum, tag->escaped };
    return OK;
}

static enum status note_copies(struct replay *replay, u32 type, u32 transaction, u32 at)
{
    struct journal_tag_cursor cursor;
    struct journal_tag tag;
    enum status status = OK;
    if (type != JOURNAL_DESCRIPTOR)
        return OK;
    journal_tag_first(&cursor, &replay->journal->layout, replay->raw);
    while (status == OK && journal_tag_next(&cursor, &tag))
        status = note_copy(replay, &tag, transaction, ++at);
    return status;
}

/* Fast commits are Linux's own shorthand beside the log; we do not write them, nor read them. */
static enum status refuse_fast_commits(struct replay *replay)
{
    struct journal *journal = replay->journal;
    if (journal->superblock.fast_commit_blocks == 0)
        return OK;
    enum status status = disk_read(
        journal->cache->disk, sector_of(journal, journal_map(journal, journal->log_end)),
        replay->raw, journal->cache->block_size);
    if (status != OK)
        return status;
    if (get_le16(replay->raw) != FAST_COMMIT_HEAD_TAG ||
        get_le32(replay->raw + FAST_COMMIT_HEAD_TID_AT) !=
            journal->superblock.sequence + replay->transactions)
        return OK;
    log_error("journal: fast commits after transaction %u: run e2fsck",
              journal->superblock.sequence + replay->transactions - 1);
    return ERR_UNSUPPORTED;
}

static enum status collect(struct replay *replay)
{
    replay->capacity = log_length(replay->journal);
    replay->copies = port_alloc(replay->capacity * sizeof *replay->copies);
    if (!replay->copies)
        return ERR_NO_MEMORY;
    enum status status = walk(replay, UINT32_MAX, NULL);
    u32 complete = replay->transactions;
    if (status == OK)
        status = refuse_fast_commits(replay);
    if (status == OK)
        status = walk(replay, complete, note_revokes);
    if (status == OK)
        status = walk(replay, complete, note_copies);
    if (status == OK && replay->count > 0)
        sort_by_key(replay->copies, replay->count, sizeof *replay->copies);
    return status;
}

/* --- restoring --- */

/* As the block was before the log took it. */
static enum status read_copy(struct replay *replay, const struct copy *copy, u8 *data)
{
    struct journal *journal = replay->journal;
    const struct journal_tag tag = { copy->block, copy->escaped, copy->checksum };
    enum status status = read_log(journal, copy->log_block, data);
    if (status != OK)
        return status;
    if (!journal_tag_matches(&journal->layout, &tag, copy->sequence, data)) {
        log_error("journal: transaction %u: bad checksum of block %llu", copy->sequence,
                  (unsigned long long)copy->block);
        return ERR_CORRUPT;
    }
    if (copy->escaped)
        put_be32(data, JOURNAL_MAGIC);
    return OK;
}

static enum status restore_to_disk(struct replay *replay)
{
    struct journal *journal = replay->journal;
    size_t block_size = journal->cache->block_size;
    enum status status = OK;
    u8 *batch = port_alloc(RESTORE_BATCH * block_size);
    if (!batch)
        return ERR_NO_MEMORY;

    for (size_t done = 0; status == OK && done < replay->count; done += RESTORE_BATCH) {
        size_t count = min_size(RESTORE_BATCH, replay->count - done);
        for (size_t i = 0; i < count; i++) {
            const struct copy *copy = &replay->copies[done + i];
            status = read_copy(replay, copy, batch + i * block_size);
            if (status != OK)
                break;
            cache_forget(journal->cache, copy->block);
            gather_write(&journal->gather, copy->block, batch + i * block_size);
        }
        enum status written = gather_finish(&journal->gather);
        if (status == OK)
            status = written;
    }
    port_free(batch);
    return status;
}

static enum status restore_to_memory(struct replay *replay)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < replay->count; i++) {
        const struct copy *copy = &replay->copies[i];
        struct buffer *buffer;
        struct journal_entry *entry = NULL;
        status = cache_get_fresh(replay->journal->cache, copy->block, &buffer);
        if (status != OK)
            return status;
        status = read_copy(replay, copy, buffer->data);
        if (status == OK && !(entry = journal_entry_create(buffer)))
            status = ERR_NO_MEMORY;
        if (status == OK) {
            buffer->transient = false;
            journal_committed_add(replay->journal, entry);
        }
        cache_release(buffer);
    }
    return status;
}

static void want_features(struct journal *journal)
{
    struct journal_superblock *superblock = &journal->superblock;
    superblock->incompat &= ~(u32)JOURNAL_INCOMPAT_ASYNC_COMMIT;
    superblock->incompat |= JOURNAL_INCOMPAT_REVOKE;
    if (journal->wide_blocks)
        superblock->incompat |= JOURNAL_INCOMPAT_64BIT;
    if (journal->checksums) {
        superblock->incompat &= ~(u32)JOURNAL_INCOMPAT_CSUM_V2;
        superblock->incompat |= JOURNAL_INCOMPAT_CSUM_V3;
        superblock->compat &= ~(u32)JOURNAL_COMPAT_CHECKSUM;
    }
    journal_layout_init(&journal->layout, superblock);
}

/*
 * The log is empty from now on. The number that comes next was never used: a transaction may
 * have been begun with the one after the last complete one, and its blocks still lie there.
 */
static enum status mark_empty(struct journal *journal, u32 transactions)
{
    want_features(journal);
    journal->sequence = journal->superblock.sequence + transactions + 1;
    return journal_superblock_write(journal, 0, journal->sequence);
}

static enum status replay_log(struct replay *replay, bool in_memory_only)
{
    struct journal *journal = replay->journal;
    replay->raw = port_alloc(journal->cache->block_size);
    if (!replay->raw)
        return ERR_NO_MEMORY;
    if (journal->superblock.incompat & JOURNAL_INCOMPAT_ASYNC_COMMIT) {
        log_error("journal: dirty, of asynchronous commits: run e2fsck");
        return ERR_UNSUPPORTED;
    }
    enum status status = collect(replay);
    if (status != OK)
        return status;
    if (in_memory_only)
        return restore_to_memory(replay);
    status = restore_to_disk(replay);
    return status == OK ? disk_flush(journal->cache->disk) : status;
}

enum status journal_replay(struct journal *journal, bool in_memory_only,
                           struct journal_replay_report *report)
{
    struct replay replay = { .journal = journal };
    bool was_dirty = journal->superblock.start != 0;
    map_init(&replay.revokes);
    map_init(&replay.newest);
    journal->read_only = in_memory_only;

    enum status status = OK;
    if (was_dirty)
        status = replay_log(&replay, in_memory_only);
    if (status == OK && !in_memory_only)
        status = mark_empty(journal, replay.transactions);
    if (status == OK)
        *report = (struct journal_replay_report){ was_dirty, replay.transactions,
                                                  (u32)replay.count, replay.revoked };
    map_destroy(&replay.revokes);
    map_destroy(&replay.newest);
    port_free(replay.copies);
    port_free(replay.raw);
    return status;
}
