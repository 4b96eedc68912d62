/* The primes program's numbers, and that its hash tells every lost and every repeated step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/user/logic/primes.h"
#include "tests/support/user_host.h"

static void step_to(struct primes *primes, u64 below)
{
    while (primes->candidate < below)
        assert_true(primes_step(primes));
}

static void primes_step__to_100000__known_counts_and_last_prime(void **state)
{
    struct primes primes;

    (void)state;
    primes_init(&primes);
    step_to(&primes, 10);
    assert_int_equal(primes.count, 4);
    step_to(&primes, 10000);
    assert_int_equal(primes.count, 1229);
    step_to(&primes, 100000);
    assert_int_equal(primes.count, 9592);
    assert_int_equal(primes.last->primes[primes.last->count - 1], 99991);
    primes_free(&primes);
}

/* Any one candidate skipped, or put in twice: the hash is another. */
static void primes_step__one_step_lost_or_repeated__the_hash_differs(void **state)
{
    struct primes right;

    (void)state;
    primes_init(&right);
    step_to(&right, 600);
    for (u64 at = 2; at < 590; at++) {
        for (int repeat = 0; repeat <= 1; repeat++) {
            struct primes primes;
            primes_init(&primes);
            step_to(&primes, at);
            if (repeat) {
                u64 before = primes.candidate;
                assert_true(primes_step(&primes));
                primes.candidate = before;
                assert_true(primes_step(&primes));
            } else {
                primes.candidate++;
            }
            step_to(&primes, 600);
            assert_true(primes.hash != right.hash);
            primes_free(&primes);
        }
    }
    primes_free(&right);
}

static void primes_step__no_memory__fails_and_goes_on_later(void **state)
{
    struct primes primes, right;

    (void)state;
    primes_init(&right);
    step_to(&right, 20000);
    primes_init(&primes);
    user_host_limit(0);
    while (primes_step(&primes)) {
    }
    u64 stopped = primes.candidate;
    assert_false(primes_step(&primes));
    assert_int_equal(primes.candidate, stopped);
    user_host_reset();
    step_to(&primes, 20000 > stopped ? 20000 : stopped);
    step_to(&right, primes.candidate);
    assert_true(primes.hash == right.hash && primes.count == right.count);
    primes_free(&primes);
    primes_free(&right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(primes_step__to_100000__known_counts_and_last_prime),
        cmocka_unit_test(primes_step__one_step_lost_or_repeated__the_hash_differs),
        cmocka_unit_test(primes_step__no_memory__fails_and_goes_on_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
