/*
 * Bit rot: one sector of an image changes, by one bit, to zeros, or to noise.
 *
 * On images whose metadata has checksums every name and every object that can then be read is
 * right, or an explicit error says that it is not; the audit of the generations does not call clean
 * what cannot be restored; and if every object still has a good copy, repair makes all copies
 * good again. The content of plain files has no checksums in ext4, and is not looked at.
 */
#pragma once

#include "tests/support/layered_disk.h"
#include "tests/support/victim.h"

enum rot_kind { ROT_BIT, ROT_ZERO, ROT_NOISE, ROT_KINDS };

enum rot_outcome {
    ROT_HARMLESS, /* all is read, and right */
    ROT_REFUSED,  /* no mount */
    ROT_REPORTED, /* something cannot be read */
    ROT_HEALED,   /* all is read, damaged copies are rewritten */
    /* The same, but one bears another version now, and is never written over; or has no inode. */
    ROT_LEFT,
    ROT_UNDONE, /* the last commit block of a live log: as if it had never been written */
    ROT_SILENT, /* a finding */
    ROT_OUTCOMES
};

/* What undamaged images hold. */
struct rot_truth {
    const struct victim *victim;
    u64 names; /* of all of them, their types and sizes */
};

const char *rot_outcome_name(enum rot_outcome outcome);
void rot_learn(struct rot_truth *truth, const struct victim *victim,
               struct layered_disk *disk);
/* `why` is filled in with a finding. */
enum rot_outcome rot_try(const struct rot_truth *truth, struct layered_disk *disk,
                         u64 sector, enum rot_kind kind, char *why, size_t why_size);
