/* The game of life: known figures, the edges of the torus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "kernel/user/logic/life.h"

static void set(struct life *life, const int (*cells)[2], size_t count)
{
    memset(life, 0, sizeof *life);
    for (size_t at = 0; at < count; at++)
        life->cells[cells[at][0]][cells[at][1]] = 1;
}

static void life_step__blinker__turns_and_turns_back(void **state)
{
    static const int across[][2] = { { 5, 4 }, { 5, 5 }, { 5, 6 } };
    static const int upright[][2] = { { 4, 5 }, { 5, 5 }, { 6, 5 } };
    struct life life, expected;

    (void)state;
    set(&life, across, 3);
    set(&expected, upright, 3);
    life_step(&life);
    assert_memory_equal(life.cells, expected.cells, sizeof life.cells);
    life_step(&life);
    set(&expected, across, 3);
    assert_memory_equal(life.cells, expected.cells, sizeof life.cells);
    assert_int_equal(life.step, 2);
}

/* One cell to the lower right in four steps: through every edge, and home. */
static void life_step__glider_around_the_torus__comes_back(void **state)
{
    static const int glider[][2] = { { 0, 1 }, { 1, 2 }, { 2, 0 }, { 2, 1 }, { 2, 2 } };
    struct life life, start;
    int around = LIFE_COLUMNS * LIFE_ROWS / 4; /* their least common multiple: 320 */

    (void)state;
    set(&life, glider, 5);
    start = life;
    for (int step = 1; step < 4 * around; step++) {
        life_step(&life);
        assert_memory_not_equal(life.cells, start.cells, sizeof life.cells);
        assert_int_equal(life_count(&life), 5);
    }
    life_step(&life);
    assert_memory_equal(life.cells, start.cells, sizeof life.cells);
    assert_true(life_hash(&life) == life_hash(&start));
}

static void life_init__seeds__same_field_for_the_same_one(void **state)
{
    struct life one, again, other;

    (void)state;
    life_init(&one, 1);
    life_init(&again, 1);
    life_init(&other, 2);
    assert_memory_equal(one.cells, again.cells, sizeof one.cells);
    assert_true(life_hash(&one) != life_hash(&other));
    assert_in_range(life_count(&one), sizeof one.cells / 4, sizeof one.cells / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(life_step__blinker__turns_and_turns_back),
        cmocka_unit_test(life_step__glider_around_the_torus__comes_back),
        cmocka_unit_test(life_init__seeds__same_field_for_the_same_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
