/*
 * 200,000 objects with the default threshold: 2,000 levels of directories. What each step costs must
 * grow with the objects, not faster: counted in store operations and allocations, not in seconds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/retention.h"
#include "snapper/verify.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SMALL = 20000, LARGE = 200000, SIZE = 8, STEPS = 6 };

static struct fixture fixture;

/* Store operations and allocations of one step. */
struct cost {
    u64 operations, allocations;
};

static void begin_step(void)
{
    ram_store_counters(fixture.ram)->operations = 0;
    port_host_fail_allocation(0, false);
}

static void end_step(struct cost *cost)
{
    *cost = (struct cost){ ram_store_counters(fixture.ram)->operations,
                           port_host_allocations() };
}

static void restore_all(u64 count)
{
    struct snapper *snapper = fixture.snapper;
    u8 found[SIZE], expected[SIZE];
    size_t restored;

    assert_int_equal(open_generation(snapper, NULL), OK);
    for (u64 id = 0; id < count; id++) {
        fill_content(expected, SIZE, 1 + id);
        assert_int_equal(restore(snapper, found, SIZE, id, &restored), OK);
        assert_memory_equal(found, expected, SIZE);
    }
    assert_int_equal(close_generation(snapper), OK);
}

static void live(u64 count, struct cost *costs)
{
    struct snapper_generation_info info;
    struct snapper_verify_report verified;
    struct snapper_purge_report purged;
    u64 changed;

    port_host_set_time(1795246200000000);
    fixture_open(&fixture, NULL, 1);
    begin_step();
    struct generation_name first = commit_pages(&fixture, 0, count, SIZE, 1, NULL);
    end_step(&costs[0]);

    fixture_reopen(&fixture);
    begin_step();
    restore_all(count);
    end_step(&costs[1]);

    begin_step();
    commit_pages(&fixture, count, 1, SIZE, 1, NULL);
    end_step(&costs[2]);
    assert_int_equal(snapper_generation_info(fixture.snapper, 1, &info), OK);
    assert_int_equal(info.objects, count + 1);

    begin_step();
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_int_equal(changed, count);
    end_step(&costs[3]);

    begin_step();
    assert_int_equal(snapper_verify(fixture.snapper, NULL, &verified), OK);
    assert_true(snapper_verify_is_clean(&verified));
    assert_int_equal(verified.files, count + 1);
    end_step(&costs[4]);

    struct snapper_commit_report report;
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    for (u64 id = 0; id < count; id++)
        assert_int_equal(forget(fixture.snapper, id), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    assert_int_equal(report.objects, 1);
    begin_step();
    assert_int_equal(purge(fixture.snapper, first.text, &purged), OK);
    assert_int_equal(purge(fixture.snapper, NULL, &purged), OK);
    assert_int_equal(purged.files, count);
    end_step(&costs[5]);
    assert_tree_is_sound(fixture.ram, false);
    fixture_close(&fixture);
    port_host_set_time(0);
}

static void snapper__ten_times_the_objects__costs_ten_times_as_much(void **state)
{
    (void)state;
    static const char *const names[STEPS] = { "snapshot", "restore", "one page",
                                              "settle",   "verify",  "purge" };
    struct cost small[STEPS], large[STEPS];

    live(SMALL, small);
    live(LARGE, large);
    for (size_t i = 0; i < STEPS; i++) {
        print_message("%-8s %9llu operations, %9llu allocations\n", names[i],
                      (unsigned long long)large[i].operations,
                      (unsigned long long)large[i].allocations);
        assert_true(large[i].operations <= small[i].operations * 11);
        assert_true(large[i].allocations <= small[i].allocations * 11 + 50);
    }
    assert_true(large[2].operations < 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapper__ten_times_the_objects__costs_ten_times_as_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
