/*
 * Power cuts in a record of writes and flushes, in order.
 *
 * Behind record N, with F the last flush before it: everything up to F is on the platter; of the
 * records since F each 512-byte sector independently holds any version, or the old one. So a cut is
 * the pair (N, choice): choice 0 is "all that completed arrived", every other number draws a subset.
 *
 * An image is told by a number: the sum of a hash of each of its sectors. Two cuts that leave the same
 * bytes have the same number, whatever was written to get there.
 */
#pragma once

#include "tests/support/layered_disk.h"

struct cut_walk {
    const struct ram_disk_record *records; /* borrowed */
    size_t count;
    size_t size_bytes;
    u8 *platter;    /* content after the last flush before `at` */
    u64 image;      /* its number */
    size_t durable; /* records that are in it */
    size_t at;      /* N */
};

/* The number of a whole image. */
u64 cut_image_number(const u8 *bytes, size_t size_bytes);

/* Starts before the first record. `base`, whose number is `image`, is copied. */
void cut_walk_open(struct cut_walk *walk, const u8 *base, u64 image, size_t size_bytes,
                   const struct ram_disk_record *records, size_t count);
void cut_walk_close(struct cut_walk *walk);
/* Forward only. */
void cut_walk_to(struct cut_walk *walk, size_t records);
/* Sectors written since the last flush: what the cut may leave or take. */
u64 cut_loose_sectors(const struct cut_walk *walk);

/* Lays the state of the present cut over its platter; the number of the image. */
u64 cut_apply(const struct cut_walk *walk, u64 choice, struct layered_disk *to);
