#include "tests/crash/arguments.h"
#include "tests/support/port_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const u64 clock_start = 1780000000;

/* What a job has done so far. */
struct results {
    struct exploration exploration;
    struct fault_campaign faults;
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
}

static void report_faults(const char *name, const struct fault_campaign *before)
{
    printf("%-22s seed %llu:", name, (unsigned long long)fault_campaign.seed);
    for (enum fault_kind kind = FAULT_READ; kind < FAULT_KINDS; kind++)
        printf(" %s %llu,", fault_kind_name(kind),
               (unsigned long long)(fault_campaign.cases[kind] - before->cases[kind]));
    printf(" %llu failed\n",
           (unsigned long long)(fault_campaign.failures - before->failures));
}

/* --- jobs --- */

/* The scenarios that fall to this job. */
static void run_job(const struct arguments *arguments, u64 job)
{
    for (size_t i = 0; i < scenario_count; i++) {
        const struct scenario *scenario = &scenarios[i];
        struct results before = { exploration, fault_campaign };
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
        run_job(arguments, job);
        results[job] = (struct results){ exploration, fault_campaign };
        exit(0);
    }
    while (wait(&state) > 0)
        all = all && WIFEXITED(state) && WEXITSTATUS(state) == 0;
    return all;
}

/* The closing line; returns the failures. */
static u64 add_up(const struct arguments *arguments, const struct results *results)
{
    u64 states = 0, cases = 0, failures = 0;

    for (u64 job = 0; job < arguments->jobs; job++) {
        for (size_t depth = 0; depth < EXPLORE_DEPTH_MAX; depth++)
            states += results[job].exploration.states[depth];
        for (enum fault_kind kind = FAULT_READ; kind < FAULT_KINDS; kind++)
            cases += results[job].faults.cases[kind];
        failures += results[job].exploration.failures + results[job].faults.failures;
    }
    if (arguments->faults)
        printf("%llu faults, %llu failed\n", (unsigned long long)cases,
               (unsigned long long)failures);
    else
        printf("%llu states, %llu lost\n", (unsigned long long)states,
               (unsigned long long)failures);
    return failures;
}

int main(int count, char **words)
{
    exploration = (struct exploration){
        .seed = 1, .states_wanted = 1000, .depth = 2, .fsck_every = 200
    };
    fault_campaign.every = 1;
    struct arguments arguments = arguments_parse(count, words);
    setenv("E2FSPROGS_FAKE_TIME", "1780000000", 1);
    struct results *results = share(arguments.jobs);
    bool all = run_jobs(&arguments, results);
    return add_up(&arguments, results) ? 1 : all ? 0 : 2;
}
