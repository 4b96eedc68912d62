/*
 * Replay: what was committed before the machine stopped goes to its place.
 *
 *   scan      walks from the tail as long as blocks carry the expected sequence numbers and valid
 *             checksums, and keeps what lies up to the last commit block
 *   collect   of every block the newest copy that no later revoke forbids
 *   verify    compares them with their checksums
 *   restore   copies them to the disk (or only into memory)
 *
 * Walks are bounded by the length of the log, memory by what fits in it.
 */
#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/sort.h"
#include "kernel/base/string.h"
#include "kernel/fs/jbd2/journal_restore.h"

enum { FAST_COMMIT_HEAD_TAG = 9, FAST_COMMIT_HEAD_TID_AT = 8 };

struct replay {
    struct journal *journal;
    struct journal_reader reader;
    u32 transactions; /* that are complete */
    u32 end;          /* the block behind the last of them, counted from the tail */
    u32 revoked;      /* copies that a revoke forbade */
    struct map
        revokes; /* block -> number of the last transaction that revokes it, from 0 */
    struct map newest;           /* block -> index in copies, but of revoked ones */
    struct journal_copy *copies; /* `capacity`: as many as the log has blocks */
    size_t count, capacity;
};

/* --- walking the log --- */

/* A block of the log that is not a copy. */
struct visited {
    const u8 *raw;
    u32 type;
    u32 transaction; /* counted from 0 */
    u32 at;          /* counted from the tail */
};

/* What a walk does with each of them. */
typedef enum status visit_block(struct replay *replay, const struct visited *visited);

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
    struct visited here = { 0 };

    while (here.transaction < limit && here.at < journal_length(journal)) {
        u32 sequence = journal->superblock.sequence + here.transaction;
        enum status status = journal_reader_get(&replay->reader, here.at, &here.raw);
        if (status != OK)
            return status;
        if (!belongs(layout, here.raw, sequence, &here.type))
            break;
        u32 copies = here.type == JOURNAL_DESCRIPTOR ? count_tags(layout, here.raw) : 0;
        if (visit)
            status = visit(replay, &here);
        if (status != OK)
            return status;
        here.at += 1 + copies;
        here.transaction += here.type == JOURNAL_COMMIT;
        if (here.type == JOURNAL_COMMIT)
            replay->end = here.at;
    }
    replay->transactions = here.transaction;
    return OK;
}

static enum status note_revokes(struct replay *replay, const struct visited *visited)
{
    const struct journal_layout *layout = &replay->journal->layout;
    u32 count = 0;
    if (visited->type != JOURNAL_REVOKE)
        return OK;
    enum status status = journal_revoke_count(layout, visited->raw, &count);
    for (u32 i = 0; status == OK && i < count; i++)
        status = map_set(&replay->revokes, journal_revoke_at(layout, visited->raw, i),
                         visited->transaction);
    return status;
}

static enum status note_copy(struct replay *replay, const struct journal_tag *tag,
                             u32 transaction, u32 at)
{
    const struct journal *journal = replay->journal;
    u64 revoked_by, index = replay->count;

    if (tag->block >= journal->cache->block_count || journal_holds(journal, tag->block) ||
        at >= journal_length(journal) || replay->count == replay->capacity) {
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
        (struct journal_copy){ at, tag->block, journal->superblock.sequence + transaction,
                               tag->checksum, tag->escaped };
    return OK;
}

static enum status note_copies(struct replay *replay, const struct visited *visited)
{
    struct journal_tag_cursor cursor;
    struct journal_tag tag;
    u32 at = visited->at;
    enum status status = OK;
    if (visited->type != JOURNAL_DESCRIPTOR)
        return OK;
    journal_tag_first(&cursor, &replay->journal->layout, visited->raw);
    while (status == OK && journal_tag_next(&cursor, &tag))
        status = note_copy(replay, &tag, visited->transaction, ++at);
    return status;
}

/* --- what speaks against a replay --- */

/* Fast commits are Linux's own shorthand beside the log; we do not write them, nor read them. */
static enum status refuse_fast_commits(struct replay *replay)
{
    struct journal *journal = replay->journal;
    u8 raw[SECTOR_SIZE];
    if (journal->superblock.fast_commit_blocks == 0)
        return OK;
    u64 sector = journal_map(journal, journal->log_end) *
                 (journal->cache->block_size / SECTOR_SIZE);
    enum status status = disk_read(journal->cache->disk, sector, raw, sizeof raw);
    if (status != OK)
        return status;
    if (get_le16(raw) != FAST_COMMIT_HEAD_TAG ||
        get_le32(raw + FAST_COMMIT_HEAD_TID_AT) !=
            journal->superblock.sequence + replay->transactions)
        return OK;
    log_error("journal: fast commits after transaction %u: run e2fsck",
              journal->superblock.sequence + replay->transactions - 1);
    return ERR_UNSUPPORTED;
}

/* Is it a whole commit block of transaction `sequence` or a later one? */
static bool is_later_commit(const struct journal *journal, const u8 *raw, u32 sequence)
{
    u32 type, found;
    struct journal_commit_block commit;
    if (!journal_header_decode(raw, &type, &found) || type != JOURNAL_COMMIT ||
        found - sequence >= journal_length(journal))
        return false;
    journal_commit_decode(&journal->layout, raw, &commit);
    return commit.valid;
}

/*
 * A commit block is written when all that it commits is durable. So if one stands behind the end
 * of the log, it was no torn write that ended it: something that had been committed is damaged.
 * We look as far as our own live log can reach, and only with checksums; without them whatever
 * lay on the disk before could look like a commit block.
 */
static enum status refuse_damage(struct replay *replay)
{
    struct journal *journal = replay->journal;
    u32 sequence = journal->superblock.sequence + replay->transactions;
    u32 limit = journal->checkpoint_limit;
    const u8 *raw;
    if (!journal_has_checksums(&journal->layout))
        return OK;
    if (replay->transactions == 0 && limit < journal->cap)
        limit = journal->cap; /* the tail alone may be longer */
    for (u32 at = replay->end; at < limit; at++) {
        if (journal_reader_get(&replay->reader, at, &raw) != OK)
            return OK; /* a disk that cannot be read there says nothing against the log */
        if (is_later_commit(journal, raw, sequence)) {
            log_error("journal: transaction %u was committed and is damaged: run e2fsck",
                      sequence);
            return ERR_CORRUPT;
        }
    }
    return OK;
}

/* --- all of it --- */

static enum status collect(struct replay *replay)
{
    replay->capacity = journal_length(replay->journal);
    replay->copies = port_alloc(replay->capacity * sizeof *replay->copies);
    if (!replay->copies)
        return ERR_NO_MEMORY;
    enum status status = walk(replay, UINT32_MAX, NULL);
    u32 complete = replay->transactions;
    if (status == OK)
        status = refuse_fast_commits(replay);
    if (status == OK)
        status = refuse_damage(replay);
    if (status == OK)
        status = walk(replay, complete, note_revokes);
    if (status == OK)
        status = walk(replay, complete, note_copies);
    if (status == OK && replay->count > 0)
        sort_by_key(replay->copies, replay->count, sizeof *replay->copies);
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
 * The log is empty from now on. The number that comes next was never used: a transaction may have
 * been begun with the one after the last complete one, and its blocks still lie there. Behind a
 * lost header there may even be complete ones, but fewer than the log has blocks.
 */
static enum status mark_empty(struct journal *journal, u32 transactions)
{
    u32 passed = journal->superblock.start == 0 ? 0 : journal_length(journal);
    want_features(journal);
    journal->sequence = journal->superblock.sequence + transactions + 1 + passed;
    return journal_superblock_write(journal, 0, journal->sequence);
}

static enum status replay_log(struct replay *replay, bool in_memory_only)
{
    struct journal *journal = replay->journal;
    if (journal->superblock.incompat & JOURNAL_INCOMPAT_ASYNC_COMMIT) {
        log_error("journal: dirty, of asynchronous commits: run e2fsck");
        return ERR_UNSUPPORTED;
    }
    enum status status = journal_reader_open(&replay->reader, journal);
    if (status == OK)
        status = collect(replay);
    if (status == OK)
        status = journal_restore_verify(&replay->reader, replay->copies, replay->count);
    if (status != OK)
        return status;
    if (in_memory_only)
        return journal_restore_to_memory(&replay->reader, replay->copies, replay->count);
    status = journal_restore_to_disk(&replay->reader, replay->copies, replay->count);
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
    journal_reader_close(&replay.reader);
    return status;
}
