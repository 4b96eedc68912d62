#include "tests/crash/arguments.h"
#include "tests/crash/distinct.h"
#include "tests/crash/recorded.h"
#include "tests/support/port_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DISTINCT_MAX = 1 << 23 };

static const u64 clock_start = 1780000000;

/* What a job has done so far. */
struct results {
    struct exploration exploration;
    struct fault_campaign faults;
    struct lives lives;
};

static void run_scenario(const struct scenario *scenario,
                         const struct lab_observer *observer)
{
    static struct lab lab;

    port_host_set_time(clock_start * 1000000);
    lab_open(&lab, scenario, exploration.seed, observer);
    scenario->run(&lab);
    lab_close(&lab);
}

/* --- reports --- */

static void report_cuts(const char *name, const struct exploration *before)
{
    printf("%-24s seed %llu: %llu sessions, %llu cuts, %llu states", name,
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
}

static void report_faults(const char *name, const struct fault_campaign *before)
{
    printf("%-24s seed %llu:", name, (unsigned long long)fault_campaign.seed);
    for (enum fault_kind kind = FAULT_READ; kind < FAULT_KINDS; kind++)
        printf(" %s %llu,", fault_kind_name(kind),
               (unsigned long long)(fault_campaign.cases[kind] - before->cases[kind]));
    printf(" %llu failed\n",
           (unsigned long long)(fault_campaign.failures - before->failures));
}

/* --- jobs --- */

static void run_lives(const struct arguments *arguments, u64 job)
{
    for (u64 life = job; life < lives.count; life += arguments->jobs) {
        port_host_set_time(clock_start * 1000000);
        lives_try(exploration.seed + life);
    }
}

/* The scenarios that fall to this job. */
static void run_scenarios(const struct arguments *arguments, u64 job)
{
    for (size_t i = 0; i < scenario_count; i++) {
        const struct scenario *scenario = &scenarios[i];
        struct results before = { exploration, fault_campaign, lives };
        if (arguments->only ? arguments->only != scenario : i % arguments->jobs != job)
            continue;
        run_scenario(scenario, arguments->faults ? &fault_observer : &explorer);
        if (arguments->faults)
            report_faults(scenario->name, &before.faults);
        else
            report_cuts(scenario->name, &before.exploration);
        fflush(stdout);
    }
}

static struct results *share(size_t count)
{
    struct results *shared = mmap(NULL, count * sizeof *shared, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("crash");
        exit(2);
    }
    return shared;
}

/* Each job in a process of its own; false if one did not come to its end. */
static bool run_jobs(const struct arguments *arguments, struct results *results)
{
    bool all = true;
    int state;

    for (u64 job = 0; job < arguments->jobs; job++) {
        if (fork() != 0)
            continue;
        if (lives.count > 0)
            run_lives(arguments, job);
        else if (arguments->recorded)
            recorded_explore(arguments->recorded);
        else
            run_scenarios(arguments, job);
        results[job] = (struct results){ exploration, fault_campaign, lives };
        exit(0);
    }
    while (wait(&state) > 0)
        all = all && WIFEXITED(state) && WEXITSTATUS(state) == 0;
    return all;
}

static void add(struct exploration *sum, const struct exploration *job)
{
    for (size_t depth = 0; depth < EXPLORE_DEPTH_MAX; depth++) {
        sum->states[depth] += job->states[depth];
        sum->distinct[depth] += job->distinct[depth];
    }
    sum->images += job->images;
    sum->torn += job->torn;
    sum->judged_by_fsck += job->judged_by_fsck;
    sum->failures += job->failures;
}

static void report_exploration(const struct exploration *sum)
{
    static const char *const what[EXPLORE_DEPTH_MAX] = { "cut", "cut in recovery from it",
                                                         "cut in recovery from that" };
    for (size_t depth = 0; depth < exploration.depth; depth++)
        printf("%s: %llu judged, %llu distinct images\n", what[depth],
               (unsigned long long)sum->states[depth],
               (unsigned long long)sum->distinct[depth]);
    printf("%llu by e2fsck too, %llu with a torn superblock\n",
           (unsigned long long)sum->judged_by_fsck, (unsigned long long)sum->torn);
    printf("%llu states, %llu lost\n", (unsigned long long)sum->images,
           (unsigned long long)sum->failures);
}

static u64 report_lives(const struct lives *sum)
{
    printf("%llu lives of %llu crashes, %llu generations: %llu lost, %llu leaked\n",
           (unsigned long long)sum->lived, (unsigned long long)lives.crashes,
           (unsigned long long)sum->generations, (unsigned long long)sum->lost,
           (unsigned long long)sum->leaked);
    return sum->lost + sum->leaked;
}

static u64 report_all_faults(const struct fault_campaign *sum)
{
    u64 cases = 0;
    for (enum fault_kind kind = FAULT_READ; kind < FAULT_KINDS; kind++)
        cases += sum->cases[kind];
    printf("%llu faults, %llu failed\n", (unsigned long long)cases,
           (unsigned long long)sum->failures);
    return sum->failures;
}

/* The closing lines; returns the failures. */
static u64 add_up(const struct arguments *arguments, const struct results *results)
{
    struct results sum = { 0 };

    for (u64 job = 0; job < arguments->jobs; job++) {
        add(&sum.exploration, &results[job].exploration);
        for (enum fault_kind kind = FAULT_READ; kind < FAULT_KINDS; kind++)
            sum.faults.cases[kind] += results[job].faults.cases[kind];
        sum.faults.failures += results[job].faults.failures;
        sum.lives.lived += results[job].lives.lived;
        sum.lives.generations += results[job].lives.generations;
        sum.lives.lost += results[job].lives.lost;
        sum.lives.leaked += results[job].lives.leaked;
    }
    if (lives.count > 0)
        return report_lives(&sum.lives);
    if (arguments->faults)
        return report_all_faults(&sum.faults);
    report_exploration(&sum.exploration);
    return sum.exploration.failures;
}

int main(int count, char **words)
{
    exploration = (struct exploration){
        .seed = 1, .states_wanted = 1000, .depth = 2, .fsck_every = 200
    };
    fault_campaign.every = 1;
    fault_campaign.only = FAULT_KINDS;
    lives.crashes = 40;
    struct arguments arguments = arguments_parse(count, words);
    setenv("E2FSPROGS_FAKE_TIME", "1780000000", 1);
    struct results *results = share(arguments.jobs);
    distinct_open(DISTINCT_MAX);
    bool all = run_jobs(&arguments, results);
    if (arguments.stop && !all)
        return 1;
    return add_up(&arguments, results) ? 1 : all ? 0 : 2;
}
