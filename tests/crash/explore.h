/*
 * The crash explorer: every cut of every session of a scenario, and cuts in the recovery from it.
 *
 *   build/crash [--scenario NAME] [--seed N] [--states N] [--depth N] [--fsck N] [--jobs N] [--stop] [--list]
 *   build/crash --replay NAME:SEED:SESSION:RECORDS:CHOICE[:RECORDS:CHOICE...]
 *
 * A failure prints one line with the arguments that replay it. Exit code 0: none.
 */
#pragma once

#include "tests/crash/lab.h"

enum { EXPLORE_DEPTH_MAX = 3 };

/* One power cut; a second one falls into the recovery from the first. */
struct cut_choice {
    size_t records;
    u64 choice;
};

struct exploration {
    u64 seed;
    u64 states_wanted; /* of each session of a scenario */
    size_t depth;      /* cuts within cuts */
    u64 fsck_every;    /* states judged by e2fsck too: one in so many; 0: none */

    bool stop; /* at the first failure */
    bool replaying;
    u32 replay_session;
    struct cut_choice replay[EXPLORE_DEPTH_MAX];
    size_t replay_depth;

    u64 states[EXPLORE_DEPTH_MAX]; /* tried, by depth */
    u64 distinct
        [EXPLORE_DEPTH_MAX]; /* of those: images that no job has had at this depth */
    u64 images;              /* nor at any other */
    u64 torn;                /* with a torn superblock */
    u64 cuts, sessions, judged_by_fsck, failures;
};

extern struct exploration exploration;

/* Tries every cut of each session as it ends. */
extern const struct lab_observer explorer;
