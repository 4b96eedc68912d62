/*
 * A queue of block writes: neighbours are gathered into large requests, several are in flight.
 *
 * gather_write() takes one block at a time, in an order that the caller chose for locality; the
 * memory stays untouched until gather_finish(). No block may be given twice between two
 * gather_finish() (D2). Everything is allocated by gather_open(), so a commit cannot fail for lack
 * of memory half-way.
 */
#pragma once

#include "kernel/block/disk.h"

enum { GATHER_REQUESTS = 8, GATHER_SEGMENTS = 1024 };

struct gather_slot {
    struct disk_request request;
    struct disk_segment segments[GATHER_SEGMENTS];
    size_t size_bytes, pieces;
    bool in_flight;
};

struct gather {
    struct disk *disk;
    size_t block_size;
    size_t max_pieces, max_bytes;
    struct gather_slot *slots; /* GATHER_REQUESTS */
    size_t current;            /* the slot being filled */
    enum status status;        /* the first failure since the last finish */
};

/* ERR_NO_MEMORY */
enum status gather_open(struct gather *gather, struct disk *disk, size_t block_size);
void gather_close(struct gather *gather);

/* Failures are kept for gather_finish(). */
void gather_write(struct gather *gather, u64 block, const u8 *data);
/* The same for `size_bytes` (whole sectors) at a sector. */
void gather_write_sectors(struct gather *gather, u64 sector, const u8 *data,
                          size_t size_bytes);

/* Waits for all writes: OK if every one of them completed, else the first failure. */
enum status gather_finish(struct gather *gather);
