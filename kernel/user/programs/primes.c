/*
 * Finds primes, for ever, and tells where it is after every EVERY candidates; then it rests for
 * PAUSE microseconds, if told so.
 *
 *   primes [EVERY [PAUSE]]      primes: 9592 below 100000, hash 0x89ab...
 *   primes --check BELOW HASH   computes the hash again: was any candidate lost or tried twice?
 */
#include "kernel/user/logic/primes.h"
#include "kernel/user/user.h"

static bool primes_below(struct primes *primes, u64 below)
{
    while (primes->candidate < below) {
        if (!primes_step(primes))
            return false;
    }
    return true;
}

static int check(u64 below, u64 hash)
{
    struct primes primes;

    primes_init(&primes);
    if (!primes_below(&primes, below)) {
        print("primes: no memory at %lu\n", primes.candidate);
        return 2;
    }
    if (primes.candidate != below || primes.hash != hash) {
        print("primes: wrong: below %lu the hash is %#018lx\n", below, primes.hash);
        return 1;
    }
    print("primes: ok, all %lu below %lu\n", primes.count, below);
    return 0;
}

int main(int count, char **arguments)
{
    if (count > 1 && text_equal(arguments[1], "--check")) {
        if (count != 4) {
            print("usage: primes --check BELOW HASH\n");
            return 2;
        }
        return check(argument_number(count, arguments, 2, 0),
                     argument_number(count, arguments, 3, 0));
    }

    u64 every = argument_number(count, arguments, 1, 100000);
    u64 pause = argument_number(count, arguments, 2, 0);
    struct primes primes;

    if (every == 0) {
        print("primes: EVERY is at least 1\n");
        return 2;
    }
    primes_init(&primes);
    while (primes_below(&primes, primes.candidate / every * every + every)) {
        print("primes: %lu below %lu, hash %#018lx\n", primes.count, primes.candidate,
              primes.hash);
        if (pause > 0)
            process_sleep(pause);
    }
    print("primes: no memory at %lu\n", primes.candidate);
    return 1;
}
