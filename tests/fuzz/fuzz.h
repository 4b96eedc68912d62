/* What the fuzzers of single decoders share. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/types.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* A finding, unless it holds. */
#define require(condition) ((condition) ? (void)0 : found(__FILE__, __LINE__, #condition))

static inline void found(const char *file, int line, const char *condition)
{
    fprintf(stderr, "%s:%d: %s does not hold\n", file, line, condition);
    abort();
}

/* The input in memory of its own, terminated: a read behind it is seen. */
static inline char *copied(const u8 *data, size_t size)
{
    char *copy = malloc(size + 1);
    require(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}
