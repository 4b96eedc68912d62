/*
 * What changed between two generations, on one line of history or on two.
 *
 * Files that both list are equal without being read; so an answer costs what differs, not what there
 * is.
 */
#pragma once

#include "snapper/snapper.h"

enum snapper_change { CHANGE_ADDED, CHANGE_CHANGED, CHANGE_REMOVED };

/* `count` consecutive ids that changed in the same way. */
struct snapper_difference {
    enum snapper_change change;
    u64 first_id;
    u64 count;
};

struct snapper_diff_report {
    u64 added;   /* in B and not in A */
    u64 changed; /* in both, with other bytes or of another size */
    u64 removed;
    u64 same;
};

/*
 * From A to B; `tell` (may be NULL) in ascending order of ids, and a non-OK status of it ends the walk
 * and is returned. ERR_NOT_FOUND; ERR_INTEGRITY: an object that must be compared has no good copy.
 */
enum status snapper_diff(struct snapper *snapper, const char *a, const char *b,
                         enum status (*tell)(void *context,
                                             const struct snapper_difference *difference),
                         void *context, struct snapper_diff_report *report);
