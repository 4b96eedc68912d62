/* The map needs nothing of the machine, so it is compiled right into its test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/mm/frame_map.c"

enum { LIMIT = 512, SEED = 7 };

static u8 bits[LIMIT / 8 + 8];
static struct frame_map map;

#define FRAMES(n) ((u64)(n)*PAGE_SIZE)
static const struct memory_range ranges[] = {
    { FRAMES(0) + 1, FRAMES(100), true },           /* 1-99 are whole */
    { FRAMES(50) + 100, 10, false },                /* touches 50 */
    { FRAMES(200), FRAMES(100), true },             /* 200-299 */
    { FRAMES(250), FRAMES(100), true },             /* overlaps: up to 349 */
    { FRAMES(290), FRAMES(5) + 1, false },          /* touches 290-295 */
    { FRAMES(400) + 1, FRAMES(2) - 2, true },       /* no frame is whole */
    { FRAMES(500), UINT64_MAX - FRAMES(500), true } /* absurd, cut at the limit */
};
enum { USABLE = 99 - 1 + 150 - 6 + 12 };

static int given_a_map(void **state)
{
    (void)state;
    frame_map_init(&map, bits, LIMIT, ranges, ARRAY_LENGTH(ranges));
    return 0;
}

static void frame_map_init__overlaps_and_holes__only_whole_usable_frames(void **state)
{
    (void)state;
    const u64 in_use[] = { 0, 50, 100, 199, 290, 295, 350, 400, 401, 499 };
    const u64 available[] = { 1, 49, 51, 99, 200, 289, 296, 349, 500, 511 };

    assert_int_equal(map.available, USABLE);
    for (size_t i = 0; i < ARRAY_LENGTH(in_use); i++)
        assert_true(bitmap_test(bits, in_use[i]));
    for (size_t i = 0; i < ARRAY_LENGTH(available); i++)
        assert_false(bitmap_test(bits, available[i]));
}

static void frame_map_limit__absurd_range__is_cut(void **state)
{
    (void)state;
    assert_int_equal(frame_map_limit(ranges, ARRAY_LENGTH(ranges), GIB), GIB / PAGE_SIZE);
    assert_int_equal(frame_map_limit(ranges, 4, GIB), 350);
    assert_int_equal(frame_map_limit(ranges + 4, 2, GIB), 0);
}

static void frame_map_take__all_one_by_one__gives_each_once(void **state)
{
    (void)state;
    u8 seen[LIMIT] = { 0 };
    u64 frame;

    for (u32 i = 0; i < USABLE; i++) {
        assert_int_equal(frame_map_take(&map, 1, &frame), OK);
        assert_true(frame < LIMIT);
        assert_int_equal(seen[frame], 0);
        seen[frame] = 1;
    }
    assert_int_equal(frame_map_take(&map, 1, &frame), ERR_NO_MEMORY);
    assert_int_equal(map.available, 0);
    assert_int_equal(seen[0] + seen[50] + seen[100] + seen[290] + seen[400], 0);
}

static void frame_map_take__run__lies_in_one_hole(void **state)
{
    (void)state;
    u64 first;

    assert_int_equal(frame_map_take(&map, 60, &first), OK);
    assert_int_equal(first, 200);
    assert_int_equal(frame_map_take(&map, 49, &first), OK);
    assert_int_equal(first, 1);
    assert_int_equal(frame_map_take(&map, 55, &first), ERR_NO_MEMORY);
    assert_int_equal(frame_map_take(&map, 54, &first), OK);
    assert_int_equal(first, 296);
    assert_int_equal(frame_map_take(&map, 0, &first), ERR_NO_MEMORY);
    assert_int_equal(frame_map_take(&map, UINT64_MAX, &first), ERR_NO_MEMORY);
}

static void frame_map_give__what_is_not_in_use__is_refused(void **state)
{
    (void)state;
    u64 first;

    assert_int_equal(frame_map_take(&map, 3, &first), OK);
    assert_false(frame_map_give(&map, first, 4));
    assert_true(frame_map_give(&map, first + 1, 1));
    assert_false(frame_map_give(&map, first + 1, 1));
    assert_false(frame_map_give(&map, first, 3));
    assert_false(frame_map_give(&map, LIMIT, 1));
    assert_false(frame_map_give(&map, UINT64_MAX, 2));
    assert_false(frame_map_give(&map, first, 0));
    assert_int_equal(map.available, USABLE - 2);
    assert_int_equal(frame_map_take(&map, 1, &first), OK);
    assert_int_equal(first, 2);
}

/* FM2 */
static void check_full_words(void)
{
    for (u64 word = 0; word < LIMIT / 64; word++) {
        u64 end = word * 64 + 64;
        assert_int_equal(bitmap_test(map.full, word),
                         bitmap_find_clear(bits, word * 64, end) == end);
    }
}

static void frame_map_take__random_mix__never_overlaps(void **state)
{
    (void)state;
    u8 taken[LIMIT] = { 0 };
    u64 runs[64][2] = { 0 };
    u64 random = SEED, held = 0;

    for (u32 i = 0; i < 20000; i++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        u64 *run = runs[random >> 33 & 63];
        if (run[1] > 0) {
            assert_true(frame_map_give(&map, run[0], run[1]));
            memset(taken + run[0], 0, run[1]);
            held -= run[1];
            run[1] = 0;
            continue;
        }
        u64 count = 1 + (random >> 40) % 9;
        if (frame_map_take(&map, count, &run[0]) != OK)
            continue;
        assert_true(memory_is_zero(taken + run[0], count));
        memset(taken + run[0], 1, count);
        run[1] = count;
        held += count;
        assert_int_equal(map.available, USABLE - held);
        check_full_words();
    }
}

static void frame_map_take__the_only_one_is_far_away__gives_it(void **state)
{
    enum { MANY = 300001, LEFT = 299990 };
    const struct memory_range all[] = { { 0, FRAMES(MANY), true } };
    u8 *many = test_malloc(frame_map_bytes(MANY));
    u64 frame = 0;

    (void)state;
    frame_map_init(&map, many, MANY, all, 1);
    for (u64 i = 0; i < MANY; i++)
        assert_int_equal(frame_map_take(&map, 1, &frame), OK);
    assert_int_equal(frame_map_take(&map, 1, &frame), ERR_NO_MEMORY);
    assert_true(frame_map_give(&map, LEFT, 2));
    assert_true(frame_map_give(&map, 5, 1));
    assert_int_equal(frame_map_take(&map, 2, &frame), OK);
    assert_int_equal(frame, LEFT);
    assert_true(frame_map_give(&map, LEFT + 1, 1));
    assert_int_equal(frame_map_take(&map, 1, &frame), OK);
    assert_int_equal(frame, 5);
    assert_int_equal(frame_map_take(&map, 1, &frame), OK);
    assert_int_equal(frame, LEFT + 1);
    test_free(many);
}

static void frame_map_reserve__twice_the_same__counts_once(void **state)
{
    (void)state;
    frame_map_reserve(&map, 0, 60);
    frame_map_reserve(&map, 40, 20);
    assert_int_equal(map.available, USABLE - 58);
    frame_map_reserve(&map, 511, UINT64_MAX);
    frame_map_reserve(&map, LIMIT, 1);
    assert_int_equal(map.available, USABLE - 59);
}

static void frame_map_find_place__reserved_in_between__is_avoided(void **state)
{
    (void)state;
    const struct {
        u64 floor, frames;
        enum status status;
        u64 first;
    } cases[] = {
        { 0, 40, OK, 1 },    { 20, 40, OK, 51 },   { 60, 95, ERR_NO_MEMORY, 0 },
        { 60, 54, OK, 200 }, { 270, 54, OK, 296 }, { 340, 11, ERR_NO_MEMORY, 0 },
    };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        u64 first = 0;
        assert_int_equal(frame_map_find_place(ranges, ARRAY_LENGTH(ranges),
                                              FRAMES(cases[i].floor), FRAMES(500),
                                              cases[i].frames, &first),
                         cases[i].status);
        assert_int_equal(first, cases[i].first);
    }
}

#define TEST(function) cmocka_unit_test_setup(function, given_a_map)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(frame_map_init__overlaps_and_holes__only_whole_usable_frames),
        TEST(frame_map_limit__absurd_range__is_cut),
        TEST(frame_map_take__all_one_by_one__gives_each_once),
        TEST(frame_map_take__run__lies_in_one_hole),
        TEST(frame_map_give__what_is_not_in_use__is_refused),
        TEST(frame_map_take__random_mix__never_overlaps),
        TEST(frame_map_take__the_only_one_is_far_away__gives_it),
        TEST(frame_map_reserve__twice_the_same__counts_once),
        TEST(frame_map_find_place__reserved_in_between__is_avoided),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
