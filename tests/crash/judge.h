/*
 * What must be true after a power cut, tried in this order:
 *
 *   our ext4 mounts the image, replaying its journal; the check of the whole file system finds nothing;
 *   Snapper opens it; the generations are those of one of the states allowed, each to the byte;
 *   clean-up and settling succeed; mounted again it is still the same state, and neither the audit of
 *   all snapshot files nor the check of the file system finds anything.
 */
#pragma once

#include "tests/crash/lab.h"

struct verdict {
    size_t state; /* of those allowed: the one found */
    char why[200];
};

bool judge(const struct lab *lab, struct disk *disk,
           const struct lab_state *const *allowed, size_t allowed_count,
           struct verdict *verdict);
