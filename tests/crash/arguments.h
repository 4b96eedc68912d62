/* What the command line of the explorer asks for; explore.h and faults.h say what it means. */
#pragma once

#include "tests/crash/explore.h"
#include "tests/crash/faults.h"

struct arguments {
    const struct scenario *only; /* NULL: all */
    u64 jobs;
    bool faults; /* instead of power cuts */
};

/* Fills in `exploration` and `fault_campaign`, too. Wrong words end the program. */
struct arguments arguments_parse(int count, char **words);
