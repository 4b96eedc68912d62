/*
 * A full disk: free blocks, free inodes, or blocks of the journal are so few, from none up to what a
 * generation needs, one by one.
 *
 * A generation is taken, or refused with an error and a word in the log that say why. A refusal
 * leaves no session, no block and no inode behind and every generation as it was. Even then the
 * oldest generation can be purged, which frees blocks, and what had been refused succeeds as soon as
 * enough is free.
 */
#pragma once

#include "tests/support/layered_disk.h"
#include "tests/support/victim.h"

enum full_kind { FULL_BLOCKS, FULL_INODES, FULL_JOURNAL, FULL_KINDS };
enum { FULL_VARIANTS = VICTIM_IDS }; /* of the generation: how many objects */

enum full_outcome {
    FULL_TAKEN,
    FULL_REFUSED,  /* and taken after a purge, if that freed enough */
    FULL_UNUSABLE, /* a journal that is too small for any use: no mount */
    FULL_WRONG,    /* a finding */
    FULL_OUTCOMES
};

struct full_case {
    const struct victim *victim;
    enum full_kind kind;
    u32 left; /* free blocks or inodes; of the journal, beside the fewest there can be */
    u32 variant;
};

const char *full_outcome_name(enum full_outcome outcome);
bool full_is_suitable(const struct victim *victim);
/* `why` is filled in with a finding. */
enum full_outcome full_try(const struct full_case *full, struct layered_disk *disk,
                           char *why, size_t why_size);
