/*
 * A journal on a disk in memory, without a file system around it.
 *
 *   0 ... 255 blocks to journal | the journal, in three pieces that lie in no order
 *
 * Every block holds one value: each word of it is made from the value and its place, so a torn or
 * mixed block is found out; values divisible by 3 begin with the journal's magic (escapes).
 */
#pragma once

#include "kernel/fs/jbd2/journal.h"
#include "kernel/fs/jbd2/journal_format.h"
#include "tests/support/ram_disk.h"

enum { FIXTURE_BLOCKS = 256, FIXTURE_EXTENTS = 3 };

struct journal_fixture_options {
    u32 block_size;              /* 0: 1024 */
    u32 journal_blocks;          /* 0: 64 */
    u32 incompat;                /* what the superblock on the disk says at first */
    u32 fast_commit_blocks;      /* at the journal\'s end, with that feature */
    bool checksums, wide_blocks; /* what the file system has */
};

struct journal_fixture {
    struct ram_disk ram;
    struct cache cache;
    struct journal *journal; /* NULL while not mounted */
    struct journal_extent extents[FIXTURE_EXTENTS];
    struct journal_location location;
    struct journal_replay_report report; /* of the last mount */
    u32 block_size;
};

/* The disk with an empty journal; NULL: the defaults. Nothing is mounted yet. */
void journal_fixture_open(struct journal_fixture *fixture,
                          const struct journal_fixture_options *options);
void journal_fixture_close(struct journal_fixture *fixture);

/* Opens and replays. After a failure nothing is mounted. */
enum status journal_fixture_mount(struct journal_fixture *fixture, bool in_memory_only);
/* Drops all that is in memory, as a power cut does after everything written has arrived. */
void journal_fixture_crash(struct journal_fixture *fixture);

/* Sector-aligned bytes of a block on the disk, of a journal block inside the journal. */
u8 *journal_fixture_bytes(struct journal_fixture *fixture, u64 block);
u8 *journal_fixture_log(struct journal_fixture *fixture, u32 journal_block);

void journal_fixture_fill(const struct journal_fixture *fixture, u8 *data, u64 value);
/* The value that the block holds; UINT64_MAX if it is no whole block of one value. 0: zeros. */
u64 journal_fixture_value(const struct journal_fixture *fixture, const u8 *data);

/* Reads the block through the cache. */
u64 journal_fixture_get(struct journal_fixture *fixture, u64 block);
/* Gives the block a value in the running transaction; `fresh`: without reading it. */
enum status journal_fixture_set(struct journal_fixture *fixture, u64 block, u64 value);
enum status journal_fixture_set_fresh(struct journal_fixture *fixture, u64 block,
                                      u64 value);
/* The value on the disk. */
u64 journal_fixture_on_disk(struct journal_fixture *fixture, u64 block);

/* The superblock of the journal on the disk. */
void journal_fixture_superblock(struct journal_fixture *fixture,
                                struct journal_superblock *superblock);
/* After a test has changed its raw bytes. */
void journal_fixture_reseal(struct journal_fixture *fixture);
