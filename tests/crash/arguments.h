/* What the command line of the explorer asks for; explore.h and faults.h say what it means. */
#pragma once

#include "tests/crash/explore.h"
#include "tests/crash/faults.h"
#include "tests/crash/lives.h"

struct arguments {
    const struct scenario *only; /* NULL: all */
    u64 jobs;
    const char *recorded; /* instead of scenarios: recorded.h; or NULL */
    bool faults;          /* instead of power cuts */
    bool stop;            /* at the first failure */
};

/* Fills in `exploration`, `fault_campaign` and `lives`, too. Wrong words end the program. */
struct arguments arguments_parse(int count, char **words);
