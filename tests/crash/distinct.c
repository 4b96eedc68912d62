#include "tests/crash/distinct.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static _Atomic u64 *slots; /* open addressing; 0: free */
static u64 mask;

void distinct_open(u64 count)
{
    u64 size = 1024;
    while (size < 2 * count)
        size *= 2;
    slots = mmap(NULL, size * sizeof *slots, PROT_READ | PROT_WRITE,
                 MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (slots == MAP_FAILED) {
        perror("crash");
        exit(2);
    }
    mask = size - 1;
}

bool distinct_add(u64 number)
{
    u64 wanted = number ? number : 1;
    u64 at = wanted * 0x9E3779B97F4A7C15ULL >> 20 & mask;

    for (u64 tried = 0; tried <= mask; tried++, at = (at + 1) & mask) {
        u64 there = 0;
        if (atomic_compare_exchange_strong(&slots[at], &there, wanted))
            return true;
        if (there == wanted)
            return false;
    }
    fprintf(stderr, "crash: more states than there is room for\n");
    exit(2);
}
