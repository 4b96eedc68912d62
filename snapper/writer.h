/*
 * A generation on its way to the disk:
 *
 *   name, directories -> bursts of files -> archive and state -> commit    (S1)
 *
 * If that is too much for one transaction it is committed in parts; the first part names the
 * generation in /snapper.state (`writing`), so that the next open finishes it off after a cut.
 * Included by snapshot_write.c and its helpers alone.
 */
#pragma once

#include "snapper/session.h"

struct burst;

struct writer {
    struct snapper *snapper;
    struct generation *generation;
    struct state_file record; /* as it will be */
    bool record_changes;
    struct burst *bursts; /* their memory is the store's until the transaction ends */
    u64 home;             /* /snapper */
    u32 transactions;
};

/* --- writer.c --- */

u64 writer_block_size(const struct writer *writer);
/* Ends a transaction; the generation is not whole yet, which /snapper.state says. */
enum status writer_commit_part(struct writer *writer);
/* So that what comes next (metadata blocks) fits the transaction, and the end of a part after it. */
enum status writer_make_room(struct writer *writer, u64 blocks);
enum status writer_make_directory(struct writer *writer, u64 parent, const char *name,
                                  u64 *node);
/* The directory of level `level`, made if it is not there. */
enum status writer_make_level(struct writer *writer, u32 level, u64 *node);

/* --- writer_files.c --- */

/* All files of the pending objects, which learn their ordinals; `files` counts. */
enum status writer_write_files(struct writer *writer, u32 *files);
/* After the transaction has ended, either way. */
void writer_free_bursts(struct writer *writer);
