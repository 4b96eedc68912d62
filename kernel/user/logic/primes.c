#include "kernel/user/logic/primes.h"

#include "kernel/user/user.h"

static const u64 FNV_BASIS = 0xcbf29ce484222325, FNV_PRIME = 0x100000001b3;

void primes_init(struct primes *primes)
{
    *primes = (struct primes){ .candidate = 2, .hash = FNV_BASIS };
}

static bool is_prime(const struct primes *primes)
{
    for (const struct primes_page *page = primes->first; page; page = page->next) {
        for (u64 at = 0; at < page->count; at++) {
            u64 divisor = page->primes[at];
            if (divisor * divisor > primes->candidate)
                return true;
            if (primes->candidate % divisor == 0)
                return false;
        }
    }
    return true;
}

static bool remember(struct primes *primes)
{
    struct primes_page *last = primes->last;

    if (!last || last->count == PRIMES_PER_PAGE) {
        last = heap_allocate(sizeof *last);
        if (!last)
            return false;
        if (primes->last)
            primes->last->next = last;
        else
            primes->first = last;
        primes->last = last;
    }
    last->primes[last->count++] = primes->candidate;
    primes->count++;
    return true;
}

bool primes_step(struct primes *primes)
{
    bool prime = is_prime(primes);

    if (prime && !remember(primes))
        return false;
    primes->hash = (primes->hash ^ (primes->candidate << 1 | prime)) * FNV_PRIME;
    primes->candidate++;
    return true;
}

void primes_free(struct primes *primes)
{
    while (primes->first) {
        struct primes_page *page = primes->first;
        primes->first = page->next;
        heap_release(page);
    }
    primes->last = NULL;
}
