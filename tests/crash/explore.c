#include "tests/crash/explore.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/map.h"
#include "tests/crash/cut.h"
#include "tests/crash/distinct.h"
#include "tests/crash/judge.h"
#include "tests/crash/second_opinion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUTS_IN_RECOVERY = 4, NEST_ONE_IN = 8, LOOSE_MAX = 16 };

struct exploration exploration;

/* One level of cuts: the states of a record of writes, and where each is judged. */
struct level {
    struct lab *lab;
    size_t depth;
    struct cut_choice path[EXPLORE_DEPTH_MAX]; /* the cuts that led here, this one last */
    struct layered_disk disk;
    struct map seen;    /* what was tried */
    u64 image;          /* the number of the state being judged */
    u8 *before;         /* its content */
    struct level *next; /* for cuts in its recovery; NULL: deep enough */
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
    if (exploration.stop)
        exit(1);
}

static void explore_recovery(struct level *outer, const struct lab_state *found);

static u64 states_tried(void)
{
    u64 sum = 0;
    for (size_t i = 0; i < EXPLORE_DEPTH_MAX; i++)
        sum += exploration.states[i];
    return sum;
}

static bool is_sampled(void)
{
    return exploration.fsck_every && states_tried() % exploration.fsck_every == 0;
}

/* Does the journal's superblock say that there is something in it, and the file system's not? */
static bool lacks_recovery_flag(const struct level *level)
{
    enum { START_AT = 0x1C, INCOMPAT_AT = 0x60, RECOVER = 4, SUPERBLOCK_SECTOR = 2 };
    const u8 *journal =
        layered_disk_sector(&level->disk, level->lab->journal_at / SECTOR_SIZE);
    const u8 *superblock = layered_disk_sector(&level->disk, SUPERBLOCK_SECTOR);

    return get_be32(journal + START_AT) != 0 &&
           !(get_le32(superblock + INCOMPAT_AT) & RECOVER);
}

static void ask_e2fsck(struct level *level, const struct lab_state *found, bool torn)
{
    struct second_opinion opinion = { .lab = level->lab,
                                      .state = level->before,
                                      .torn = torn,
                                      .recovered = &level->disk,
                                      .found = found };

    exploration.judged_by_fsck++;
    if (!second_opinion_agrees(&opinion))
        report_failure(level, opinion.why);
}

/* The state lies on level->disk. */
static void try_state(struct level *level, const struct lab_state *const *allowed,
                      size_t allowed_count)
{
    struct verdict verdict = { 0 };
    u64 number = ++exploration.states[level->depth];
    bool nests = level->next && (exploration.replaying || number % NEST_ONE_IN == 0);
    bool sampled = is_sampled();
    bool torn = second_opinion_torn(&level->disk);

    exploration.torn += torn;
    if (lacks_recovery_flag(level))
        report_failure(level, "a journal in use without the flag: Linux would wipe it");
    if (nests || sampled)
        layered_disk_copy(&level->disk, level->before);
    if (nests)
        layered_disk_record(&level->disk);
    if (!judge(level->lab, &level->disk.disk, allowed, allowed_count, &verdict)) {
        report_failure(level, verdict.why);
        return;
    }
    if (sampled)
        ask_e2fsck(level, allowed[verdict.state], torn);
    if (nests)
        explore_recovery(level, allowed[verdict.state]);
}

static u64 mix(u64 hash, u64 value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
    return hash ^ hash >> 32;
}

/*
 * The same image may be right at one cut and wrong at a later one, so what is allowed is part of what
 * is tried once. What is counted is images.
 */
static void try_cut(struct level *level, const struct cut_walk *walk, u64 choice,
                    const struct lab_state *const *allowed, size_t allowed_count)
{
    u64 ignored, key;

    level->image = cut_apply(walk, choice, &level->disk);
    level->path[level->depth] = (struct cut_choice){ walk->at, choice };
    key = mix(level->image, (u64)allowed[0]) + allowed_count;
    if (map_get(&level->seen, key, &ignored) && !exploration.replaying)
        return;
    if (map_set(&level->seen, key, 1) != OK)
        exit(2);
    exploration.images += distinct_add(level->image);
    exploration.distinct[level->depth] += distinct_add(mix(level->image, level->depth));
    try_state(level, allowed, allowed_count);
}

static struct level *level_open(struct lab *lab, size_t depth)
{
    struct level *level = calloc(1, sizeof *level);
    level->lab = lab;
    level->depth = depth;
    layered_disk_open(&level->disk, lab->ram.size_bytes);
    map_init(&level->seen);
    level->before = malloc(lab->ram.size_bytes);
    if (!level->before)
        exit(2);
    if (depth + 1 < exploration.depth)
        level->next = level_open(lab, depth + 1);
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
    cut_walk_open(&walk, outer->before, outer->image, outer->disk.size_bytes,
                  outer->disk.records, records);
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

/* How many states a cut is worth: what is loose in it can make more of them. */
static u64 weight(const struct cut_walk *walk)
{
    return 1 + min_u64(cut_loose_sectors(walk), LOOSE_MAX);
}

static u64 sum_of_weights(struct cut_walk walk)
{
    u64 sum = 0;
    for (walk.at = 0; walk.at <= walk.count; walk.at++) {
        if (walk.at > 0 && walk.records[walk.at - 1].operation == DISK_FLUSH)
            walk.durable = walk.at;
        sum += weight(&walk);
    }
    return sum;
}

static void explore_cuts(struct level *level, const struct ram_disk *ram)
{
    struct cut_walk walk;

    cut_walk_open(&walk, ram->base, cut_image_number(ram->base, ram->size_bytes),
                  ram->size_bytes, ram->records, ram->record_count);
    u64 sum = sum_of_weights(walk);
    u64 due = sum / 2;
    for (size_t records = 0; records <= ram->record_count; records++) {
        cut_walk_to(&walk, records);
        due += exploration.states_wanted * weight(&walk);
        explore_cut(level, &walk, records, due / sum);
        due %= sum;
    }
    cut_walk_close(&walk);
}

static void replay_cut(struct level *level, const struct ram_disk *ram)
{
    const struct lab_state *allowed[LAB_ALLOWED_MAX];
    const struct cut_choice *cut = &exploration.replay[0];
    size_t allowed_count = lab_allowed(level->lab, cut->records, allowed);
    struct cut_walk walk;

    cut_walk_open(&walk, ram->base, cut_image_number(ram->base, ram->size_bytes),
                  ram->size_bytes, ram->records, ram->record_count);
    cut_walk_to(&walk, min_size(cut->records, walk.count));
    try_cut(level, &walk, cut->choice, allowed, allowed_count);
    cut_walk_close(&walk);
}

static void explore_session(struct lab *lab)
{
    exploration.sessions++;
    if (exploration.replaying && lab->sessions != exploration.replay_session)
        return;
    struct level *level = level_open(lab, 0);
    if (exploration.replaying)
        replay_cut(level, &lab->ram);
    else
        explore_cuts(level, &lab->ram);
    level_close(level);
}

const struct lab_observer explorer = { .session_ends = explore_session };
