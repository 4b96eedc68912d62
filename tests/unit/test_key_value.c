/* The store of the kv program, against a plain array; and when memory runs out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/user/logic/key_value.h"
#include "kernel/user/user.h"
#include "tests/support/user_host.h"

enum { KEYS = 300, STEPS = 30000 };

static u64 seen, seen_sum;

static void count_pair(const char *key, const char *value)
{
    u64 number = 0;

    (void)key;
    assert_true(text_to_u64(value, &number));
    seen++;
    seen_sum += number;
}

static void key_value__random_use__as_an_array_would_be(void **state)
{
    struct key_value store;
    u64 model[KEYS] = { 0 }, count = 0, sum = 0; /* 0: not there */
    u64 seed = 7;
    char key[32], value[32];

    (void)state;
    key_value_init(&store);
    assert_null(key_value_get(&store, "a"));
    assert_false(key_value_delete(&store, "a"));
    for (u64 step = 1; step <= STEPS; step++) {
        u64 at = random_draw(&seed) % KEYS;
        snprintf(key, sizeof key, "k%lu", at);
        snprintf(value, sizeof value, "%lu", step);
        if (random_draw(&seed) % 3 > 0) {
            assert_true(key_value_set(&store, key, value));
            model[at] = step;
        } else {
            assert_int_equal(key_value_delete(&store, key), model[at] > 0);
            model[at] = 0;
        }
        at = random_draw(&seed) % KEYS;
        snprintf(key, sizeof key, "k%lu", at);
        snprintf(value, sizeof value, "%lu", model[at]);
        const char *found = key_value_get(&store, key);
        assert_string_equal(found ? found : "0", value);
    }
    for (u64 at = 0; at < KEYS; at++) {
        count += model[at] > 0;
        sum += model[at];
    }
    seen = seen_sum = 0;
    key_value_each(&store, count_pair);
    assert_int_equal(seen, count);
    assert_int_equal(store.count, count);
    assert_int_equal(seen_sum, sum);
    key_value_free(&store);
    assert_null(key_value_get(&store, "k1"));
}

static void key_value_set__no_memory__says_so_and_keeps_what_there_was(void **state)
{
    struct key_value store;
    char key[32];
    u64 held = 0;

    (void)state;
    key_value_init(&store);
    assert_true(key_value_set(&store, "k0", "0"));
    user_host_limit(200000);
    do
        snprintf(key, sizeof key, "k%lu", ++held);
    while (key_value_set(&store, key, key));
    assert_int_equal(store.count, held);
    assert_true(held > 1000);
    assert_string_equal(key_value_get(&store, "k0"), "0");
    for (u64 at = 1; at < held; at++) {
        snprintf(key, sizeof key, "k%lu", at);
        assert_string_equal(key_value_get(&store, key), key);
    }
    key_value_free(&store);
    user_host_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_value__random_use__as_an_array_would_be),
        cmocka_unit_test(key_value_set__no_memory__says_so_and_keeps_what_there_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
