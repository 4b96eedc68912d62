/*
 * A disk that is cut short while it is used: from one request on, whatever reaches behind some sector
 * fails, and of a request that begins before it only the first part is done.
 *
 * As long as it lasts each call ends, with an error where one is due. Once the disk is whole again
 * every generation but the ones that were purged restores as it was, the file system has no problem,
 * and the next generation can be taken.
 */
#pragma once

#include "tests/support/layered_disk.h"
#include "tests/support/victim.h"

struct shrink_case {
    const struct victim *victim;
    u64 seed; /* of the use, the request, and the sector */
};

enum shrink_outcome {
    SHRINK_UNNOTICED, /* nothing behind the new end was asked for */
    SHRINK_SURVIVED,
    SHRINK_WRONG, /* a finding */
    SHRINK_OUTCOMES
};

const char *shrink_outcome_name(enum shrink_outcome outcome);
/* `why` is filled in with a finding. */
enum shrink_outcome shrink_try(const struct shrink_case *shrink,
                               struct layered_disk *disk, char *why, size_t why_size);
