/*
 * The journal: groups of changed blocks that reach the disk together or not at all (jbd2).
 *
 *   running --commit--> committed --checkpoint--> gone
 *      \--rollback--> as if it had never been
 *
 * J1  A block is changed only after journal_modify() on its buffer; that keeps a copy of the
 *     last committed content, so journal_rollback() restores every buffer exactly.
 * J2  journal_commit(): data written by the caller and earlier checkpoints, descriptors and
 *     metadata -> FLUSH -> commit block -> FLUSH. When it returns OK the transaction is durable.
 *     The commit block on the platter is the commit point.
 * J3  A block freed in a transaction is given to journal_revoke(), so that an older copy in the
 *     log is never replayed over its next use; a reuse as metadata cancels the revoke.
 * J4  Blocks and inodes freed in a transaction are not allocated before its commit is durable;
 *     ext4's allocator asks journal_is_freed().
 * J5  Checkpoint writes of older transactions go out before the next commit's first flush, the
 *     log's new tail between its two; log space is reused only after the second (two flushes a
 *     transaction, no more).
 * J6  The sequence number is never reset, not even by a clean unmount.
 * J7  An I/O error in replay leaves the recovery flag; an I/O error in commit makes the journal
 *     read-only (journal_is_aborted()), and everything committed before stays readable.
 *
 * The file system hands over where the journal lies: a list of extents, so that this layer
 * knows nothing of inodes.
 */
#pragma once

#include "kernel/block/cache.h"

/* `count` consecutive journal blocks from `journal_block` on lie at disk block `disk_block`. */
struct journal_extent {
    u32 journal_block;
    u32 count;
    u64 disk_block;
};

struct journal_location {
    const struct journal_extent
        *extents; /* in order, covering the journal; copied by journal_open() */
    size_t extent_count;
    /* What the file system has, and so the log should have from its next use on. */
    bool
        checksums; /* metadata_csum: descriptors, blocks and commits carry checksums (v3) */
    bool wide_blocks; /* 64bit: block numbers of 64 bits */
};

struct journal;

/* What a replay did, for the boot log and for tests. */
struct journal_replay_report {
    bool was_dirty;
    u32 transactions;
    u32 blocks;
    u32 revoked;
};

/*
 * Reads and checks the journal superblock. ERR_CORRUPT, ERR_UNSUPPORTED (an incompat feature, by
 * name in the log), ERR_IO.
 */
enum status journal_open(struct cache *cache, const struct journal_location *location,
                         struct journal **journal);
/*
 * Replays committed transactions to their place on disk, flushes, and marks the log empty (its
 * sequence moves on). Must be called once before the first change, also on a clean journal.
 * With `in_memory_only` nothing is written: replayed blocks become pinned buffers of the cache,
 * for read-only use of a dirty image.
 */
enum status journal_replay(struct journal *journal, bool in_memory_only,
                           struct journal_replay_report *report);
/* After journal_checkpoint_all(), or to drop everything. Never writes. */
void journal_close(struct journal *journal);

/* --- the running transaction: begun by the first change, ended by commit or rollback --- */

/* Before changing buffer->data. ERR_TRANSACTION_FULL: over the cap; ERR_READ_ONLY: aborted. */
enum status journal_modify(struct journal *journal, struct buffer *buffer);
/* `count` blocks from `block` are freed (J3, J4); also drops them from the running transaction. */
enum status journal_revoke(struct journal *journal, u64 block, u64 count);
/* Was any block freed by the running transaction? */
bool journal_has_freed(const struct journal *journal);
/* Was the block freed by the running transaction, so that it must not be handed out yet? */
bool journal_is_freed(const struct journal *journal, u64 block);
/*
 * Blocks that may still join the running transaction, beside the one that the hook below may add:
 * whatever was let in commits. Callers split work that can be split.
 */
u32 journal_room(const struct journal *journal);
bool journal_is_running(
    const struct journal *journal); /* has the running transaction changed anything? */

/*
 * Durable on OK; nothing to do is OK and costs nothing. On error the transaction is rolled back in
 * memory, whatever the reason; after ERR_IO the journal is aborted (J7), and if the device failed
 * around the commit block itself only the next replay tells, all or nothing.
 */
enum status journal_commit(struct journal *journal);
void journal_rollback(struct journal *journal);

/*
 * Called within each commit, first: the file system puts its superblock in (it is part of each
 * transaction). The hook changes one block at most.
 */
void journal_set_before_commit(struct journal *journal,
                               enum status (*hook)(void *context), void *context);

/* Writes all committed blocks to their places, flushes, empties the log (clean unmount). */
enum status journal_checkpoint_all(struct journal *journal);
bool journal_is_aborted(const struct journal *journal);
