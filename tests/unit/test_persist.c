/*
 * The root object and the choice of what is resumed, on a machine in software.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/persist/persist.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"
#include "tests/support/soft_mmu.h"
#include "tests/support/window_host.h"

enum { FRAMES = 400, SECOND = 1000000, SCRATCH = 20 };
enum { FIRST_OBJECT = 1, SECOND_OBJECT = 2 }; /* their pages */

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

static struct root_object_type object_types[] = {
    { "counter", 1, 8, initialize, validate, false },
    { "table", 3, PAGE_SIZE, initialize, validate, false },
};
static struct root_types types = { object_types, 2 };

static int start(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL, 1);
    window_host_start(FRAMES);
    object_types[1] =
        (struct root_object_type){ "table", 3, PAGE_SIZE, initialize, validate, false };
    types.count = 2;
    port_host_clear_log();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    window_host_stop();
    fixture_close(&fixture);
    return 0;
}

static void start_with(struct persist_choice choice)
{
    struct persist_store store = { fixture.snapper, &disk, &fixture.config, NULL, NULL };
    persist_start(&types, &store, &choice);
}

static void boot_with(struct persist_choice choice)
{
    window_host_reboot();
    fixture_crash(&fixture);
    port_host_clear_log();
    start_with(choice);
}

static void boot(void)
{
    boot_with((struct persist_choice){});
}

static struct generation_name capture(u64 value)
{
    struct capture_report report;

    window_host_write(SCRATCH, 0, value);
    assert_int_equal(persist_capture(NULL, &report), OK);
    return report.commit.name;
}

static void assert_memory(u64 value)
{
    assert_int_equal(window_host_read(SCRATCH, 0), value);
}

/* A machine that started empty, takes none, and can be used. */
static void assert_not_resumed(void)
{
    struct capture_report report;

    assert_int_equal(persist_mode(), PERSIST_NOT_RESUMED);
    assert_non_null(strstr(persist_summary(), "not resumed"));
    assert_true(port_host_logged("ways out"));
    assert_int_equal(*(u64 *)root_object(1), 42);
    assert_false(page_space_has(window_space(), SCRATCH));

    size_t count = snapper_generation_count(fixture.snapper);
    assert_int_equal(persist_capture(NULL, &report), ERR_INVALID_STATE);
    assert_int_equal(snapper_generation_count(fixture.snapper), count);
}

/* --- what is resumed --- */

static void persist_start__no_generations__memory_is_new(void **state)
{
    (void)state;
    start_with((struct persist_choice){});
    assert_int_equal(persist_mode(), PERSIST_FRESH);
    assert_int_equal(*(u64 *)root_object(0), 42);
    assert_int_equal(root_counters()->boots, 1);
}

static void persist_start__a_generation_there__is_resumed(void **state)
{
    (void)state;
    start_with((struct persist_choice){});
    *(u64 *)root_object(0) = 1000;
    capture(7);
    window_host_write(SCRATCH, 0, 8);
    for (u64 boots = 2; boots < 5; boots++) {
        boot();
        assert_int_equal(persist_mode(), PERSIST_RESUMED);
        assert_memory(boots == 2 ? 7 : boots + 10);
        assert_int_equal(*(u64 *)root_object(0), 1000);
        assert_int_equal(root_counters()->boots, boots);
        capture(boots + 11);
        assert_int_equal(root_counters()->generations, boots);
    }
}

static void persist_start__no_store__memory_is_new_and_stays_here(void **state)
{
    struct capture_report report;

    (void)state;
    persist_start(&types, &(struct persist_store){ .config = &fixture.config },
                  &(struct persist_choice){});
    assert_int_equal(persist_mode(), PERSIST_NO_STORE);
    assert_int_equal(persist_capture(NULL, &report), ERR_INVALID_STATE);
    persist_clean_up();
    persist_poll();
    assert_int_equal(persist_settle(NULL), OK);
    assert_int_equal(persist_wind_up(PERSIST_AS_CONFIGURED), OK);
    assert_int_equal(persist_wind_up(PERSIST_SAVE), ERR_INVALID_STATE);
}

static void persist_start__fresh__begins_a_line_of_its_own(void **state)
{
    struct snapper_generation_info info;

    (void)state;
    start_with((struct persist_choice){});
    capture(7);
    boot_with((struct persist_choice){ .fresh = true });
    assert_int_equal(persist_mode(), PERSIST_FRESH);
    assert_false(page_space_has(window_space(), SCRATCH));
    capture(8);
    assert_int_equal(snapper_generation_info(fixture.snapper, 1, &info), OK);
    assert_string_equal(info.parent.text, "");
    boot_with((struct persist_choice){ .generation = "oldest" });
    assert_memory(7);
}

static void persist_start__generation_named__is_resumed_and_the_parent(void **state)
{
    struct snapper_generation_info info;

    (void)state;
    start_with((struct persist_choice){});
    struct generation_name first = capture(1);
    capture(2);
    boot_with((struct persist_choice){ .generation = "latest~1" });
    assert_int_equal(persist_mode(), PERSIST_RESUMED);
    assert_memory(1);
    capture(3);
    assert_int_equal(snapper_generation_info(fixture.snapper, 2, &info), OK);
    assert_string_equal(info.parent.text, first.text);
}

static void persist_start__generation_unknown__nothing_resumed(void **state)
{
    (void)state;
    start_with((struct persist_choice){});
    capture(1);
    boot_with((struct persist_choice){ .generation = "1999" });
    assert_not_resumed();
}

static void persist_start__frames_too_few__pages_take_turns(void **state)
{
    (void)state;
    start_with((struct persist_choice){});
    for (u64 page = 0; page < FRAMES / 2; page++)
        window_host_write(SCRATCH + page, 0, 1);
    capture(1);
    window_host_stop();
    window_host_start(FRAMES / 2);
    start_with((struct persist_choice){});
    assert_int_equal(persist_mode(), PERSIST_RESUMED);
    for (u64 page = 0; page < FRAMES / 2; page++) {
        assert_int_equal(persist_touch(window_space(), SCRATCH + page, PAGE_READ), OK);
        assert_int_equal(window_host_read(SCRATCH + page, 0), 1);
    }
    assert_true(persist_memory().evicted > 0);
}

/* --- generations of other kernels, and lies --- */

static void persist_start__other_objects__nothing_resumed(void **state)
{
    static const struct root_object_type others[] = {
        { "table", 4, PAGE_SIZE, initialize, validate, false },
        { "tablet", 3, PAGE_SIZE, initialize, validate, false },
        { "tabl", 3, PAGE_SIZE, initialize, validate, false },
        { "table", 3, PAGE_SIZE - 8, initialize, validate, false },
    };

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        start_with((struct persist_choice){});
        capture(1);
        object_types[1] = others[i];
        boot();
        assert_not_resumed();
        assert_true(port_host_logged("this kernel's is"));
        stop(state);
        start(state);
    }
    start_with((struct persist_choice){});
    capture(1);
    types.count = 1;
    boot();
    types.count = 2;
    assert_int_equal(persist_mode(), PERSIST_NOT_RESUMED);
}

/* Every bit of the root's magic, layout, count and directory; the counters are anybody's. */
static void persist_start__any_bit_of_the_root_changed__nothing_resumed(void **state)
{
    enum { HEADER = 16, COUNTERS = 16, ENTRIES = 2 * 40 };

    for (size_t bit = 0; bit < 8 * (HEADER + COUNTERS + ENTRIES); bit += 5) {
        if (bit / 8 >= HEADER && bit / 8 < HEADER + COUNTERS)
            continue;
        start_with((struct persist_choice){});
        size_t word = bit / 64 * 8;
        u64 value = window_host_read(0, word);
        window_host_write(0, word, value ^ 1ULL << bit % 64);
        capture(1);
        boot();
        assert_not_resumed();
        stop(state);
        start(state);
    }
}

static void persist_start__object_that_cannot_be_used__nothing_resumed(void **state)
{
    (void)state;
    start_with((struct persist_choice){});
    window_host_write(SECOND_OBJECT, 0, 41);
    capture(1);
    boot();
    assert_not_resumed();
    assert_true(port_host_logged("root object table cannot be used"));
}

static void persist_start__page_of_a_sparse_object_never_written__is_zero(void **state)
{
    (void)state;
    object_types[1] =
        (struct root_object_type){ "table", 3, 3 * PAGE_SIZE, initialize, NULL, true };
    object_types[1].validate = validate;
    start_with((struct persist_choice){});
    capture(7);
    boot();
    assert_int_equal(persist_mode(), PERSIST_RESUMED);
    assert_int_equal(*(u64 *)root_object(1), 42);
    assert_int_equal(window_host_read(SECOND_OBJECT + 2, 0), 0);
    assert_memory(7);
}

static void persist_start__page_of_an_object_missing__nothing_resumed(void **state)
{
    (void)state;
    start_with((struct persist_choice){});
    assert_int_equal(page_space_release(window_space(), FIRST_OBJECT), OK);
    capture(1);
    boot();
    assert_not_resumed();
    assert_true(port_host_logged("page 1 is missing"));
}

static void persist_start__root_missing__nothing_resumed(void **state)
{
    (void)state;
    start_with((struct persist_choice){});
    capture(1);
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(forget(fixture.snapper, 0), OK);
    struct snapper_commit_report report;
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    boot();
    assert_not_resumed();
}

/* --- from time to time --- */

static void persist_poll__interval_passed__a_generation_if_something_changed(void **state)
{
    (void)state;
    fixture.config.interval_microseconds = 2 * SECOND;
    start_with((struct persist_choice){});
    capture(1);
    window_host_pass(3 * SECOND);
    persist_poll();
    assert_int_equal(snapper_generation_count(fixture.snapper), 1);
    window_host_write(SCRATCH, 0, 2);
    persist_poll();
    assert_int_equal(snapper_generation_count(fixture.snapper), 2);
    window_host_write(SCRATCH, 0, 3);
    window_host_pass(SECOND);
    persist_poll();
    assert_int_equal(snapper_generation_count(fixture.snapper), 2);
    boot();
    assert_memory(2);
}

static void persist_poll__no_interval__never_a_generation(void **state)
{
    (void)state;
    fixture.config.interval_microseconds = 0;
    start_with((struct persist_choice){});
    window_host_write(SCRATCH, 0, 2);
    window_host_pass(1000ULL * SECOND);
    persist_poll();
    assert_int_equal(snapper_generation_count(fixture.snapper), 0);
}

static void persist_ask__no_interval__only_the_newest_of_its_kind_is_kept(void **state)
{
    (void)state;
    start_with((struct persist_choice){});
    capture(1);
    for (u64 value = 2; value < 6; value++) {
        window_host_write(SCRATCH, 0, value);
        persist_ask();
        persist_poll();
        persist_poll();
        assert_int_equal(snapper_generation_count(fixture.snapper), 2);
        assert_int_equal(persist_generations(), value == 2 ? 2 : 1);
        boot();
        assert_memory(value);
    }
    capture(7);
    window_host_write(SCRATCH, 0, 8);
    persist_ask();
    persist_poll();
    assert_int_equal(snapper_generation_count(fixture.snapper), 3);
}

static void persist_poll__a_quiet_minute__reference_counts_are_exact(void **state)
{
    (void)state;
    fixture.config.interval_microseconds = 0;
    start_with((struct persist_choice){});
    capture(1);
    window_host_write(SCRATCH + 1, 0, 1);
    capture(2);
    window_host_pass(59ULL * SECOND);
    persist_poll();
    assert_false(snapper_is_settled(fixture.snapper));
    window_host_pass(2ULL * SECOND);
    persist_poll();
    assert_true(snapper_is_settled(fixture.snapper));
    assert_tree_is_sound(fixture.ram, true);
}

static void persist_capture__store_full__counts_no_generation(void **state)
{
    struct capture_report report;

    (void)state;
    start_with((struct persist_choice){});
    capture(1);
    window_host_write(SCRATCH, 0, 2);
    ram_store_limits(fixture.ram)->total_blocks = 1;
    assert_int_equal(persist_capture(NULL, &report), ERR_NO_SPACE);
    assert_int_equal(root_counters()->generations, 1);
    ram_store_limits(fixture.ram)->total_blocks = 100000;
    capture(3);
    boot();
    assert_memory(3);
}

/* --- the end --- */

static void persist_wind_up__with_interval_or_wish__saves_what_changed(void **state)
{
    static const struct {
        u64 interval;
        enum persist_wish wish;
        size_t generations;
    } cases[] = {
        { 0, PERSIST_AS_CONFIGURED, 0 },
        { 0, PERSIST_SAVE, 1 },
        { SECOND, PERSIST_AS_CONFIGURED, 1 },
        { SECOND, PERSIST_SAVE, 1 },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fixture.config.interval_microseconds = cases[i].interval;
        start_with((struct persist_choice){});
        assert_int_equal(persist_wind_up(cases[i].wish), OK);
        assert_int_equal(snapper_generation_count(fixture.snapper), cases[i].generations);
        assert_int_equal(port_host_logged("dirty pages are dropped"),
                         cases[i].generations == 0);
        assert_true(snapper_is_settled(fixture.snapper));
        assert_tree_is_sound(fixture.ram, true);
        stop(state);
        start(state);
    }
}

static void persist_wind_up__save_fails__is_told(void **state)
{
    (void)state;
    start_with((struct persist_choice){});
    ram_store_limits(fixture.ram)->total_blocks = 1;
    assert_int_equal(persist_wind_up(PERSIST_SAVE), ERR_NO_SPACE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(persist_start__no_generations__memory_is_new),
        TEST(persist_start__a_generation_there__is_resumed),
        TEST(persist_start__no_store__memory_is_new_and_stays_here),
        TEST(persist_start__fresh__begins_a_line_of_its_own),
        TEST(persist_start__generation_named__is_resumed_and_the_parent),
        TEST(persist_start__generation_unknown__nothing_resumed),
        TEST(persist_start__frames_too_few__pages_take_turns),
        TEST(persist_start__other_objects__nothing_resumed),
        TEST(persist_start__any_bit_of_the_root_changed__nothing_resumed),
        TEST(persist_start__object_that_cannot_be_used__nothing_resumed),
        TEST(persist_start__page_of_a_sparse_object_never_written__is_zero),
        TEST(persist_start__page_of_an_object_missing__nothing_resumed),
        TEST(persist_start__root_missing__nothing_resumed),
        TEST(persist_poll__interval_passed__a_generation_if_something_changed),
        TEST(persist_poll__no_interval__never_a_generation),
        TEST(persist_ask__no_interval__only_the_newest_of_its_kind_is_kept),
        TEST(persist_poll__a_quiet_minute__reference_counts_are_exact),
        TEST(persist_capture__store_full__counts_no_generation),
        TEST(persist_wind_up__with_interval_or_wish__saves_what_changed),
        TEST(persist_wind_up__save_fails__is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
