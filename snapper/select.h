/*
 * Which generation somebody means, in the words of commands and of the kernel's command line:
 * its whole time, a prefix of it that only one has, `latest`, `oldest`, `latest~N` (N before it).
 */
#pragma once

#include "snapper/snapper.h"

/* ERR_NOT_FOUND: none; ERR_INVALID_ARGUMENT: more than one, or not in this form. One log line says which. */
enum status snapper_select(struct snapper *snapper, const char *text,
                           struct generation_name *name);
