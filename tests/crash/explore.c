#include "tests/crash/explore.h"

#include "kernel/base/checked.h"
#include "kernel/base/format.h"
#include "kernel/base/map.h"
#include "tests/crash/cut.h"
#include "tests/crash/judge.h"
#include "tests/support/ext4_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CUTS_IN_RECOVERY = 4, NEST_ONE_IN = 8 };

struct exploration exploration;

/* One level of cuts: the states of a record of writes, and where each is judged. */
struct level {
    struct lab *lab;
    size_t depth;
    struct cut_choice path[EXPLORE_DEPTH_MAX]; /* the cuts that led here, this one last */
    struct layered_disk disk;
    struct map seen;    /* states by their number */
    u8 *before;         /* content of the state being judged, for cuts in its recovery */
    struct level *next; /* for those cuts; NULL: deep enough */
};

static void report_failure(const struct level *level, const char *why)
{
    exploration.failures++;
    printf("FAILED %s: crash --replay %s:%llu:%u", why, level->lab->scenario->name,
           (unsigned long long)exploration.seed, level->lab->sessions);
    for (size_t i = 0; i <= level->depth; i++)
        printf(":%zu:%llu", level->path[i].records,
               (unsigned long long)level->path[i].choice);
    printf("\n");
    fflush(stdout);
}

/* e2fsck's own replay of the state as the cut left it, then its silence. */
static bool judge_by_fsck(struct level *level)
{
    struct ram_disk copy;
    char path[64];

    format_text(path, sizeof path, "build/tests/images/judged-%d.img", getpid());

    ram_disk_open(&copy, level->disk.disk.sector_count);
    layered_disk_copy(&level->disk, copy.bytes);
    bool clean = ram_disk_save(&copy, path) && ext4_image_is_clean_after_replay(path);
    ram_disk_close(&copy);
    unlink(path);
    exploration.judged_by_fsck++;
    return clean;
}

static void explore_recovery(struct level *outer, const struct lab_state *found);

static u64 states_tried(void)
{
    u64 sum = 0;
    for (size_t i = 0; i < EXPLORE_DEPTH_MAX; i++)
        sum += exploration.states[i];
    return sum;
}

/* The state lies on level->disk. */
static void try_state(struct level *level, const struct lab_state *const *allowed,
                      size_t allowed_count)
{
    struct verdict verdict = { 0 };
    u64 number = ++exploration.states[level->depth];
    bool nests = level->next && (exploration.replaying || number % NEST_ONE_IN == 0);

    if (exploration.fsck_every && states_tried() % exploration.fsck_every == 0 &&
        !judge_by_fsck(level))
        report_failure(level, "e2fsck is not silent");
    if (nests) {
        layered_disk_copy(&level->disk, level->before);
        layered_disk_record(&level->disk);
    }
    if (!judge(level->lab, &level->disk.disk, allowed, allowed_count, &verdict))
        report_failure(level, verdict.why);
    else if (nests)
        explore_recovery(level, allowed[verdict.state]);
}

static void try_cut(struct level *level, const struct cut_walk *walk, u64 choice,
                    const struct lab_state *const *allowed, size_t allowed_count)
{
    u64 ignored;
    u64 state = cut_apply(walk, choice, &level->disk);

    level->path[level->depth] = (struct cut_choice){ walk->at, choice };
    if (map_get(&level->seen, state, &ignored) && !exploration.replaying)
        return;
    if (map_set(&level->seen, state, 1) != OK)
        exit(2);
    try_state(level, allowed, allowed_count);
}

static struct level *level_open(struct lab *lab, size_t depth)
{
    struct level *level = calloc(1, sizeof *level);
    level->lab = lab;
    level->depth = depth;
    layered_disk_open(&level->disk, lab->ram.size_bytes);
    map_init(&level->seen);
    if (depth + 1 < exploration.depth) {
        level->before = malloc(lab->ram.size_bytes);
        level->next = level_open(lab, depth + 1);
    }
    return level;
}

static void level_close(struct level *level)
{
    if (level->next)
        level_close(level->next);
    layered_disk_close(&level->disk);
    map_destroy(&level->seen);
    free(level->before);
    free(level);
}

static void draw_cuts(struct cut_choice cuts[CUTS_IN_RECOVERY], size_t records, u64 seed)
{
    u64 random = seed * 2 + 1;
    for (size_t i = 0; i < CUTS_IN_RECOVERY; i++)
        cuts[i] = (struct cut_choice){
            /* One in each part of the record, in order, as the walk goes. */
            (i * records + (random_next(&random) >> 24) % (records + 1)) /
                CUTS_IN_RECOVERY,
            random_next(&random) >> 40,
        };
}

/* Some cuts in what the recovery from the outer cut wrote; the state it found must stay. */
static void explore_recovery(struct level *outer, const struct lab_state *found)
{
    struct level *level = outer->next;
    struct cut_walk walk;
    struct cut_choice cuts[CUTS_IN_RECOVERY];
    size_t records = outer->disk.record_count;
    size_t count = exploration.replaying ? 1 : CUTS_IN_RECOVERY;

    draw_cuts(cuts, records, exploration.states[outer->depth]);
    if (exploration.replaying)
        cuts[0] = exploration.replay[level->depth];
    memcpy(level->path, outer->path, sizeof level->path);
    map_clear(&level->seen);
    cut_walk_open(&walk, outer->before, outer->disk.size_bytes, outer->disk.records,
                  records);
    for (size_t i = 0; i < count; i++) {
        cut_walk_to(&walk, min_size(cuts[i].records, records));
        try_cut(level, &walk, cuts[i].choice, &found, 1);
    }
    cut_walk_close(&walk);
}

static void explore_cut(struct level *level, struct cut_walk *walk, size_t records,
                        u64 choices)
{
    const struct lab_state *allowed[LAB_ALLOWED_MAX];
    size_t allowed_count = lab_allowed(level->lab, records, allowed);

    cut_walk_to(walk, records);
    exploration.cuts++;
    for (u64 choice = 0; choice < choices; choice++)
        try_cut(level, walk, choice, allowed, allowed_count);
}

static void replay_cut(struct level *level, struct cut_walk *walk)
{
    const struct lab_state *allowed[LAB_ALLOWED_MAX];
    const struct cut_choice *cut = &exploration.replay[0];
    size_t allowed_count = lab_allowed(level->lab, cut->records, allowed);

    cut_walk_to(walk, min_size(cut->records, walk->count));
    try_cut(level, walk, cut->choice, allowed, allowed_count);
}

static void explore_session(struct lab *lab)
{
    struct cut_walk walk;
    size_t count = lab->ram.record_count;

    exploration.sessions++;
    if (exploration.replaying && lab->sessions != exploration.replay_session)
        return;
    struct level *level = level_open(lab, 0);
    cut_walk_open(&walk, lab->ram.base, lab->ram.size_bytes, lab->ram.records, count);
    if (exploration.replaying) {
        replay_cut(level, &walk);
    } else {
        u64 choices = exploration.states_wanted / (count + 1) + 1;
        for (size_t records = 0; records <= count; records++)
            explore_cut(level, &walk, records, choices);
    }
    cut_walk_close(&walk);
    level_close(level);
}

const struct lab_observer explorer = { .session_ends = explore_session };
