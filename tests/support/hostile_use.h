/*
 * A damaged image at work: mounted for writing, all of it read, files and generations made and
 * removed, verified, repaired, unmounted, mounted again.
 *
 * Whatever the damage: each call ends with a status of ours; ERR_CORRUPT comes with a line in the log
 * that says what is wrong; nothing is asked of the disk or the heap beyond the bounds below; all
 * memory is given back. Of an image whose metadata has checksums, damaged without making them right
 * again, every object that can be read has the bytes that were saved.
 */
#pragma once

#include "tests/support/layered_disk.h"
#include "tests/support/victim.h"

/*
 * What an image of this size may cost at most: memory for buffers that have fixed sizes and once the
 * image (a bit a block, an archive as large as the disk), and reading it all once for each of the
 * operations above that look at everything.
 */
enum { HOSTILE_HEAP_EXTRA = 8 * MIB, HOSTILE_HEAP_TIMES = 1, HOSTILE_READ_TIMES = 32 };

struct hostile_use {
    const struct victim *victim;
    u64 seed;                   /* of what is done with the image */
    bool is_brief;              /* a part of it, once */
    bool is_intact;             /* objects that can be read must be right */
    bool mounted;               /* result: it was */
    u64 heap_bytes, read_bytes; /* results */
    char why[200];              /* result: empty, or what is wrong */
};

/* False: something is wrong. */
bool hostile_use(struct hostile_use *use, struct disk *disk);

/*
 * Each object of one generation, restored; false: one that was restored has other bytes, or, if it
 * `must` be there, was not.
 */
bool victim_generation_is_right(struct snapper *snapper, const struct victim *victim,
                                size_t number, bool must);
