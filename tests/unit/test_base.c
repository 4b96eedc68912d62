/* The CRCs against known answers, bitmaps and maps against naive models. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/bitmap.h"
#include "kernel/base/crc.h"
#include "kernel/base/map.h"
#include "kernel/base/string.h"
#include "tests/support/port_host.h"

enum { SEED = 20, BITS = 700, KEYS = 300 };

static void crc__check_strings__give_the_published_values(void **state)
{
    (void)state;
    assert_int_equal(crc32("123456789", 9), 0xCBF43926);
    assert_int_equal(~crc32c_update(~0U, "123456789", 9), 0xE3069283);
    assert_int_equal(crc16_update(0xffff, "123456789", 9), 0x4B37);
    assert_int_equal(crc32("", 0), 0);
}

static void crc_update__any_split__equals_the_whole(void **state)
{
    u8 data[97];

    (void)state;
    srand(SEED);
    for (size_t at = 0; at < sizeof data; at++)
        data[at] = (u8)rand();
    u32 whole = crc32(data, sizeof data);
    u32 whole_c = crc32c_update(~0U, data, sizeof data);
    for (size_t at = 0; at <= sizeof data; at++) {
        u32 first = crc32_update(0, data, at);
        assert_int_equal(crc32_update(first, data + at, sizeof data - at), whole);
        first = crc32c_update(~0U, data, at);
        assert_int_equal(crc32c_update(first, data + at, sizeof data - at), whole_c);
    }
}

static void bitmap__random_ranges__match_single_bits(void **state)
{
    u8 bits[(BITS + 7) / 8] = { 0 };
    bool model[BITS] = { false };

    (void)state;
    srand(SEED);
    for (int round = 0; round < 2000; round++) {
        u64 first = (u64)rand() % BITS;
        u64 count = (u64)rand() % (BITS - first + 1);
        bool value = rand() % 2;
        (value ? bitmap_set_range : bitmap_clear_range)(bits, first, count);
        for (u64 at = first; at < first + count; at++)
            model[at] = value;

        u64 from = (u64)rand() % BITS;
        u64 clear = from, set = from, total = 0;
        while (clear < BITS && model[clear])
            clear++;
        while (set < BITS && !model[set])
            set++;
        for (u64 at = 0; at < BITS; at++)
            total += model[at];
        assert_int_equal(bitmap_find_clear(bits, from, BITS), clear);
        assert_int_equal(bitmap_find_set(bits, from, BITS), set);
        assert_int_equal(bitmap_count(bits, BITS), total);
    }
}

static void map__random_operations__match_an_array(void **state)
{
    struct map map;
    u64 model[KEYS] = { 0 }; /* 0: absent */

    (void)state;
    map_init(&map);
    srand(SEED);
    for (int round = 0; round < 20000; round++) {
        u64 key = (u64)rand() % KEYS;
        u64 value = 0;
        if (rand() % 2) {
            model[key] = (u64)rand() + 1;
            assert_int_equal(map_set(&map, key << 33, model[key]), OK);
        } else {
            assert_int_equal(map_remove(&map, key << 33), model[key] != 0);
            model[key] = 0;
        }
        u64 other = (u64)rand() % KEYS;
        assert_int_equal(map_get(&map, other << 33, &value), model[other] != 0);
        assert_int_equal(value, model[other]);
    }
    size_t cursor = 0, seen = 0;
    u64 key, value;
    while (map_next(&map, &cursor, &key, &value)) {
        assert_int_equal(model[key >> 33], value);
        seen++;
    }
    assert_int_equal(seen, map.count);
    map_destroy(&map);
}

static void map_set__no_memory__changes_nothing(void **state)
{
    struct map map;
    u64 value;

    (void)state;
    map_init(&map);
    port_host_fail_allocation(1, true);
    assert_int_equal(map_set(&map, 1, 1), ERR_NO_MEMORY);
    port_host_fail_allocation(0, false);
    assert_false(map_get(&map, 1, &value));
    assert_int_equal(map.count, 0);
    map_destroy(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc__check_strings__give_the_published_values),
        cmocka_unit_test(crc_update__any_split__equals_the_whole),
        cmocka_unit_test(bitmap__random_ranges__match_single_bits),
        cmocka_unit_test(map__random_operations__match_an_array),
        cmocka_unit_test(map_set__no_memory__changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
