/*
 * Names of generations: the UTC time at which the directory was made,
 *
 *   2026-11-21T07:30:00.123456Z
 *
 * so that the order of names is the order of age.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum { GENERATION_NAME_LENGTH = 27 };
struct generation_name {
    char text[GENERATION_NAME_LENGTH + 1]; /* empty: none */
};

/* Microseconds since 1970 to a name. ERR_INVALID_ARGUMENT beyond the year 9999. */
enum status generation_name_encode(u64 microseconds, struct generation_name *name);

/* Is `text` exactly such a name, of a day that exists? Then also its time. */
[[nodiscard]] bool generation_name_decode(const char *text, u64 *microseconds);

/* Negative, 0 or positive: `a` is older, the same, newer. */
int generation_name_compare(const struct generation_name *a,
                            const struct generation_name *b);

static inline bool generation_name_is_empty(const struct generation_name *name)
{
    return name->text[0] == '\0';
}
