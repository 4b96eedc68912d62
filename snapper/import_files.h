/*
 * Snapshot files put in their places in any generation, many at a time. Included by snapper/ alone.
 *
 * Each batch is one transaction or several; whoever begins has named the generations in
 * /snapper.state (X2 of transfer.h).
 */
#pragma once

#include "snapper/session.h"

/* One file to be: the content is the batch's. */
struct import_file {
    u64 key; /* of sorting: place in the list of generations, ordinal */
    struct generation *generation;
    u32 ordinal;
    u32 size;
    u32 crc;
    const u8 *content;
};

struct import_batch {
    struct snapper *snapper;
    struct import_file *files;
    size_t count;
    u8 *contents;
    size_t capacity, used;
    u64 written; /* files, in all */
};

enum { IMPORT_FILES_MAX = 2048, IMPORT_BYTES_MIN = 64 * KIB, IMPORT_BYTES_MAX = 8 * MIB };

/* `expected`: bytes of contents in all, to have no more memory than they need. */
enum status import_batch_open(struct import_batch *batch, struct snapper *snapper,
                              u64 expected);
void import_batch_close(
    struct import_batch *batch); /* what was not flushed is forgotten */

/* Does an object of this size, with so many copies, fit? */
bool import_batch_has_room(const struct import_batch *batch, size_t size, size_t files);
/* Room for a content, until the next flush; in an empty batch for any. ERR_NO_MEMORY. */
enum status import_batch_reserve(struct import_batch *batch, size_t size, u8 **content);
void import_batch_add(struct import_batch *batch, const struct import_file *file);

/* Writes all of it and commits; the batch is empty afterwards. On error it is rolled back. */
enum status import_batch_flush(struct import_batch *batch);
