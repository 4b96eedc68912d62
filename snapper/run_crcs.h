/*
 * The crc fields of a run's files, as far as they are known: from having been written or read.
 *
 * The archive holds one checksum over all of them. It is compared when the last one becomes known, so
 * that a file that is valid in itself, but not the one that was meant, is found out. Slices of a run
 * share its block.
 */
#pragma once

#include "snapper/mapping.h"

struct crc_block {
    u32 references;
    u32 count;
    u32 values[]; /* and behind them a bit for each: is it known? */
};

/* Nothing known, one reference. NULL: out of memory. */
struct crc_block *crc_block_create(u32 count);
void crc_block_release(struct crc_block *block);
void crc_block_set(struct crc_block *block, u32 index, u32 crc);

/* The crc field of the file of `id`, which the run covers; false: not known. */
[[nodiscard]] bool run_crc_get(const struct mapping_run *run, u64 id, u32 *crc);
/*
 * The file of `id` was read, and has this crc. ERR_CORRUPT: now that all are known they are not
 * those that the archive means, which is said once; so is every file of the run from then on.
 */
enum status run_crc_learn(struct mapping_run *run, u64 id, u32 crc);
/*
 * The checksum over all; files are read for what is not known. `unreadable` is the index of the first
 * that cannot be read (which is said; `crc` is then worth nothing), or the run's count.
 */
enum status run_crc_of_all(struct mapping_run *run, struct store *store, u32 *crc,
                           u32 *unreadable);
