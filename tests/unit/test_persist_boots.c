/*
 * Which ends of a machine count as deaths on what it resumed (snapper/boots.h), on a machine in software.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/persist/persist.h"
#include "snapper/boots.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"
#include "tests/support/window_host.h"

enum { FRAMES = 400, SECOND = 1000000, OBJECT = 1, SCRATCH = 20, LIMIT = 3 };

static struct fixture fixture;
static struct disk disk;

static void initialize(void *object)
{
    *(u64 *)object = 42;
}

static enum status validate(void *object)
{
    return *(u64 *)object >= 42 ? OK : ERR_CORRUPT;
}

static const struct root_object_type object_type = { "counter",  1,        8,
                                                     initialize, validate, false };
static const struct root_types types = { &object_type, 1 };

static void start_with(struct persist_choice choice)
{
    struct persist_store store = { fixture.snapper, &disk, &fixture.config, NULL, NULL };
    persist_start(&types, &store, &choice);
}

static struct generation_name capture(u64 value)
{
    struct capture_report report;

    window_host_write(SCRATCH, 0, value);
    assert_int_equal(persist_capture(NULL, &report), OK);
    return report.commit.name;
}

/* A machine whose memory is in two generations, 1 and 2. */
static int start(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL, 1);
    window_host_start(FRAMES);
    start_with((struct persist_choice){});
    capture(1);
    capture(2);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    window_host_stop();
    fixture_close(&fixture);
    return 0;
}

/* The power goes and comes; the value that memory holds then. */
static u64 boot_with(struct persist_choice choice)
{
    window_host_reboot();
    fixture_crash(&fixture);
    port_host_clear_log();
    start_with(choice);
    assert_int_equal(persist_mode(), PERSIST_RESUMED);
    return window_host_read(SCRATCH, 0);
}

static u64 boot(void)
{
    return boot_with((struct persist_choice){});
}

static u64 boots(void)
{
    return snapper_boots(fixture.snapper);
}

static void persist_start__three_died__the_fourth_falls_back_loudly(void **state)
{
    (void)state;
    for (int i = 0; i < LIMIT; i++)
        assert_int_equal(boot(), 2);
    assert_false(port_host_logged("FALLEN BACK"));
    assert_int_equal(boot(), 1);
    assert_true(port_host_logged("FALLEN BACK"));
    assert_true(port_host_logged("boot word generation="));
    assert_non_null(strstr(persist_summary(), "instead of"));
    assert_int_equal(boot(), 1);
    assert_int_equal(boot_with((struct persist_choice){ .generation = "latest" }), 2);
}

static void persist_start__held_or_named__neither_counts_nor_falls_back(void **state)
{
    (void)state;
    for (int i = 0; i < LIMIT; i++)
        assert_int_equal(boot(), 2);
    for (int i = 0; i < LIMIT; i++) {
        assert_int_equal(boot_with((struct persist_choice){ .held = true }), 2);
        assert_int_equal(boot_with((struct persist_choice){ .generation = "latest" }), 2);
    }
    assert_int_equal(boots(), LIMIT);
    assert_int_equal(boot(), 1);
}

static void persist_start__refused__does_not_count(void **state)
{
    (void)state;
    boot();
    window_host_write(OBJECT, 0, 41);
    capture(3);
    for (int i = 0; i < 2 * LIMIT; i++) {
        window_host_reboot();
        fixture_crash(&fixture);
        start_with((struct persist_choice){});
        assert_int_equal(persist_mode(), PERSIST_NOT_RESUMED);
        assert_int_equal(boots(), 0);
    }
}

static void persist_start__fresh__leaves_the_count_alone(void **state)
{
    (void)state;
    boot();
    window_host_reboot();
    fixture_crash(&fixture);
    start_with((struct persist_choice){ .fresh = true });
    assert_int_equal(persist_wind_up(PERSIST_AS_CONFIGURED), OK);
    assert_int_equal(boots(), 1);
}

static void persist_wind_up__each_time__nothing_has_died(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * LIMIT; i++) {
        assert_int_equal(boot(), 2);
        assert_int_equal(boots(), 1);
        assert_int_equal(persist_wind_up(PERSIST_AS_CONFIGURED), OK);
        assert_int_equal(boots(), 0);
    }
}

static void persist_poll__ten_quiet_seconds__nothing_has_died(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * LIMIT; i++) {
        assert_int_equal(boot(), 2);
        window_host_pass(9 * SECOND);
        for (int polls = 0; polls < 20; polls++)
            persist_poll();
        assert_int_equal(boots(), 1);
        window_host_pass(SECOND);
        persist_poll();
        assert_int_equal(boots(), 0);
    }
}

static void persist_poll__pages_still_to_be_fetched__the_boot_is_not_through(void **state)
{
    (void)state;
    for (u64 page = 0; page < 200; page++)
        window_host_write(SCRATCH + page, 0, 2);
    capture(2);
    boot();
    window_host_pass(10 * SECOND);
    persist_poll();
    assert_int_equal(boots(), 1);
    for (int polls = 0; polls < 20; polls++)
        persist_poll();
    assert_int_equal(boots(), 0);
}

static void persist_poll__a_generation_by_itself__nothing_has_died(void **state)
{
    (void)state;
    fixture.config.interval_microseconds = SECOND;
    for (u64 i = 0; i < 2 * LIMIT; i++) {
        assert_int_equal(boot(), 2 + i);
        window_host_write(SCRATCH, 0, 3 + i);
        window_host_pass(2 * SECOND);
        persist_poll();
        assert_int_equal(boots(), 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        TEST(persist_start__three_died__the_fourth_falls_back_loudly),
        TEST(persist_start__held_or_named__neither_counts_nor_falls_back),
        TEST(persist_start__refused__does_not_count),
        TEST(persist_start__fresh__leaves_the_count_alone),
        TEST(persist_wind_up__each_time__nothing_has_died),
        TEST(persist_poll__ten_quiet_seconds__nothing_has_died),
        TEST(persist_poll__pages_still_to_be_fetched__the_boot_is_not_through),
        TEST(persist_poll__a_generation_by_itself__nothing_has_died),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
