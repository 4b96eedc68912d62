/*
 * The lives that are cut. All images have fixed ids, so that a seed tells everything.
 */
#include "tests/crash/lab.h"

enum { TINY = 320 /* blocks of a journal that one generation may not fit */ };

#define IMAGE(mib, options)                                                              \
    .mebibytes = (mib), .mkfs_options =                                                  \
                            "-U 11112222-3333-4444-5555-666677778888 "                   \
                            "-E hash_seed=99990000-1111-2222-3333-444455556666 " options
#define SMALL IMAGE(8, "-b 1024 -J size=1")
#define MEDIUM IMAGE(12, "-b 2048 -J size=2")
#define LARGE IMAGE(20, "-b 4096 -J size=4")
#define SMALL_PLAIN IMAGE(8, "-b 1024 -J size=1 -O ^metadata_csum,^64bit")
#define MEDIUM_PLAIN IMAGE(12, "-b 2048 -J size=2 -O ^metadata_csum,^64bit")
#define LARGE_PLAIN IMAGE(20, "-b 4096 -J size=4 -O ^metadata_csum,^64bit")

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

/* Everything once, on one image: it is the image that is tried. */
static void mixed(struct lab *lab)
{
    lab->config.redundancy = 2;
    lab->config.max_snapshots = 4;
    lab_take(lab, 20);
    lab_take(lab, 8);
    lab_crash(lab);
    lab_take(lab, 8);
    lab_rollback(lab, 0);
    lab_take(lab, 8);
    lab_settle(lab);
    lab_remount(lab);
    lab_purge(lab, 0);
    for (int i = 0; i < 3; i++)
        lab_take(lab, 10);
    lab_crash(lab);
    lab_take(lab, 8);
}

static void settling_after_crashes(struct lab *lab)
{
    lab->config.redundancy = 3;
    lab_take(lab, 24);
    for (int i = 0; i < 4; i++) {
        lab_take(lab, 3);
        lab_settle(lab);
        lab_crash(lab);
    }
}

/*
 * Settling is cut short, and then what it was about is gone: what it had written by then must not be
 * taken for what was written before.
 */
static void settling_in_vain(struct lab *lab)
{
    lab_take(lab, 24);
    for (int i = 0; i < 8; i++) {
        lab_take(lab, 2);
        lab_settle(lab);
        lab_take(lab, 4);
        lab_settle(lab);
        lab_crash(lab);
        lab_rollback(lab, 1);
        lab_purge(lab, 2);
        lab_settle(lab);
        lab_take(lab, 2);
        lab_purge(lab, 0);
    }
}

/* Bytes rot on the platter, and the plug is pulled while they are made good. */
static void rot_and_repair(struct lab *lab)
{
    lab->config.redundancy = 2;
    for (int i = 0; i < 4; i++)
        lab_take(lab, i ? 3 : 24);
    for (int i = 0; i < 3; i++) {
        lab_rot(lab, 4);
        lab_repair(lab);
        lab_take(lab, 4);
    }
    lab_rot(lab, 4);
    lab_crash(lab);
    lab_repair(lab);
}

/* What is read is mended, whoever reads it. */
static void rot_and_go_on(struct lab *lab)
{
    lab->config.redundancy = 2;
    for (int i = 0; i < 4; i++)
        lab_take(lab, i ? 3 : 24);
    for (int i = 0; i < 3; i++) {
        lab_rot(lab, 3);
        lab_remount(lab);
        lab_take(lab, 10);
        lab_purge(lab, 0);
    }
}

static void out_and_in(struct lab *lab)
{
    lab_take(lab, 24);
    lab_take(lab, 8);
    lab_export(lab, 0, LAB_WHOLE);
    lab_purge(lab, 0);
    lab_import(lab);
    lab_import(lab); /* is there already */
    lab_take(lab, 6);
}

/* A stream that holds only what its base does not. */
static void increments_out_and_in(struct lab *lab)
{
    lab_take(lab, 24);
    lab_take(lab, 8);
    lab_take(lab, 8);
    lab_export(lab, 1, 0);
    lab_purge(lab, 1);
    lab_settle(lab);
    lab_import(lab);
    lab_crash(lab);
    lab_import(lab);
    lab_remount(lab);
    lab_purge(lab, 0);
}

/* The disk is full, a generation is refused, another is purged, and then there is room. */
static void no_space(struct lab *lab)
{
    lab->config.min_snapshots = LAB_GENERATIONS;
    lab->config.reserve = 0;
    for (int round = 0; round < 3; round++) {
        while (lab_take_if_room(lab, 16)) {
        }
        lab->config.min_snapshots = 0;
        while (!lab_take_if_room(lab, 4))
            lab_purge(lab, 0);
        lab->config.min_snapshots = LAB_GENERATIONS;
    }
}

static void no_space_and_crashes(struct lab *lab)
{
    for (int round = 0; round < 3; round++) {
        no_space(lab);
        lab_crash(lab);
        lab->config.min_snapshots = 0;
        lab_purge(lab, 0);
    }
}

static void space_for_generations(struct lab *lab)
{
    lab->config.reserve = 0;
    lab->config.threshold = 1;
    for (int i = 0; i < 12; i++)
        (void)lab_take_if_room(lab, 10);
}

static void pins(struct lab *lab)
{
    lab->config.max_snapshots = 2;
    lab_take(lab, 16);
    lab_pin(lab, 0);
    for (int i = 0; i < 4; i++)
        lab_take(lab, 6);
    lab_remount(lab);
    lab_unpin(lab, 0);
    lab_take(lab, 6);
    lab_pin(lab, 0);
    lab_pin(lab, 1);
    lab_crash(lab);
    lab_take(lab, 6);
}

/* Back and forth, with the plug pulled around it: the choice of a generation is as durable as one. */
static void rollbacks_and_crashes(struct lab *lab)
{
    lab_take(lab, 16);
    for (int i = 0; i < 4; i++) {
        lab_take(lab, 6);
        lab_rollback(lab, 0);
        lab_crash(lab);
        lab_take(lab, 6);
    }
}

/* Branches of a generation that is gone hold files in common. */
static void branches_and_purges(struct lab *lab)
{
    lab_take(lab, 24);
    for (int i = 0; i < 3; i++) {
        lab_rollback(lab, 0);
        lab_take(lab, 6);
    }
    lab_purge(lab, 0);
    lab_crash(lab);
    lab_purge(lab, 0);
    lab_settle(lab);
    lab_take(lab, 4);
}

/* Every object goes and comes back: directories empty and are removed. */
static void emptied(struct lab *lab)
{
    lab->config.threshold = 1;
    for (int i = 0; i < 3; i++) {
        lab_take(lab, 24);
        lab_empty(lab);
    }
    lab_crash(lab);
    lab_take(lab, 24);
}

/* Many at once, each with directories of its own, in several transactions. */
static void mass_expiry(struct lab *lab)
{
    lab->config.threshold = 1;
    for (int i = 0; i < 8; i++)
        lab_take(lab, 12);
    lab->config.max_snapshots = 2;
    lab_take(lab, 4);
    lab_crash(lab);
    lab_take(lab, 4);
}

/* What a transaction frees it must not write to: until the commit the old file is the one there is. */
static void files_replaced(struct lab *lab)
{
    lab->config.reserve = 0;
    lab_take(lab, 2);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5; i++)
            lab_replace_plain(lab);
        lab_crash(lab);
    }
}

const struct scenario scenarios[] = {
    { .name = "first", .run = first_generation, SMALL },
    { .name = "increments", .run = increments, SMALL },
    { .name = "redundancy", .run = redundancy_and_settling, SMALL },
    { .name = "sessions", .run = clean_sessions, SMALL },
    { .name = "crashes", .run = crash_after_crash, SMALL },
    { .name = "chains", .run = deep_chains, SMALL },
    { .name = "wrap", .run = journal_wraps, SMALL },
    { .name = "purge", .run = purges, SMALL },
    { .name = "expiry", .run = expiry, SMALL },
    { .name = "branches", .run = branches, SMALL },
    { .name = "purge-crashes", .run = purges_and_crashes, SMALL },
    { .name = "scarce", .run = space_is_scarce, SMALL, .free_blocks = 260 },
    { .name = "settle-crashes", .run = settling_after_crashes, SMALL },
    { .name = "settle-in-vain", .run = settling_in_vain, SMALL },
    { .name = "repair", .run = rot_and_repair, SMALL },
    { .name = "rot", .run = rot_and_go_on, SMALL },
    { .name = "import", .run = out_and_in, SMALL },
    { .name = "import-increments", .run = increments_out_and_in, SMALL },
    { .name = "no-space", .run = no_space, SMALL, .free_blocks = 400 },
    { .name = "no-space-crashes",
      .run = no_space_and_crashes,
      SMALL,
      .free_blocks = 400 },
    { .name = "purge-for-space",
      .run = space_for_generations,
      SMALL,
      .free_blocks = 300 },
    { .name = "replaced", .run = files_replaced, SMALL, .free_blocks = 160 },
    { .name = "pins", .run = pins, SMALL },
    { .name = "rollback-crashes", .run = rollbacks_and_crashes, SMALL },
    { .name = "branch-purges", .run = branches_and_purges, SMALL },
    { .name = "emptied", .run = emptied, SMALL },
    { .name = "mass-expiry", .run = mass_expiry, SMALL },

    { .name = "tiny-journal", .run = mixed, SMALL, .journal_blocks = TINY },
    { .name = "tiny-journal-chains", .run = deep_chains, SMALL, .journal_blocks = TINY },
    { .name = "tiny-journal-purge",
      .run = purges_and_crashes,
      SMALL,
      .journal_blocks = TINY },
    { .name = "tiny-journal-expiry", .run = mass_expiry, SMALL, .journal_blocks = TINY },
    { .name = "tiny-journal-import",
      .run = increments_out_and_in,
      SMALL,
      .journal_blocks = TINY },
    { .name = "tiny-journal-plain",
      .run = deep_chains,
      SMALL_PLAIN,
      .journal_blocks = TINY },

    { .name = "scarce-4k", .run = space_is_scarce, LARGE, .free_blocks = 300 },
    { .name = "purge-4k", .run = purges, LARGE },
    { .name = "expiry-plain", .run = expiry, SMALL_PLAIN },
    { .name = "increments-2k", .run = increments, MEDIUM },
    { .name = "increments-4k", .run = increments, LARGE },
    { .name = "crashes-4k", .run = crash_after_crash, LARGE },
    { .name = "increments-plain", .run = increments, SMALL_PLAIN },
    { .name = "crashes-plain", .run = crash_after_crash, SMALL_PLAIN },
    { .name = "sessions-orphan-file",
      .run = clean_sessions,
      IMAGE(8, "-b 1024 -J size=1 -O orphan_file") },

    { .name = "mixed", .run = mixed, SMALL },
    { .name = "mixed-2k", .run = mixed, MEDIUM },
    { .name = "mixed-4k", .run = mixed, LARGE },
    { .name = "mixed-plain", .run = mixed, SMALL_PLAIN },
    { .name = "mixed-2k-plain", .run = mixed, MEDIUM_PLAIN },
    { .name = "mixed-4k-plain", .run = mixed, LARGE_PLAIN },
    { .name = "mixed-orphan-file-4k",
      .run = mixed,
      IMAGE(20, "-b 4096 -J size=4 -O orphan_file") },
    { .name = "mixed-csum-seed",
      .run = mixed,
      IMAGE(8, "-b 1024 -J size=1 -O metadata_csum_seed,orphan_file") },
    { .name = "mixed-inode-128", .run = mixed, IMAGE(8, "-b 1024 -J size=1 -I 128") },
    { .name = "mixed-inode-128-plain-4k",
      .run = mixed,
      IMAGE(20, "-b 4096 -J size=4 -I 128 -O ^metadata_csum,^64bit") },
    { .name = "mixed-groups",
      .run = mixed,
      IMAGE(8, "-b 1024 -J size=1 -g 1024 -O ^resize_inode") },
    { .name = "mixed-no-flex",
      .run = mixed,
      IMAGE(8, "-b 1024 -J size=1 -g 2048 -O ^flex_bg,^resize_inode,uninit_bg,"
               "^metadata_csum") },
};
const size_t scenario_count = ARRAY_LENGTH(scenarios);
