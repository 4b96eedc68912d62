/*
 * A model of snapper/store.h in memory: what Snapper's files would be on a perfect journaling file
 * system, with a power switch and things that break on demand.
 *
 * What is committed and what is current are two trees that share the nodes in which they agree.
 * ram_store_crash() forgets the current one. The model is stricter than any real store: borrowed
 * memory that changed before the commit, a commit after an operation that failed half-way, a node
 * used after it is gone, all end the test (port_panic).
 */
#pragma once

#include "snapper/store.h"

struct ram_limits {
    u32 block_size;       /* 0: 1024 */
    u64 total_blocks;     /* 0: plenty; all of these limits may be changed at any time */
    u64 total_nodes;      /* 0: plenty */
    u32 transaction_room; /* metadata blocks; 0: plenty */
    u32 room_slack; /* room that a change wants beyond what it takes, as ext4 does */
};

struct ram_counters {
    u64 operations; /* of every kind */
    u64 commits, flushes;
    u64 reads, bytes_read, lookups;
    u64 files_created, bytes_written, removals, pokes;
};

struct ram_store; /* its first member is the struct store */

struct ram_store *ram_store_create(const struct ram_limits *limits, u64 seed);
void ram_store_destroy(struct ram_store *ram);
struct store *ram_store_store(struct ram_store *ram);

struct ram_limits *ram_store_limits(struct ram_store *ram);
struct ram_counters *ram_store_counters(struct ram_store *ram); /* may be zeroed */
void ram_store_set_read_only(struct ram_store *ram, bool read_only);

/*
 * The n-th operation from now (1: the next) fails with `status` and, if it changes something, leaves
 * part of its work; 0: none does. `for_good`: so do all after it, as without power.
 */
void ram_store_fail(struct ram_store *ram, u64 nth, enum status status, bool for_good);
/* The power fails after the n-th commit from now; 0: never. All operations then fail. */
void ram_store_fail_after_commit(struct ram_store *ram, u64 nth);

/*
 * Power off and on: back to the last commit; each poke since the last flush is there or is not, as
 * the seed has it. Failures that were ordered are forgotten.
 */
void ram_store_crash(struct ram_store *ram);

/*
 * For tests that look or damage: the bytes of a file by path in the tree, NULL if there is none. A
 * change goes to the current and the committed tree, outside any transaction.
 */
u8 *ram_store_bytes(struct ram_store *ram, const char *path, size_t *size);
bool ram_store_exists(struct ram_store *ram, const char *path);
/* Makes or replaces a file (its directories too), or an empty directory if `data` is NULL; commits. */
void ram_store_put(struct ram_store *ram, const char *path, const void *data,
                   size_t size);
/* Removes a file or a directory with all that is in it; commits. */
void ram_store_remove(struct ram_store *ram, const char *path);

/* Calls `visit` for every file and directory, parents first, with its path. */
typedef void ram_visit(void *context, const char *path, bool is_directory, const u8 *data,
                       size_t size);
void ram_store_walk(struct ram_store *ram, ram_visit *visit, void *context);
/* Blocks in use by what is committed, for conservation checks. */
u64 ram_store_used_blocks(const struct ram_store *ram);
