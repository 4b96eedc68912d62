/*
 * The lives that are cut. All images have fixed ids, so that a seed tells everything.
 */
#include "tests/crash/lab.h"

#define FIXED                                                                            \
    "-U 11112222-3333-4444-5555-666677778888 -E "                                        \
    "hash_seed=99990000-1111-2222-3333-444455556666 "

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

/* More than the journal holds, several times. */
static void journal_wraps(struct lab *lab)
{
    for (int i = 0; i < 20; i++)
        lab_take(lab, 24);
}

const struct scenario scenarios[] = {
    { "first", 8, FIXED "-b 1024 -J size=1", first_generation },
    { "increments", 8, FIXED "-b 1024 -J size=1", increments },
    { "redundancy", 8, FIXED "-b 1024 -J size=1", redundancy_and_settling },
    { "sessions", 8, FIXED "-b 1024 -J size=1", clean_sessions },
    { "crashes", 8, FIXED "-b 1024 -J size=1", crash_after_crash },
    { "chains", 8, FIXED "-b 1024 -J size=1", deep_chains },
    { "wrap", 8, FIXED "-b 1024 -J size=1", journal_wraps },
    { "purge", 8, FIXED "-b 1024 -J size=1", purges },
    { "expiry", 8, FIXED "-b 1024 -J size=1", expiry },
    { "branches", 8, FIXED "-b 1024 -J size=1", branches },
    { "purge-crashes", 8, FIXED "-b 1024 -J size=1", purges_and_crashes },
    { "purge-4k", 20, FIXED "-b 4096 -J size=4", purges },
    { "expiry-plain", 8, FIXED "-b 1024 -J size=1 -O ^metadata_csum,^64bit", expiry },
    { "increments-2k", 12, FIXED "-b 2048 -J size=2", increments },
    { "increments-4k", 20, FIXED "-b 4096 -J size=4", increments },
    { "crashes-4k", 20, FIXED "-b 4096 -J size=4", crash_after_crash },
    { "increments-plain", 8, FIXED "-b 1024 -J size=1 -O ^metadata_csum,^64bit",
      increments },
    { "crashes-plain", 8, FIXED "-b 1024 -J size=1 -O ^metadata_csum,^64bit",
      crash_after_crash },
    { "sessions-orphan-file", 8, FIXED "-b 1024 -J size=1 -O orphan_file",
      clean_sessions },
};
const size_t scenario_count = ARRAY_LENGTH(scenarios);
