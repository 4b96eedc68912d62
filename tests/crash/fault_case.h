/* One fault in one action, and what must be true then. The caller gives it a process of its own. */
#pragma once

#include "tests/crash/faults.h"

enum { FAULT_STATES_MAX = 16 };

/* What an action does when nothing fails. */
struct fault_plan {
    u64 counts[FAULT_KINDS];                   /* requests and allocations */
    struct lab_state states[FAULT_STATES_MAX]; /* from the one before to the last */
    size_t state_count;
};

void fault_case_plan(struct lab *lab, const struct lab_action *action,
                     struct fault_plan *plan);
/* `why` becomes a complaint or empty. Leaves the lab in any condition. */
void fault_case_try(struct lab *lab, const struct lab_action *action,
                    const struct fault_plan *plan, const struct fault *fault, char *why,
                    size_t why_size);
