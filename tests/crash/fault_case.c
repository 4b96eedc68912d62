#include "tests/crash/fault_case.h"

#include "kernel/base/format.h"
#include "tests/crash/judge.h"
#include "tests/crash/lab_internal.h"
#include "tests/support/port_host.h"

#include <stdlib.h>

enum { FAR_AWAY = 1 << 30, CUTS = 2 };

struct fault_case {
    struct lab *lab;
    const struct lab_action *action;
    const struct fault *fault;
    /* States that a failure may leave; the first is the one before. */
    const struct lab_state *allowed[FAULT_STATES_MAX];
    size_t allowed_count;
    char *why;
    size_t why_size;
};

static bool complain(struct fault_case *fault_case, const char *what, const char *why)
{
    format_text(fault_case->why, fault_case->why_size, "%s: %s", what, why);
    return false;
}

static bool expect(struct fault_case *fault_case, const char *what, enum status status)
{
    return status == OK || complain(fault_case, what, status_text(status));
}

/* --- without a fault --- */

void fault_case_plan(struct lab *lab, const struct lab_action *action,
                     struct fault_plan *plan)
{
    size_t first = lab->step_count;

    for (int kind = FAULT_READ; kind < FAULT_ALLOCATION; kind++)
        ram_disk_fail(&lab->ram, (enum disk_operation)kind, FAR_AWAY, false);
    port_host_fail_allocation(0, false);
    if (action->perform(lab, action->argument) != OK)
        exit(1);
    for (int kind = FAULT_READ; kind < FAULT_ALLOCATION; kind++)
        plan->counts[kind] = FAR_AWAY - lab->ram.faults[kind].countdown;
    plan->counts[FAULT_ALLOCATION] = port_host_allocations();
    plan->state_count = 0;
    for (size_t i = first - 1; i < lab->step_count; i++) {
        ASSERT(plan->state_count < FAULT_STATES_MAX);
        plan->states[plan->state_count++] = lab->steps[i].state;
    }
}

/* --- the fault --- */

static void arm(struct lab *lab, const struct fault *fault)
{
    lab->ram.harm_seed = fault->nth * 2 + 1;
    if (fault->kind == FAULT_ALLOCATION)
        port_host_fail_allocation(fault->nth, fault->for_good);
    else
        ram_disk_fail(&lab->ram, (enum disk_operation)fault->kind, fault->nth,
                      fault->for_good);
}

/* Heals everything; did it strike? */
static bool disarm(struct lab *lab, const struct fault *fault)
{
    bool struck = fault->kind == FAULT_ALLOCATION
                      ? port_host_allocations() >= fault->nth
                      : lab->ram.faults[fault->kind].struck > 0;
    port_host_fail_allocation(0, false);
    for (int kind = FAULT_READ; kind < FAULT_ALLOCATION; kind++)
        ram_disk_fail(&lab->ram, (enum disk_operation)kind, 0, false);
    lab->ram.harm_seed = 0;
    return struck;
}

/* A generation that was made stays made if old ones then cannot be purged. */
static bool has_given_up(const struct fault_case *fault_case)
{
    const struct lab *lab = fault_case->lab;
    size_t last = fault_case->allowed_count - 1;

    return (fault_case->action->perform == perform_take ||
            fault_case->action->perform == perform_take_if_room) &&
           lab->steps[lab->step_count - 1].state.count !=
               fault_case->allowed[last]->count;
}

/* An error that names what failed; a success only if the request was not needed. */
static bool check_status(struct fault_case *fault_case, enum status status)
{
    enum fault_kind kind = fault_case->fault->kind;
    enum status named = kind == FAULT_ALLOCATION ? ERR_NO_MEMORY : ERR_IO;

    if (status == OK && kind == FAULT_FLUSH && !has_given_up(fault_case))
        return complain(fault_case, "status", "a failed flush is taken for a success");
    if (kind == FAULT_READ && (status == ERR_INTEGRITY || status == ERR_PURGE_DENIED))
        return true; /* an archive that cannot be read */
    return status == OK || status == named || expect(fault_case, "status", status);
}

/* --- afterwards --- */

static bool is_allowed(struct fault_case *fault_case, size_t *index)
{
    const char *why = "";
    for (size_t i = 0; i < fault_case->allowed_count; i++) {
        *index = i;
        if (lab_state_matches(fault_case->lab->snapper, fault_case->allowed[i], &why))
            return true;
    }
    return complain(fault_case, "generations", why);
}

/* A purge that was given up, or came before the failure, has its effect: that is what goes on. */
static bool check_session(struct fault_case *fault_case, bool succeeded, bool gave_up)
{
    struct lab *lab = fault_case->lab;
    size_t index;

    if (!lab->snapper)
        return true;
    if (snapper_state(lab->snapper) != SNAPPER_DORMANT)
        return complain(fault_case, "session", "not dormant");
    if (!is_allowed(fault_case, &index))
        return false;
    if (gave_up || (!succeeded && lab->candidate_count == 0))
        lab_last_step(lab)->state = *fault_case->allowed[index];
    return gave_up || (index == 0 || !succeeded || lab->candidate_count > 0 ||
                       complain(fault_case, "generations", "not as reported"));
}

/* The power fails at this moment, too. */
static bool check_cuts(struct fault_case *fault_case)
{
    const struct lab *lab = fault_case->lab;
    struct verdict verdict = { 0 };
    struct ram_disk cut;
    bool right = true;

    ram_disk_open(&cut, lab->ram.disk.sector_count);
    for (u64 choice = 0; choice < CUTS && right; choice++) {
        ram_disk_cut(&lab->ram, lab->ram.record_count, choice, cut.bytes);
        right = judge(lab, &cut.disk, fault_case->allowed, fault_case->allowed_count,
                      &verdict);
    }
    ram_disk_close(&cut);
    return right || complain(fault_case, "after a power cut", verdict.why);
}

/* Everything is dropped and mounted again; which of the allowed states is it? */
static bool mount_again(struct fault_case *fault_case, size_t *index)
{
    struct lab *lab = fault_case->lab;

    if (lab->snapper)
        snapper_close(lab->snapper);
    if (lab->fs)
        ext4_drop(lab->fs);
    lab->snapper = NULL;
    lab->fs = NULL;
    if (!expect(fault_case, "mount again", perform_mount(lab, 0)) ||
        !expect(fault_case, "open again", perform_open(lab, 0)) ||
        !is_allowed(fault_case, index))
        return false;
    lab_last_step(lab)->state = *fault_case->allowed[*index];
    return expect(fault_case, "resume again", perform_resume(lab, 0));
}

static bool is_part_of_mounting(const struct lab_action *action)
{
    return action->perform == perform_mount || action->perform == perform_open ||
           action->perform == perform_resume;
}

/* Its archive went with the first of several transactions, and the rest is for the next clean-up. */
static bool is_half_purged(struct fault_case *fault_case)
{
    struct lab *lab = fault_case->lab;
    size_t index;

    if (fault_case->action->perform != perform_purge || !lab->snapper ||
        !is_allowed(fault_case, &index) || index == 0)
        return false;
    lab_last_step(lab)->state = *fault_case->allowed[index];
    return true;
}

/* The disk is healed: the same again must succeed, after a mount if need be. */
static bool retry(struct fault_case *fault_case)
{
    const struct lab_action *action = fault_case->action;
    struct lab *lab = fault_case->lab;
    size_t index = 0;

    if (action->perform == perform_mount)
        return mount_again(fault_case, &index);
    if (is_half_purged(fault_case))
        return true;
    if (lab->fs) {
        enum status status = action->perform(lab, action->argument);
        if (status == OK)
            return true;
        /* What cannot be written any more says so: the journal has been given up. */
        if (status != ERR_READ_ONLY || fault_case->fault->kind == FAULT_READ ||
            fault_case->fault->kind == FAULT_ALLOCATION)
            return expect(fault_case, "retry", status);
    }
    if (!mount_again(fault_case, &index))
        return false;
    /* What came true nevertheless is not done twice. */
    if (index > 0 || is_part_of_mounting(action))
        return true;
    return expect(fault_case, "retry after a mount",
                  action->perform(lab, action->argument));
}

/* A journal that was given up cannot be unmounted cleanly; the next mount mends that. */
static bool unmount(struct fault_case *fault_case)
{
    struct lab *lab = fault_case->lab;
    enum fault_kind kind = fault_case->fault->kind;
    size_t index;

    enum status status = perform_unmount(lab, 0);
    if (status == ERR_READ_ONLY && (kind == FAULT_WRITE || kind == FAULT_FLUSH)) {
        if (!mount_again(fault_case, &index))
            return false;
        status = perform_unmount(lab, 0);
    }
    return expect(fault_case, "unmount", status);
}

/* A clean end, after which the image holds what the lab believes. */
static bool finish(struct fault_case *fault_case)
{
    struct lab *lab = fault_case->lab;
    struct verdict verdict = { 0 };
    const struct lab_state *last;
    size_t index;

    if (lab->fs && !lab->snapper && !expect(fault_case, "open", perform_open(lab, 0)))
        return false;
    if (lab->fs && lab->candidate_count > 0) {
        if (!is_allowed(fault_case, &index))
            return false;
        lab_last_step(lab)->state = *fault_case->allowed[index];
    }
    if (lab->fs && !unmount(fault_case))
        return false;
    last = &lab_last_step(lab)->state;
    if (port_host_outstanding() != 0)
        return complain(fault_case, "memory", "not all is freed");
    return judge(lab, &lab->ram.disk, &last, 1, &verdict) ||
           complain(fault_case, "in the end", verdict.why);
}

static bool try_it(struct fault_case *fault_case)
{
    struct lab *lab = fault_case->lab;
    const struct lab_action *action = fault_case->action;

    arm(lab, fault_case->fault);
    enum status status = action->perform(lab, action->argument);
    if (!disarm(lab, fault_case->fault))
        return complain(fault_case, "fault", "not reached");
    if (!check_status(fault_case, status))
        return false;
    bool gave_up = status == OK && has_given_up(fault_case);
    if (status == OK && lab->candidate_count == 0) {
        fault_case->allowed[0] = &lab_last_step(lab)->state;
        fault_case->allowed_count = gave_up ? fault_case->allowed_count : 1;
    }
    return check_session(fault_case, status == OK, gave_up) && check_cuts(fault_case) &&
           (status == OK || retry(fault_case)) && finish(fault_case);
}

void fault_case_try(struct lab *lab, const struct lab_action *action,
                    const struct fault_plan *plan, const struct fault *fault, char *why,
                    size_t why_size)
{
    struct fault_case fault_case = {
        .lab = lab, .action = action, .fault = fault, .why = why, .why_size = why_size
    };
    const struct lab_state *states = plan->states;
    size_t count = plan->state_count;

    if (lab->candidate_count > 0) {
        states = lab->candidates;
        count = lab->candidate_count;
    }
    for (size_t i = 0; i < count; i++)
        fault_case.allowed[fault_case.allowed_count++] = &states[i];
    if (try_it(&fault_case))
        *why = '\0';
}
