/*
 * What the parts of the journal share.
 *
 *   journal.c              open, close, the superblock
 *   journal_location.c     where a journal block lies
 *   journal_replay.c       committed transactions of an earlier life; reads the log by
 *                          journal_reader.c, writes by journal_restore.c
 *   journal_transaction.c  the running transaction: modify, revoke, roll back
 *   journal_commit.c       the commit, and the checkpoint that makes room for it
 *
 * The live log reaches from the tail to the head: the transactions whose blocks are not at their
 * places yet. The log is a ring, and checkpoints are all or nothing: when the live log has grown
 * to `checkpoint_limit`, the next commit first writes every block it holds to its place, and
 * becomes the new tail. So there is one number to keep, and no per-transaction list.
 */
#pragma once

#include "kernel/block/gather.h"
#include "kernel/fs/jbd2/journal.h"
#include "kernel/fs/jbd2/journal_format.h"

/*
 * A block that the journal has to do with, and its one pin on the buffer. It is in the running
 * transaction, in the live log, or in both; in neither it does not exist.
 */
struct journal_entry {
    struct buffer *buffer;
    struct list_link running;   /* in journal->running while in the running transaction */
    struct list_link committed; /* in journal->committed while the live log holds it */
    u8 *undo; /* the last committed content; there if the running one may change it */
    bool
        was_zero; /* instead of an undo: not in the live log, and zero before the running one */
    bool freed; /* by the running transaction: not logged, and forgotten by its commit */
};

/* The extents once more, in the order of the disk. */
struct journal_place {
    u64 disk_block; /* first: sort_by_key() */
    u64 count;
};

struct journal {
    struct cache *cache;
    struct gather gather;
    struct journal_extent *extents;
    struct journal_place *places;
    size_t extent_count;
    u8 raw_superblock[JOURNAL_SUPERBLOCK_SIZE];
    struct journal_superblock superblock; /* as on the disk */
    struct journal_layout layout;
    bool checksums, wide_blocks; /* wanted from the next use on */

    u32 log_end;          /* one beyond the log's last block */
    u32 head;             /* where the next transaction goes */
    u32 sequence;         /* its number */
    u32 live;             /* blocks from the tail to the head */
    u32 cap;              /* most blocks of one transaction in the log */
    u32 checkpoint_limit; /* most blocks of the live log */

    struct list running, committed; /* of journal_entry */
    u32 running_count;              /* blocks to log: entries that are not freed */
    u32 revoke_count;               /* entries freed of which the live log has a copy */
    u32 committed_count;
    struct map freed; /* block / 64 -> mask, for journal_is_freed() */

    enum status (*before_commit)(void *context);
    void *before_commit_context;
    u32 hook_reserve; /* room kept for its block; 0 while it runs */
    bool read_only;   /* replayed in memory */
    bool aborted;
};

/* --- journal_location.c --- */

/* Checks and copies it. ERR_CORRUPT, ERR_NO_MEMORY; what is there is freed by journal_close(). */
enum status journal_location_init(struct journal *journal,
                                  const struct journal_location *location);
/* Disk block of a journal block inside the journal. */
u64 journal_map(const struct journal *journal, u32 journal_block);
/* The same, and how many journal blocks follow each other there. */
u64 journal_map_run(const struct journal *journal, u32 journal_block, u32 *count);
/* Does the disk block belong to the journal? */
bool journal_holds(const struct journal *journal, u64 disk_block);

/* --- journal.c --- */

/* Blocks of the ring of the log. */
u32 journal_length(const struct journal *journal);
/* The block `count` further on in the ring of the log. */
u32 journal_advance(const struct journal *journal, u32 journal_block, u32 count);
/* Puts start and sequence into the first sector of the superblock, which gather then writes. */
void journal_superblock_stage(struct journal *journal, u32 start, u32 sequence);
/* The same written at once and flushed. */
enum status journal_superblock_write(struct journal *journal, u32 start, u32 sequence);

/* --- journal_transaction.c --- */

/* An entry in neither list, for a buffer that has none. NULL: memory is short. */
struct journal_entry *journal_entry_create(struct buffer *buffer);
/* Takes it out of the lists it is in and gives the buffer back to the cache. */
void journal_entry_destroy(struct journal *journal, struct journal_entry *entry);
void journal_committed_add(struct journal *journal, struct journal_entry *entry);
void journal_committed_remove(struct journal *journal, struct journal_entry *entry);
/* The running transaction is durable. */
void journal_running_settle(struct journal *journal);

/* Blocks of the log for so many logged and revoked blocks, with the commit block. */
u32 journal_log_blocks(const struct journal *journal, u32 logged, u32 revoked);
