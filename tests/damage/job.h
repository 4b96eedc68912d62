/* A job of build/damage, the settings of all of them, and the ways to try something. */
#pragma once

#include "tests/damage/problems.h"
#include "tests/damage/rot.h"
#include "tests/support/damage.h"

enum { OUTCOMES_MAX = 7 };

/* What is tried. */
enum mode { IMAGES, JOURNALS, ROT, FULL, SHRINK };

struct settings {
    enum mode mode;
    u64 first_seed, seed_count, jobs, fsck_every;
    const char *keep_path;
};

extern struct settings settings;

/* What a job reports, seen by its parent when it is dead, too. */
struct job {
    u64 images, mounted, broken;
    u64 judged;                 /* by e2fsck */
    u64 unjudged;               /* on these it did not end */
    u64 spread;                 /* problems_spread() */
    u64 outcomes[OUTCOMES_MAX]; /* of this mode */
    u64 at;                     /* the seed being tried */
    u64 heap_bytes, read_times; /* the worst */
};

struct bench {
    struct victim victim;
    struct damage damage;
    struct layered_disk disk;
    struct problems before, after;
    struct rot_truth truth;
    u8 *used; /* the image afterwards */
};

void complain(const struct job *job, const char *what, const char *why);
/* Has this victim what the mode damages? */
bool is_suitable(const struct victim *victim);
/* Which structures may be damaged: a bit for each kind of place. */
u64 damaged_kinds(void);
/* What job->at stands for, in this mode. */
void try_it(struct job *job, struct bench *bench);
/* In words; of a mode that has outcomes. */
const char *outcome_name(int outcome);
