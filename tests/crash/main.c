#include "kernel/base/string.h"
#include "tests/crash/explore.h"
#include "tests/support/port_host.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { JOBS_MAX = 64 };
static u64 jobs = 1;

static const struct scenario *find_scenario(const char *name, size_t length)
{
    for (size_t i = 0; i < scenario_count; i++)
        if (strlen(scenarios[i].name) == length &&
            strncmp(scenarios[i].name, name, length) == 0)
            return &scenarios[i];
    fprintf(stderr, "crash: no scenario %.*s (--list)\n", (int)length, name);
    exit(2);
}

static void run_scenario(const struct scenario *scenario)
{
    static struct lab lab;

    lab_open(&lab, scenario, exploration.seed);
    scenario->run(&lab);
    lab_close(&lab);
}

static void report(const char *name, const struct exploration *before)
{
    printf("%-22s seed %llu: %llu sessions, %llu cuts, %llu states", name,
           (unsigned long long)exploration.seed,
           (unsigned long long)(exploration.sessions - before->sessions),
           (unsigned long long)(exploration.cuts - before->cuts),
           (unsigned long long)(exploration.states[0] - before->states[0]));
    for (size_t i = 1; i < exploration.depth; i++)
        printf(" + %llu",
               (unsigned long long)(exploration.states[i] - before->states[i]));
    printf(", %llu judged by e2fsck, %llu failed\n",
           (unsigned long long)(exploration.judged_by_fsck - before->judged_by_fsck),
           (unsigned long long)(exploration.failures - before->failures));
    fflush(stdout);
}

static u64 number(const char *text, char end, const char **rest)
{
    char *behind;
    u64 value = strtoull(text, &behind, 10);
    if (behind == text || (*behind != end && *behind != '\0')) {
        fprintf(stderr, "crash: not a number: %s\n", text);
        exit(2);
    }
    *rest = *behind ? behind + 1 : behind;
    return value;
}

/* NAME:SEED:SESSION:RECORDS:CHOICE[:RECORDS:CHOICE...] */
static const struct scenario *parse_replay(const char *text)
{
    size_t length = strcspn(text, ":");
    const struct scenario *scenario = find_scenario(text, length);
    const char *at = text + length + (text[length] == ':');

    exploration.replaying = true;
    exploration.seed = number(at, ':', &at);
    exploration.replay_session = (u32)number(at, ':', &at);
    while (*at && exploration.replay_depth < EXPLORE_DEPTH_MAX) {
        struct cut_choice *cut = &exploration.replay[exploration.replay_depth++];
        cut->records = number(at, ':', &at);
        cut->choice = number(at, ':', &at);
    }
    exploration.depth = exploration.replay_depth;
    return scenario;
}

static void usage(void)
{
    fprintf(stderr,
            "usage: crash [--scenario NAME] [--seed N] [--states N] [--depth 1-3] "
            "[--fsck N] [--jobs N] [--list] [--replay TEXT]\n");
    exit(2);
}

static const struct scenario *parse_arguments(int count, char **arguments)
{
    static const struct option options[] = {
        { "scenario", required_argument, NULL, 'c' },
        { "seed", required_argument, NULL, 's' },
        { "states", required_argument, NULL, 'n' },
        { "depth", required_argument, NULL, 'd' },
        { "fsck", required_argument, NULL, 'f' },
        { "jobs", required_argument, NULL, 'j' },
        { "list", no_argument, NULL, 'l' },
        { "replay", required_argument, NULL, 'r' },
        { 0 },
    };
    const struct scenario *only = NULL;
    const char *rest;
    int option;

    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            only = find_scenario(optarg, strlen(optarg));
            break;
        case 's':
            exploration.seed = number(optarg, '\0', &rest);
            break;
        case 'n':
            exploration.states_wanted = number(optarg, '\0', &rest);
            break;
        case 'd':
            exploration.depth = number(optarg, '\0', &rest);
            break;
        case 'f':
            exploration.fsck_every = number(optarg, '\0', &rest);
            break;
        case 'j':
            jobs = number(optarg, '\0', &rest);
            break;
        case 'r':
            only = parse_replay(optarg);
            break;
        case 'l':
            for (size_t i = 0; i < scenario_count; i++)
                puts(scenarios[i].name);
            exit(0);
        default:
            usage();
        }
    }
    if (exploration.depth < 1 || exploration.depth > EXPLORE_DEPTH_MAX || jobs < 1 ||
        jobs > JOBS_MAX || optind < count)
        usage();
    return only;
}

/* The scenarios that fall to this job. */
static void run_job(const struct scenario *only, u64 job)
{
    for (size_t i = 0; i < scenario_count; i++) {
        struct exploration before = exploration;
        if (only ? only != &scenarios[i] : i % jobs != job)
            continue;
        port_host_set_time(1780000000ULL * 1000000);
        run_scenario(&scenarios[i]);
        report(scenarios[i].name, &before);
    }
}

static struct exploration *share(size_t count)
{
    struct exploration *shared =
        mmap(NULL, count * sizeof *shared, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("crash");
        exit(2);
    }
    return shared;
}

/* Each job in a process of its own; false if one did not come to its end. */
static bool run_jobs(const struct scenario *only, struct exploration *results)
{
    bool all = true;
    int state;

    for (u64 job = 0; job < jobs; job++) {
        if (fork() != 0)
            continue;
        run_job(only, job);
        results[job] = exploration;
        exit(0);
    }
    while (wait(&state) > 0)
        all = all && WIFEXITED(state) && WEXITSTATUS(state) == 0;
    return all;
}

int main(int count, char **arguments)
{
    u64 states = 0, failures = 0;

    exploration = (struct exploration){
        .seed = 1, .states_wanted = 1000, .depth = 2, .fsck_every = 200
    };
    const struct scenario *only = parse_arguments(count, arguments);
    if (only)
        jobs = 1;
    setenv("E2FSPROGS_FAKE_TIME", "1780000000", 1);
    struct exploration *results = share(jobs);
    bool all = run_jobs(only, results);
    for (u64 job = 0; job < jobs; job++) {
        for (size_t depth = 0; depth < EXPLORE_DEPTH_MAX; depth++)
            states += results[job].states[depth];
        failures += results[job].failures;
    }
    printf("%llu states, %llu failed\n", (unsigned long long)states,
           (unsigned long long)failures);
    return failures ? 1 : all ? 0 : 2;
}
