/*
 * Damaged images by the ten thousand: build/damage [--seed N] [--count N] [--fsck N] [--jobs N]
 *              [--keep FILE] [--journals|--rot|--full|--shrink]
 *
 * A seed damages one of the victims in one to six places and uses it (tests/support/damage.h,
 * hostile_use.h). Of one image in so many, --fsck, what e2fsck finds before and afterwards is
 * compared: using it adds no damage. Instead
 *
 *   --journals  the journal alone is damaged, and our replay compared with that of e2fsck (journals.h)
 *   --rot       single sectors change; all of them, if the count is large enough (rot.h)
 *   --full      there is too little space for a generation (full.h)
 *   --shrink    the disk ends early from some request on (shrink.h)
 *
 * --keep writes each damaged image to a file; the last one stays. Each batch has a process of its
 * own; what dies, hangs or misbehaves is one line with the arguments that replay it. The last line is
 * `N images, M broken`; exit code 0: none.
 */
#include "tests/damage/full.h"
#include "tests/damage/job.h"
#include "tests/damage/journals.h"
#include "tests/damage/shrink.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 64 };

struct settings settings = {
    .first_seed = 1, .seed_count = 12000, .jobs = 1, .fsck_every = 100
};

static const char mode_options[] = "IJRFH"; /* as getopt_long() returns them */
static const char *const mode_names[] = { "images", "journals", "sectors", "disks",
                                          "disks" };

/* From job->at on, those of its seeds that damage this victim. */
static void run_batch(struct job *job, size_t which)
{
    static struct bench bench;

    victim_open(&bench.victim, which);
    if (!is_suitable(&bench.victim))
        exit(0);
    damage_open(&bench.damage, &bench.victim.places, damaged_kinds());
    layered_disk_open(&bench.disk, bench.victim.places.image.size_bytes);
    rot_learn(&bench.truth, &bench.victim, &bench.disk);
    bench.used = malloc(bench.disk.size_bytes);
    for (; job->at < settings.first_seed + settings.seed_count;
         job->at += settings.jobs * victim_count)
        try_it(job, &bench);
    free(bench.used);
    layered_disk_close(&bench.disk);
    damage_close(&bench.damage);
    victim_close(&bench.victim);
}

/* Goes on behind a seed that killed its process. */
static void run_victim(struct job *job, u64 number, size_t which)
{
    int state;

    job->at = settings.first_seed +
              (which + victim_count - settings.first_seed % victim_count) % victim_count +
              number * victim_count;
    while (job->at < settings.first_seed + settings.seed_count) {
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
        job->at += settings.jobs * victim_count;
    }
}

static void parse(int count, char **words)
{
    static const struct option options[] = {
        { "seed", required_argument, NULL, 's' },
        { "count", required_argument, NULL, 'c' },
        { "fsck", required_argument, NULL, 'f' },
        { "jobs", required_argument, NULL, 'j' },
        { "shrink", no_argument, NULL, 'H' },
        { "full", no_argument, NULL, 'F' },
        { "rot", no_argument, NULL, 'R' },
        { "journals", no_argument, NULL, 'J' },
        { "keep", required_argument, NULL, 'k' },
        { 0 },
    };
    bool right = true;
    int option;

    while (right && (option = getopt_long(count, words, "", options, NULL)) != -1) {
        u64 *number = option == 's'   ? &settings.first_seed
                      : option == 'c' ? &settings.seed_count
                      : option == 'f' ? &settings.fsck_every
                                      : &settings.jobs;
        char *rest = NULL;
        if (option == 'k')
            settings.keep_path = optarg;
        const char *chosen = strchr(mode_options, option);
        if (chosen)
            settings.mode = (enum mode)(chosen - mode_options);
        if (option == 'k' || chosen)
            continue;
        if (option != '?')
            *number = strtoull(optarg, &rest, 10);
        right = rest && rest != optarg && !*rest;
    }
    if (right && settings.seed_count > 0 && settings.jobs > 0 &&
        settings.jobs <= JOBS_MAX && optind == count)
        return;
    fprintf(stderr, "usage: damage [--seed N] [--count N] [--fsck N] [--jobs N] "
                    "[--keep FILE] [--journals|--rot|--full|--shrink]\n");
    exit(2);
}

static void add_up(const struct job *results, struct job *sum)
{
    for (u64 job = 0; job < settings.jobs; job++) {
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
    static const int counts[] = { 0, JOURNAL_OUTCOMES, ROT_OUTCOMES, FULL_OUTCOMES,
                                  SHRINK_OUTCOMES };

    for (int i = 0; i < counts[settings.mode]; i++)
        printf("%s: %llu\n", outcome_name(i), (unsigned long long)sum->outcomes[i]);
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
    struct job *results = mmap(NULL, settings.jobs * sizeof *results,
                               PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED)
        return 2;
    for (u64 job = 0; job < settings.jobs; job++)
        if (fork() == 0) {
            for (size_t which = 0; which < victim_count; which++)
                run_victim(&results[job], job, which);
            exit(0);
        }
    while (wait(NULL) > 0) {
    }
    add_up(results, &sum);
    settings.mode == IMAGES ? report_images(&sum) : report_outcomes(&sum);
    printf("%llu %s, %llu broken\n", (unsigned long long)sum.images,
           mode_names[settings.mode], (unsigned long long)sum.broken);
    return sum.broken ? 1 : 0;
}
