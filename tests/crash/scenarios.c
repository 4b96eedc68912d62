/*
 * The lives that are cut. All images have fixed ids, so that a seed tells everything.
 */
#include "tests/crash/lab.h"

#define FIXED                                                                            \
    "-U 11112222-3333-4444-5555-666677778888 "                                           \
    "-E hash_seed=99990000-1111-2222-3333-444455556666 "
#define SMALL 8, FIXED "-b 1024 -J size=1"
#define MEDIUM 12, FIXED "-b 2048 -J size=2"
#define LARGE 20, FIXED "-b 4096 -J size=4"
#define PLAIN 8, FIXED "-b 1024 -J size=1 -O ^metadata_csum,^64bit"
#define ORPHAN_FILE 8, FIXED "-b 1024 -J size=1 -O orphan_file"

static void first_generation(struct lab *lab)
{
    lab_take(lab, 40);
}

static void increments(struct lab *lab)
{
    lab_take(lab, 30);
    for (int i = 0; i < 5; i++)
        lab_take(lab, 6);
}

static void redundancy_and_settling(struct lab *lab)
{
    lab->config.redundancy = 2;
    lab_take(lab, 20);
    for (int i = 0; i < 4; i++) {
        lab_take(lab, 4);
        lab_settle(lab);
    }
}

static void clean_sessions(struct lab *lab)
{
    for (int i = 0; i < 3; i++) {
        lab_take(lab, 10);
        lab_abort(lab, 5);
        lab_remount(lab);
    }
}

static void crash_after_crash(struct lab *lab)
{
    for (int i = 0; i < 6; i++) {
        lab_take(lab, 12);
        lab_crash(lab);
    }
}

/* A directory for every file: transactions of several descriptors. */
static void deep_chains(struct lab *lab)
{
    lab->config.threshold = 1;
    crash_after_crash(lab);
}

static void purges(struct lab *lab)
{
    for (int i = 0; i < 6; i++)
        lab_take(lab, 8);
    lab_purge(lab, 0);
    lab_purge(lab, 2);
    lab_settle(lab);
    lab_take(lab, 8);
    lab_purge(lab, 0);
    lab_remount(lab);
    lab_purge(lab, 1);
}

static void expiry(struct lab *lab)
{
    lab->config.max_snapshots = 3;
    lab->config.redundancy = 2;
    for (int i = 0; i < 8; i++)
        lab_take(lab, 6);
}

/* Two children of one generation, which then goes. */
static void branches(struct lab *lab)
{
    lab_take(lab, 16);
    lab_take(lab, 6);
    lab_rollback(lab, 0);
    lab_take(lab, 6);
    lab_purge(lab, 0);
    lab_purge(lab, 0);
    lab_take(lab, 4);
}

/* Directories come and go, their blocks are used again as data, and the plug is pulled in between. */
static void purges_and_crashes(struct lab *lab)
{
    lab->config.threshold = 1;
    lab->config.max_snapshots = 2;
    for (int i = 0; i < 6; i++) {
        lab_take(lab, 12);
        lab_take(lab, 12);
        lab_crash(lab);
    }
}

/* So little space that a directory's block is a page before the journal has forgotten it. */
static void space_is_scarce(struct lab *lab)
{
    lab->config.threshold = 1;
    lab->config.max_snapshots = 1;
    lab->config.reserve = 0;
    for (int i = 0; i < 4; i++) {
        for (int generation = 0; generation < 6; generation++)
            lab_take(lab, 5);
        lab_crash(lab);
    }
}

/* More than the journal holds, several times. */
static void journal_wraps(struct lab *lab)
{
    for (int i = 0; i < 20; i++)
        lab_take(lab, 24);
}

/* The last column: blocks left free, 0 for all. */
const struct scenario scenarios[] = {
    { "first", SMALL, first_generation, 0 },
    { "increments", SMALL, increments, 0 },
    { "redundancy", SMALL, redundancy_and_settling, 0 },
    { "sessions", SMALL, clean_sessions, 0 },
    { "crashes", SMALL, crash_after_crash, 0 },
    { "chains", SMALL, deep_chains, 0 },
    { "wrap", SMALL, journal_wraps, 0 },
    { "purge", SMALL, purges, 0 },
    { "expiry", SMALL, expiry, 0 },
    { "branches", SMALL, branches, 0 },
    { "purge-crashes", SMALL, purges_and_crashes, 0 },
    { "scarce", SMALL, space_is_scarce, 260 },
    { "scarce-4k", LARGE, space_is_scarce, 300 },
    { "purge-4k", LARGE, purges, 0 },
    { "expiry-plain", PLAIN, expiry, 0 },
    { "increments-2k", MEDIUM, increments, 0 },
    { "increments-4k", LARGE, increments, 0 },
    { "crashes-4k", LARGE, crash_after_crash, 0 },
    { "increments-plain", PLAIN, increments, 0 },
    { "crashes-plain", PLAIN, crash_after_crash, 0 },
    { "sessions-orphan-file", ORPHAN_FILE, clean_sessions, 0 },
};
const size_t scenario_count = ARRAY_LENGTH(scenarios);
