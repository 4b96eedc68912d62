/*
 * The verbs of snapper/verbs.h as operations, each said once to people and once to programs. What they
 * answer is kept.
 */
#pragma once

#include "tests/support/snapper_operations.h"

extern const struct snapper_operation verb_operations[];
extern const size_t verb_operation_count;

/* All lines since the last verb_answers_clear(), each with its newline. */
const char *verb_answers(void);
void verb_answers_clear(void);
