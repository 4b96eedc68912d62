/*
 * The primes in ascending order, and a hash of the way there: each candidate goes into it once, with
 * the answer. A candidate lost or tried twice changes every hash after it, and anybody can compute
 * the hash again from nothing.
 */
#pragma once

#include "kernel/base/types.h"

enum { PRIMES_PER_PAGE = 510 };

struct primes_page {
    struct primes_page *next;
    u64 count;
    u64 primes[PRIMES_PER_PAGE];
};

struct primes {
    u64 candidate;                    /* the next one */
    u64 count;                        /* primes below it */
    u64 hash;                         /* of all candidates below it */
    struct primes_page *first, *last; /* the primes, to divide by */
};

void primes_init(struct primes *primes);
/* Tries the next candidate. False: no memory; nothing has changed. */
[[nodiscard]] bool primes_step(struct primes *primes);
void primes_free(struct primes *primes);
