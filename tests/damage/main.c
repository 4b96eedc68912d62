/*
 * Damaged images by the ten thousand: build/damage [--seed N] [--count N] [--fsck N] [--jobs N]
 *              [--keep FILE] [--journals|--rot]
 *
 * A seed damages one of the victims in one to six places and uses it (tests/support/damage.h,
 * hostile_use.h). Of one image in so many, --fsck, what e2fsck finds before and afterwards is
 * compared: using it adds no damage. --keep writes each damaged image to a file, the last one stays. With --journals the
 * journal alone is damaged, and our replay compared with that of e2fsck (journals.h); with --rot single sectors change, all of
 * them if the count is large enough (rot.h). Each batch has a process of its own; what dies, hangs or
 * misbehaves is one line with the arguments that replay it. The last line is `N images, M broken`;
 * exit code 0: none.
 */
#include "tests/damage/journals.h"
#include "tests/damage/problems.h"
#include "tests/damage/rot.h"
#include "tests/support/damage.h"
#include "tests/support/hostile_use.h"
#include "tests/support/port_host.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SECONDS_PER_IMAGE = 20, DAMAGES_MAX = 6, JOBS_MAX = 64, OUTCOMES_MAX = 5 };

static u64 first_seed = 1, seed_count = 12000, jobs = 1, fsck_every = 100;
/* What is tried. */
static enum mode { IMAGES, JOURNALS, ROT } mode;
static const char *const mode_names[] = { "images", "journals", "sectors" };
static const char *const mode_words[] = { "--fsck 1", "--journals", "--rot" };
static const char *keep_path;

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

static const u64 journal_kinds =
    1ULL << PLACE_JOURNAL_SUPERBLOCK | 1ULL << PLACE_JOURNAL_DESCRIPTOR |
    1ULL << PLACE_JOURNAL_REVOKE | 1ULL << PLACE_JOURNAL_COMMIT |
    1ULL << PLACE_JOURNAL_DATA;

static void complain(const struct job *job, const char *what, const char *why)
{
    printf("BROKEN %s: %s: damage --seed %llu --count 1 %s\n", what, why,
           (unsigned long long)job->at, mode_words[mode]);
    fflush(stdout);
}

/* Did using the image damage more of it? NULL: no. */
static const char *judge(struct job *job, struct bench *bench)
{
    size_t size = bench->disk.size_bytes;

    problems_find(&bench->before, bench->damage.image, size);
    if (!bench->before.hung) {
        layered_disk_copy(&bench->disk, bench->used);
        problems_find(&bench->after, bench->used, size);
    }
    if (bench->before.hung || bench->after.hung) {
        job->unjudged++;
        return NULL;
    }
    if (problems_spread(&bench->before)) {
        job->spread++;
        return NULL;
    }
    job->judged++;
    if (seed_count == 1) {
        problems_print("before: ", &bench->before);
        problems_print("after: ", &bench->after);
    }
    return problems_new(&bench->before, &bench->after);
}

static void note(struct job *job, const struct hostile_use *use,
                 const struct bench *bench)
{
    job->images++;
    job->mounted += use->mounted;
    if (use->heap_bytes > job->heap_bytes)
        job->heap_bytes = use->heap_bytes;
    if (use->read_bytes / bench->disk.size_bytes > job->read_times)
        job->read_times = use->read_bytes / bench->disk.size_bytes;
}

static void try_seed(struct job *job, struct bench *bench)
{
    struct damage *damage = &bench->damage;
    struct damage_source source = damage_source_seed(job->at);
    struct hostile_use use = { .victim = &bench->victim, .seed = job->at / victim_count };
    u64 count = 1 + damage_draw(&source, DAMAGES_MAX);
    const char *problem = NULL;

    for (u64 i = 0; i < count; i++)
        damage_do(damage, &source);
    use.is_intact = ext4_has_checksums(bench->victim.places.fs) && !damage->sealed;
    if (keep_path)
        image_save(keep_path, damage->image, bench->disk.size_bytes);
    layered_disk_reset(&bench->disk, damage->image);
    alarm(SECONDS_PER_IMAGE);
    bool right = hostile_use(&use, &bench->disk.disk);
    alarm(0);
    note(job, &use, bench);
    if (fsck_every && job->at / victim_count % fsck_every == 0)
        problem = judge(job, bench);
    if (!right)
        complain(job, damage->first, use.why);
    if (problem)
        complain(job, damage->first, problem);
    job->broken += !right || problem;
    damage_undo(damage);
}

static void try_journal(struct job *job, struct bench *bench)
{
    struct damage *damage = &bench->damage;
    struct damage_source source = damage_source_seed(job->at);
    u64 count = 1 + damage_draw(&source, DAMAGES_MAX / 2);
    char why[200];

    for (u64 i = 0; i < count; i++)
        damage_do(damage, &source);
    if (keep_path)
        image_save(keep_path, damage->image, bench->disk.size_bytes);
    alarm(SECONDS_PER_IMAGE);
    enum journal_outcome outcome = journal_compare(damage, &bench->disk, why, sizeof why);
    alarm(0);
    job->images++;
    job->outcomes[outcome]++;
    if (outcome == JOURNAL_DIFFERENT) {
        job->broken++;
        complain(job, damage->first, why);
    }
    damage_undo(damage);
}

/* Neighbours in number are far apart on the disk, so that a part of them is a sample. */
static void try_sector(struct job *job, struct bench *bench)
{
    static const u64 stride = 7919; /* prime to the number of sectors */
    u64 number = job->at / victim_count, sectors = bench->disk.disk.sector_count;
    u64 sector = number / ROT_KINDS * stride % sectors;
    char why[200];

    if (number >= ROT_KINDS * sectors)
        return;
    alarm(SECONDS_PER_IMAGE);
    enum rot_outcome outcome =
        rot_try(&bench->truth, &bench->disk, sector, (enum rot_kind)(number % ROT_KINDS),
                why, sizeof why);
    alarm(0);
    job->images++;
    job->outcomes[outcome]++;
    if (outcome != ROT_SILENT)
        return;
    char place[40];
    snprintf(place, sizeof place, "sector %llu", (unsigned long long)sector);
    job->broken++;
    complain(job, place, why);
}

/* Has this victim what the mode damages? */
static bool is_suitable(const struct image_places *places)
{
    return mode == IMAGES ||
           (mode == JOURNALS && image_places_count(places, PLACE_JOURNAL_COMMIT) > 0) ||
           (mode == ROT && ext4_has_checksums(places->fs));
}

/* From job->at on, those of its seeds that damage this victim. */
static void run_batch(struct job *job, size_t which)
{
    static void (*const tries[])(struct job *, struct bench *) = { try_seed, try_journal,
                                                                   try_sector };
    static struct bench bench;

    victim_open(&bench.victim, which);
    if (!is_suitable(&bench.victim.places))
        exit(0);
    damage_open(&bench.damage, &bench.victim.places,
                mode == JOURNALS ? journal_kinds : ~0ULL);
    layered_disk_open(&bench.disk, bench.victim.places.image.size_bytes);
    rot_learn(&bench.truth, &bench.victim, &bench.disk);
    bench.used = malloc(bench.disk.size_bytes);
    for (; job->at < first_seed + seed_count; job->at += jobs * victim_count)
        tries[mode](job, &bench);
    free(bench.used);
    layered_disk_close(&bench.disk);
    damage_close(&bench.damage);
    victim_close(&bench.victim);
}

/* Goes on behind a seed that killed its process. */
static void run_victim(struct job *job, u64 number, size_t which)
{
    int state;

    job->at = first_seed +
              (which + victim_count - first_seed % victim_count) % victim_count +
              number * victim_count;
    while (job->at < first_seed + seed_count) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            run_batch(job, which);
            exit(0);
        }
        waitpid(child, &state, 0);
        if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
            return;
        complain(job, "-",
                 WIFSIGNALED(state) && WTERMSIG(state) == SIGALRM ? "it hangs"
                                                                  : "it dies");
        job->broken++;
        job->images++;
        job->at += jobs * victim_count;
    }
}

static void parse(int count, char **words)
{
    static const struct option options[] = {
        { "seed", required_argument, NULL, 's' },
        { "count", required_argument, NULL, 'c' },
        { "fsck", required_argument, NULL, 'f' },
        { "jobs", required_argument, NULL, 'j' },
        { "rot", no_argument, NULL, 'R' },
        { "journals", no_argument, NULL, 'J' },
        { "keep", required_argument, NULL, 'k' },
        { 0 },
    };
    bool right = true;
    int option;

    while (right && (option = getopt_long(count, words, "", options, NULL)) != -1) {
        u64 *number = option == 's'   ? &first_seed
                      : option == 'c' ? &seed_count
                      : option == 'f' ? &fsck_every
                                      : &jobs;
        char *rest = NULL;
        if (option == 'k')
            keep_path = optarg;
        if (option == 'J')
            mode = JOURNALS;
        if (option == 'R')
            mode = ROT;
        if (option == 'k' || option == 'J' || option == 'R')
            continue;
        if (option != '?')
            *number = strtoull(optarg, &rest, 10);
        right = rest && rest != optarg && !*rest;
    }
    if (right && seed_count > 0 && jobs > 0 && jobs <= JOBS_MAX && optind == count)
        return;
    fprintf(stderr, "usage: damage [--seed N] [--count N] [--fsck N] [--jobs N] "
                    "[--keep FILE] [--journals|--rot]\n");
    exit(2);
}

static void add_up(const struct job *results, struct job *sum)
{
    for (u64 job = 0; job < jobs; job++) {
        sum->images += results[job].images;
        sum->mounted += results[job].mounted;
        sum->broken += results[job].broken;
        sum->judged += results[job].judged;
        sum->unjudged += results[job].unjudged;
        sum->spread += results[job].spread;
        for (int i = 0; i < OUTCOMES_MAX; i++)
            sum->outcomes[i] += results[job].outcomes[i];
        if (results[job].heap_bytes > sum->heap_bytes)
            sum->heap_bytes = results[job].heap_bytes;
        if (results[job].read_times > sum->read_times)
            sum->read_times = results[job].read_times;
    }
}

static void report_outcomes(const struct job *sum)
{
    for (int i = 0; i < OUTCOMES_MAX; i++)
        printf("%s: %llu\n",
               mode == ROT ? rot_outcome_name((enum rot_outcome)i)
                           : journal_outcome_name((enum journal_outcome)i),
               (unsigned long long)sum->outcomes[i]);
}

static void report_images(const struct job *sum)
{
    printf("%llu mounted, at most %llu KiB of memory, and %llu times the image read\n",
           (unsigned long long)sum->mounted, (unsigned long long)sum->heap_bytes / 1024,
           (unsigned long long)sum->read_times);
    printf("%llu judged by e2fsck; on %llu more it did not end, on %llu damage spreads\n",
           (unsigned long long)sum->judged, (unsigned long long)sum->unjudged,
           (unsigned long long)sum->spread);
}

int main(int count, char **words)
{
    struct job sum = { 0 };

    parse(count, words);
    struct job *results = mmap(NULL, jobs * sizeof *results, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED)
        return 2;
    for (u64 job = 0; job < jobs; job++)
        if (fork() == 0) {
            for (size_t which = 0; which < victim_count; which++)
                run_victim(&results[job], job, which);
            exit(0);
        }
    while (wait(NULL) > 0) {
    }
    add_up(results, &sum);
    mode == IMAGES ? report_images(&sum) : report_outcomes(&sum);
    printf("%llu %s, %llu broken\n", (unsigned long long)sum.images, mode_names[mode],
           (unsigned long long)sum.broken);
    return sum.broken ? 1 : 0;
}
