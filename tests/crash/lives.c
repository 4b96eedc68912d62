#include "tests/crash/lives.h"

#include "tests/crash/judge.h"
#include "tests/crash/lab_internal.h"
#include "tests/support/layered_disk.h"

#include <stdio.h>

struct lives lives;

static void report(const struct lab *lab, const char *why)
{
    printf("FAILED %s: crash --lives 1 --crashes %llu --seed %llu\n", why,
           (unsigned long long)lives.crashes, (unsigned long long)lab->seed);
    fflush(stdout);
}

/* What the crash left, on a layer of its own: the life goes on from the state itself. */
static void judge_cut(struct lab *lab)
{
    const struct lab_state *allowed[LAB_ALLOWED_MAX];
    struct verdict verdict = { 0 };
    struct layered_disk disk;

    for (size_t i = 0; i < lab->candidate_count; i++)
        allowed[i] = &lab->candidates[i];
    layered_disk_open(&disk, lab->ram.size_bytes);
    layered_disk_reset(&disk, lab->ram.bytes);
    if (!judge(lab, &disk.disk, allowed, lab->candidate_count, &verdict)) {
        lives.lost++;
        report(lab, verdict.why);
    }
    layered_disk_close(&disk);
}

/* --- what is left in the end --- */

struct stock {
    u64 blocks, inodes;
    u64 directory_blocks; /* of /snapper, which never gets smaller */
};

static struct stock take_stock(struct lab *lab)
{
    struct ext4_space space;
    struct ext4_stat stat;
    u32 inode;

    lab_remount(lab);
    ext4_space(lab->fs, &space);
    lab_insist(lab, "stock", ext4_resolve(lab->fs, "/snapper", &inode));
    lab_insist(lab, "stock", ext4_stat(lab->fs, inode, &stat));
    return (struct stock){ space.free_blocks, space.free_inodes,
                           stat.size_bytes / space.block_size };
}

static void compare_stock(struct lab *lab, const struct stock *before)
{
    char why[160];
    struct stock after = take_stock(lab);
    u64 grown = after.directory_blocks - before->directory_blocks;

    if (after.inodes == before->inodes && after.blocks + grown == before->blocks)
        return;
    lives.leaked++;
    snprintf(why, sizeof why, "free: %llu blocks and %llu inodes of %llu and %llu",
             (unsigned long long)(after.blocks + grown), (unsigned long long)after.inodes,
             (unsigned long long)before->blocks, (unsigned long long)before->inodes);
    report(lab, why);
}

/* --- a life --- */

static size_t generations(struct lab *lab)
{
    return lab_last_step(lab)->state.count;
}

/* One of the things that happen between two crashes. */
static void do_something(struct lab *lab)
{
    switch (lab_draw(lab, 8)) {
    case 0:
        if (generations(lab) > 2)
            lab_purge(lab, lab_draw(lab, generations(lab) - 1));
        break;
    case 1:
        lab_settle(lab);
        break;
    case 2:
        lab_abort(lab, 1 + lab_draw(lab, 12));
        break;
    case 3:
        lab_remount(lab);
        break;
    default:
        lab_take(lab, 1 + lab_draw(lab, 16));
        lives.generations++;
    }
}

static void live(struct lab *lab)
{
    lab->config.redundancy = lab_draw(lab, 4);
    lab->config.threshold = 1 + lab_draw(lab, 12);
    lab->config.max_snapshots = 2 + lab_draw(lab, 8);
    lab_empty(lab);
    struct stock before = take_stock(lab);
    for (u64 crash = 0; crash < lives.crashes; crash++) {
        do_something(lab);
        do_something(lab);
        lab_take(lab, 1 + lab_draw(lab, 16));
        lives.generations++;
        if (lab_draw(lab, 3) == 0)
            do_something(lab);
        lab_crash(lab);
    }
    lab_empty(lab);
    compare_stock(lab, &before);
}

void lives_try(u64 seed)
{
    static const struct scenario images[] = {
        { .name = "life", .mebibytes = 8, .mkfs_options = "-b 1024 -J size=1" },
        { .name = "life",
          .mebibytes = 8,
          .mkfs_options = "-b 1024 -J size=1",
          .journal_blocks = 320 },
        { .name = "life", .mebibytes = 20, .mkfs_options = "-b 4096 -J size=4" },
        { .name = "life",
          .mebibytes = 8,
          .mkfs_options = "-b 1024 -J size=1 -O ^metadata_csum,^64bit" },
    };
    static const struct lab_observer observer = { .was_cut = judge_cut };
    static struct lab lab;

    lab_open(&lab, &images[seed % ARRAY_LENGTH(images)], seed, &observer);
    live(&lab);
    lab_close(&lab);
    lives.lived++;
}
