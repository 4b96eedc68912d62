/*
 * The mapping of a generation in memory: object ids -> snapshot files, as runs.
 *
 * Runs stand in groups as in the archive: the runs of a group cover the same ids, rank 0 first.
 * A mapping that is in use is never changed; a snapshot builds a new one (snapshot_map.c).
 */
#pragma once

#include "snapper/generation.h"

struct crc_block; /* run_crcs.h */

struct mapping_run {
    u64 first_id;
    u32 count;
    u32 object_size;
    struct generation *generation;
    u32 first_ordinal;
    u16 age;
    u8 rank;
    bool crc_known;         /* crc below holds; else it is computed */
    bool judged;            /* all files were seen and compared with crc */
    bool suspect;           /* and were not those that it means */
    u32 crc;                /* over the crc fields */
    u32 learned;            /* crc fields that reading made known */
    u32 crc_at;             /* of first_id, in the block */
    struct crc_block *crcs; /* NULL: none is known */
};

struct mapping {
    u32 references;
    struct mapping_run *runs;
    size_t count;
    size_t capacity;
    u64 objects;
};

/* Empty, one reference. NULL: out of memory. */
struct mapping *mapping_create(void);
struct mapping *mapping_hold(struct mapping *mapping);
void mapping_release(struct mapping *mapping); /* NULL is fine */

/* From an archive; generations that are not in the list yet (dead or gone) are added to it. */
enum status mapping_from_archive(const struct archive *archive,
                                 struct generation_list *list, struct mapping **mapping);
/* The archive's tables; `archive->generations[0]` is `own`. Freed by archive_destroy(). */
enum status mapping_to_archive(const struct mapping *mapping, struct generation *own,
                               struct archive *archive);
/*
 * Makes the checksum of each run known, before it goes into an archive. A file that cannot be read
 * now gets a run of its own, without a checksum: then `mapping` is replaced by another.
 */
enum status mapping_seal(struct mapping **mapping, struct store *store);

/* The group that covers `id`: its runs by rank, and how many; 0: none. */
size_t mapping_find(const struct mapping *mapping, u64 id, struct mapping_run **runs);
/* The run of rank 0 that covers `id`, or the first one behind it; NULL: none. */
const struct mapping_run *mapping_seek(const struct mapping *mapping, u64 id);
/* The runs of the group that begins at index `at`. */
size_t mapping_group_size(const struct mapping *mapping, size_t at);

/* Appends a copy of the run; takes a reference to its block. ERR_NO_MEMORY. */
enum status mapping_append(struct mapping *mapping, const struct mapping_run *run);
/* A part of a run: `count` ids from the `offset`th on. Borrows the block. */
struct mapping_run mapping_slice(const struct mapping_run *run, u32 offset, u32 count);
