/*
 * Damaged images by the ten thousand: build/damage [--seeds FIRST:COUNT] [--victim NAME] [--jobs N]
 *
 * Seed n damages an image in one to six places and uses it (tests/support/damage.h, hostile_use.h).
 * Each batch has a process of its own; what dies, hangs or misbehaves is one line with the arguments
 * that replay it. The last line is `N images, M broken`; exit code 0: none.
 */
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

enum { SECONDS_PER_IMAGE = 20, DAMAGES_MAX = 6, JOBS_MAX = 64 };

static u64 first_seed = 1, seed_count = 2000, jobs = 1;
static const char *only;

/* What a job reports, seen by its parent when it is dead, too. */
struct job {
    u64 images, mounted, broken;
    u64 at;                     /* the seed being tried */
    u64 heap_bytes, read_times; /* the worst */
    char victim[16];
};

static void complain(const struct job *job, const char *what, const char *why)
{
    printf("BROKEN %s: %s: damage --victim %s --seeds %llu:1\n", what, why, job->victim,
           (unsigned long long)job->at);
    fflush(stdout);
}

static void try_seed(struct job *job, const struct victim *victim, struct damage *damage,
                     struct layered_disk *disk)
{
    struct damage_source source = damage_source_seed(job->at);
    struct hostile_use use = { .victim = victim, .seed = job->at };
    u64 count = 1 + damage_draw(&source, DAMAGES_MAX);

    for (u64 i = 0; i < count; i++)
        damage_do(damage, &source);
    use.is_intact = ext4_has_checksums(victim->places.fs) && !damage->sealed;
    layered_disk_reset(disk, damage->image);
    alarm(SECONDS_PER_IMAGE);
    bool right = hostile_use(&use, &disk->disk);
    alarm(0);
    if (!right) {
        job->broken++;
        complain(job, damage->first, use.why);
    }
    job->images++;
    job->mounted += use.mounted;
    if (use.heap_bytes > job->heap_bytes)
        job->heap_bytes = use.heap_bytes;
    if (use.read_bytes / disk->size_bytes > job->read_times)
        job->read_times = use.read_bytes / disk->size_bytes;
    damage_undo(damage);
}

/* From job->at on, every `jobs`-th seed. */
static void run_batch(struct job *job, size_t which)
{
    static struct victim victim;
    struct damage damage;
    struct layered_disk disk;

    victim_open(&victim, which);
    damage_open(&damage, &victim.places, ~0ULL);
    layered_disk_open(&disk, victim.places.image.size_bytes);
    for (; job->at < first_seed + seed_count; job->at += jobs)
        try_seed(job, &victim, &damage, &disk);
    layered_disk_close(&disk);
    damage_close(&damage);
    victim_close(&victim);
}

/* Goes on behind a seed that killed its process. */
static void run_victim(struct job *job, u64 number, size_t which)
{
    int state;

    snprintf(job->victim, sizeof job->victim, "%s", victim_names[which]);
    job->at = first_seed + number;
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
        job->at += jobs;
    }
}

static void run_job(struct job *job, u64 number)
{
    for (size_t which = 0; which < victim_count; which++)
        if (!only || strcmp(only, victim_names[which]) == 0)
            run_victim(job, number, which);
}

static void parse(int count, char **words)
{
    static const struct option options[] = {
        { "seeds", required_argument, NULL, 's' },
        { "victim", required_argument, NULL, 'v' },
        { "jobs", required_argument, NULL, 'j' },
        { 0 },
    };
    int option;
    char *rest;

    while ((option = getopt_long(count, words, "", options, NULL)) != -1) {
        if (option == 's') {
            first_seed = strtoull(optarg, &rest, 10);
            seed_count = *rest == ':' ? strtoull(rest + 1, NULL, 10) : 0;
        } else if (option == 'v') {
            only = optarg;
        } else if (option == 'j') {
            jobs = strtoull(optarg, NULL, 10);
        } else {
            exit(2);
        }
    }
    size_t which = 0;
    while (only && which < victim_count && strcmp(only, victim_names[which]) != 0)
        which++;
    if (which < victim_count && seed_count > 0 && jobs > 0 && jobs <= JOBS_MAX &&
        optind == count)
        return;
    fprintf(stderr, "usage: damage [--seeds FIRST:COUNT] [--victim NAME] [--jobs N]\n");
    exit(2);
}

int main(int count, char **words)
{
    u64 images = 0, mounted = 0, broken = 0, heap = 0, reads = 0;

    parse(count, words);
    struct job *results = mmap(NULL, jobs * sizeof *results, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (results == MAP_FAILED)
        return 2;
    for (u64 job = 0; job < jobs; job++)
        if (fork() == 0) {
            run_job(&results[job], job);
            exit(0);
        }
    while (wait(NULL) > 0) {
    }
    for (u64 job = 0; job < jobs; job++) {
        images += results[job].images;
        mounted += results[job].mounted;
        broken += results[job].broken;
        heap = heap > results[job].heap_bytes ? heap : results[job].heap_bytes;
        reads = reads > results[job].read_times ? reads : results[job].read_times;
    }
    printf("%llu mounted, at most %llu KiB of memory, and %llu times the image read\n",
           (unsigned long long)mounted, (unsigned long long)heap / 1024,
           (unsigned long long)reads);
    printf("%llu images, %llu broken\n", (unsigned long long)images,
           (unsigned long long)broken);
    return broken ? 1 : 0;
}
