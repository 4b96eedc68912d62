/* Sorting by key: ascending, nothing lost, each record whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/sort.h"
#include "tests/support/ram_disk.h"

enum { RECORDS_MAX = 300, WORDS_MAX = 4 };

/* Fills `count` records of `words` words; the payload is made from the key. */
static void fill(u64 *records, size_t count, size_t words, u64 *seed, u64 keys)
{
    for (size_t i = 0; i < count; i++) {
        u64 key = keys == 0 ? random_next(seed) : random_next(seed) % keys;
        for (size_t word = 0; word < words; word++)
            records[i * words + word] = key * (word + 1);
    }
}

/* Ascending, each record whole, and the multiset of keys as before (sum and sum of squares). */
static void check(const u64 *records, size_t count, size_t words, u64 sum, u64 squares)
{
    for (size_t i = 0; i < count; i++) {
        u64 key = records[i * words];
        if (i > 0)
            assert_true(records[(i - 1) * words] <= key);
        for (size_t word = 0; word < words; word++)
            assert_true(records[i * words + word] == key * (word + 1));
        sum -= key;
        squares -= key * key;
    }
    assert_true(sum == 0 && squares == 0);
}

static void sort_by_key__random_records__ascend_and_stay_whole(void **state)
{
    u64 records[RECORDS_MAX * WORDS_MAX];
    u64 seed = 20261121;
    (void)state;
    for (int round = 0; round < 2000; round++) {
        size_t count = random_next(&seed) % RECORDS_MAX;
        size_t words = 1 + random_next(&seed) % WORDS_MAX;
        u64 sum = 0, squares = 0;
        fill(records, count, words, &seed, round % 3 == 0 ? 0 : 1 + count / 2);
        for (size_t i = 0; i < count; i++) {
            sum += records[i * words];
            squares += records[i * words] * records[i * words];
        }
        sort_by_key(records, count, words * sizeof(u64));
        check(records, count, words, sum, squares);
    }
}

static void sort_by_key__none_or_one__untouched(void **state)
{
    u64 one[2] = { 5, 6 };
    (void)state;
    sort_by_key(one, 0, sizeof one);
    sort_by_key(one, 1, sizeof one);
    assert_true(one[0] == 5 && one[1] == 6);
}

static void sort_by_key__extreme_keys__unsigned_order(void **state)
{
    u64 keys[] = { UINT64_MAX, 0, 1ull << 63, (1ull << 63) - 1 };
    (void)state;
    sort_by_key(keys, 4, sizeof *keys);
    assert_true(keys[0] == 0 && keys[1] == (1ull << 63) - 1 && keys[2] == 1ull << 63 &&
                keys[3] == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sort_by_key__random_records__ascend_and_stay_whole),
        cmocka_unit_test(sort_by_key__none_or_one__untouched),
        cmocka_unit_test(sort_by_key__extreme_keys__unsigned_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
