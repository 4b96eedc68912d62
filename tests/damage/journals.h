/*
 * A damaged journal, replayed by us and by e2fsck.
 *
 * Both must refuse it, or both accept it and leave the same file system. Where they part on purpose,
 * we are the stricter one: what had been committed and is damaged is refused, whole and with a line
 * in the log, and nothing is written; e2fsck replays what it can and goes on.
 */
#pragma once

#include "kernel/base/types.h"
#include "tests/support/damage.h"
#include "tests/support/layered_disk.h"

enum journal_outcome {
    JOURNAL_SAME,      /* accepted, and equal to the byte */
    JOURNAL_REFUSED,   /* by both */
    JOURNAL_STRICTER,  /* refused by us alone, for a reason of the list in journals.c */
    JOURNAL_UNKNOWN,   /* e2fsck died, or changed the journal before it replayed it */
    JOURNAL_DIFFERENT, /* a finding */
    JOURNAL_OUTCOMES
};

const char *journal_outcome_name(enum journal_outcome outcome);
/* `why` is filled in with a finding. `disk` is used up. */
enum journal_outcome journal_compare(const struct damage *damage,
                                     struct layered_disk *disk, char *why,
                                     size_t why_size);
