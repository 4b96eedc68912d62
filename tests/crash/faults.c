#include "tests/crash/faults.h"

#include "kernel/base/string.h"
#include "tests/crash/fault_case.h"
#include "tests/support/port_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CASE_SECONDS = 30 };

struct fault_campaign fault_campaign;

static const char *const kind_names[] = { "read", "write", "flush", "allocation" };

const char *fault_kind_name(enum fault_kind kind)
{
    return kind_names[kind];
}

enum fault_kind fault_kind_find(const char *name, size_t length)
{
    enum fault_kind kind = FAULT_READ;
    while (kind < FAULT_KINDS && (strlen(kind_names[kind]) != length ||
                                  strncmp(kind_names[kind], name, length) != 0))
        kind++;
    return kind;
}

/* What the processes of one action share. */
struct shared {
    struct fault_plan plan;
    char why[200]; /* of the case that runs; empty: nothing to complain about */
};

static struct shared *shared(void)
{
    static struct shared *memory;
    if (memory)
        return memory;
    memory = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        perror("crash");
        exit(2);
    }
    return memory;
}

/* Of a build for coverage: what this process has run is not lost with it. */
void __gcov_dump(void) __attribute__((weak));

static _Noreturn void leave(void)
{
    if (__gcov_dump)
        __gcov_dump();
    _exit(0);
}

static void run_case(struct lab *lab, const struct lab_action *action,
                     const struct fault *fault)
{
    int state = 0;

    (void)text_copy(shared()->why, sizeof shared()->why, "it hangs");
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        alarm(CASE_SECONDS);
        fault_case_try(lab, action, &shared()->plan, fault, shared()->why,
                       sizeof shared()->why);
        leave();
    }
    bool ended = child > 0 && waitpid(child, &state, 0) == child && WIFEXITED(state) &&
                 WEXITSTATUS(state) == 0;
    fault_campaign.cases[fault->kind]++;
    if (ended && !*shared()->why)
        return;
    fault_campaign.failures++;
    if (!ended && !(WIFSIGNALED(state) && WTERMSIG(state) == SIGALRM))
        (void)text_copy(shared()->why, sizeof shared()->why, "it dies");
    printf("FAILED %s: %s: crash --fault %s:%llu:%u:%s:%llu:%s\n", action->what,
           shared()->why, lab->scenario->name, (unsigned long long)fault_campaign.seed,
           lab->actions, fault_kind_name(fault->kind), (unsigned long long)fault->nth,
           fault->for_good ? "on" : "once");
    fflush(stdout);
    if (fault_campaign.stop)
        exit(1);
}

/* The action without a fault, to learn how much can fail and where it leads. */
static void make_plan(struct lab *lab, const struct lab_action *action)
{
    int state;
    struct fault_plan *plan = &shared()->plan;
    pid_t child = fork();

    if (child == 0) {
        fault_case_plan(lab, action, plan);
        leave();
    }
    if (child < 0 || waitpid(child, &state, 0) != child || !WIFEXITED(state) ||
        WEXITSTATUS(state) != 0) {
        printf("%s: %s does not work without a fault\n", lab->scenario->name,
               action->what);
        exit(2);
    }
}

static bool is_drawn(const struct lab *lab, const struct fault *fault)
{
    u64 random = (lab->actions + 1) * 0x9E3779B97F4A7C15ULL ^ fault->nth * 0xC2B2AE35ULL ^
                 (u64)fault->kind << 40 ^ (u64)fault->for_good << 44;
    random_next(&random);
    return (random_next(&random) >> 24) % fault_campaign.every == 0;
}

static void try_drawn(struct lab *lab, const struct lab_action *action,
                      const struct fault *fault)
{
    bool wanted =
        fault_campaign.only == FAULT_KINDS || fault_campaign.only == fault->kind;
    if (wanted && is_drawn(lab, fault))
        run_case(lab, action, fault);
}

static void try_faults(struct lab *lab, const struct lab_action *action)
{
    if (fault_campaign.replaying && lab->actions != fault_campaign.replay_action)
        return;
    make_plan(lab, action);
    if (fault_campaign.replaying) {
        run_case(lab, action, &fault_campaign.replay);
        return;
    }
    for (enum fault_kind kind = FAULT_READ; kind < FAULT_KINDS; kind++)
        for (u64 nth = 1; nth <= shared()->plan.counts[kind]; nth++) {
            try_drawn(lab, action, &(struct fault){ kind, nth, false });
            try_drawn(lab, action, &(struct fault){ kind, nth, true });
        }
}

const struct lab_observer fault_observer = { .before_action = try_faults };
