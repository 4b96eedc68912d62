/* Time for programs, and the lives of their memory, from one machine to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/arch/interrupts.h"
#include "kernel/proc/clock.h"
#include "kernel/proc/process.h"

enum { CYCLES_PER_MICROSECOND = 1000 };

static struct process_table table;
static u64 now; /* microseconds since this machine was switched on */

u64 timer_microseconds(void)
{
    return now;
}

u64 cpu_timestamp_hertz(void)
{
    return CYCLES_PER_MICROSECOND * 1000000;
}

static int given_a_table(void **state)
{
    (void)state;
    table = (struct process_table){}; /* as memory is that nobody has used */
    process_table_initialize(&table);
    process_table_use(&table);
    return 0;
}

static void program_clock__next_life__goes_on_from_the_line(void **state)
{
    struct program_clock saved = { 5000000, 1000, 2000000000, 1000 + 2000 * 700 };

    (void)state;
    now = 30;
    program_clock_start(&saved);
    assert_int_equal(program_clock(), 5000701);
    now = 130;
    assert_int_equal(program_clock(), 5000801);
}

static void program_clock__noted_and_started__is_never_behind(void **state)
{
    struct program_clock saved;

    (void)state;
    for (u64 life = 0; life < 100; life++) {
        program_clock_note(&saved);
        now += life;
        saved.line = saved.stamp + life * CYCLES_PER_MICROSECOND;
        u64 seen = program_clock();
        now = 0; /* another machine */
        program_clock_start(&saved);
        assert_in_range(program_clock(), seen, seen + 1);
    }
}

static void program_clock__numbers_that_cannot_be__give_the_noted_time(void **state)
{
    struct program_clock strange[] = { { 77, 1000, 0, 2000 }, { 77, 1000, 1 << 30, 5 } };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(strange); i++) {
        program_clock_start(&strange[i]);
        assert_int_equal(program_clock(), 77);
    }
}

static void lives_begin__after_a_line__is_a_crash(void **state)
{
    (void)state;
    lives_note_line();
    lives_begin();
    assert_int_equal(lives()->crashes, 1);
    lives_begin();
    assert_int_equal(lives()->crashes, 2);
}

static void lives_begin__after_closing__is_none(void **state)
{
    (void)state;
    lives_close();
    lives_begin();
    assert_int_equal(lives()->crashes, 0);
    lives_begin();
    assert_int_equal(lives()->crashes, 1);
    lives_close();
    lives_reopen();
    lives_begin();
    assert_int_equal(lives()->crashes, 2);
}

static void lives_begin__clock_set_back__no_time_is_lost(void **state)
{
    (void)state;
    table.lives.line_at = UINT64_MAX;
    lives_begin();
    assert_int_equal(lives()->gap, 0);
    table.lives.line_at = 1;
    lives_begin();
    assert_true(lives()->gap > 0);
    assert_int_equal(lives()->gaps, lives()->gap);
}

int main(void)
{
#define CLOCK_TEST(test) cmocka_unit_test_setup(test, given_a_table)
    const struct CMUnitTest tests[] = {
        CLOCK_TEST(program_clock__next_life__goes_on_from_the_line),
        CLOCK_TEST(program_clock__noted_and_started__is_never_behind),
        CLOCK_TEST(program_clock__numbers_that_cannot_be__give_the_noted_time),
        CLOCK_TEST(lives_begin__after_a_line__is_a_crash),
        CLOCK_TEST(lives_begin__after_closing__is_none),
        CLOCK_TEST(lives_begin__clock_set_back__no_time_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
