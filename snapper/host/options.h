/*
 * The command line of snapctl: `snapctl [OPTION...] VERB [ARGUMENT...]`, options anywhere.
 */
#pragma once

#include "kernel/base/types.h"

enum { OVERRIDES_MAX = 16 };

/* Options that only some verbs take; each verb names its own. */
enum option_bit {
    OPTION_FORCE = 1,
    OPTION_REPAIR = 2,
    OPTION_SUMMARY = 4,
    OPTION_REFERENCE = 8,
    OPTION_PAGE = 16,
};

struct options {
    const char *image; /* NULL: not given */
    const char *verb;  /* NULL: none */
    const char *const *arguments;
    size_t argument_count;
    bool json;
    bool dry_run;
    bool verbose;
    bool help;
    bool version;
    unsigned given; /* enum option_bit */
    const char *reference;
    const char *page;
    const char *overrides[OVERRIDES_MAX]; /* KEY=VALUE */
    size_t override_count;
};

/* False: wrong, and said in one line. */
[[nodiscard]] bool options_parse(int count, char **words, struct options *options);
