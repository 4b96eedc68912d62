/*
 * Things that break while a generation is made: each store operation, each allocation, the power at
 * each commit. Before and after, every committed generation is whole and nothing is left over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { PAGES = 60, SIZE = 64 };

static struct fixture fixture;
static struct generation_name first, second;

static void open_fixture(u32 room)
{
    struct ram_limits limits = { .transaction_room = room, .room_slack = 48 };

    port_host_set_time(1795246200000000);
    fixture_open(&fixture, &limits, 1);
    fixture.config.threshold = 16;
    fixture.config.redundancy = 2;
    first = commit_pages(&fixture, 0, PAGES, SIZE, 1, NULL);
    second = commit_pages(&fixture, 10, 5, SIZE, 500, NULL);
}

static void close_fixture(void)
{
    fixture_close(&fixture);
    port_host_set_time(0);
}

/* Changed, unchanged and new pages, and copies of what is old enough. */
static enum status make_third(struct snapper_commit_report *report)
{
    static u8 pages[PAGES][SIZE];

    enum status status = init_snapshot(fixture.snapper, NULL);
    for (u64 i = 0; i < PAGES && status == OK; i++) {
        fill_content(pages[i], SIZE, (i < 30 ? 900 : 1) + i + 20);
        status = take_snapshot(fixture.snapper, pages[i], SIZE, 20 + i);
    }
    if (status != OK) {
        assert_true(snapper_state(fixture.snapper) == SNAPPER_DORMANT ||
                    abort_snapshot(fixture.snapper) == OK);
        return status;
    }
    status = commit_snapshot(fixture.snapper, "third", report);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    return status;
}

static void assert_old_ones(void)
{
    assert_pages(&fixture, first.text, 0, PAGES, SIZE, 1);
    assert_pages(&fixture, second.text, 0, 10, SIZE, 1);
    assert_pages(&fixture, second.text, 10, 5, SIZE, 500);
}

static void assert_third(const char *name)
{
    assert_pages(&fixture, name, 20, 30, SIZE, 900);
    assert_pages(&fixture, name, 50, 30, SIZE, 1);
    assert_pages(&fixture, name, 10, 5, SIZE, 500);
}

static void assert_clean(void)
{
    struct snapper_cleanup_report report;

    assert_int_equal(snapper_cleanup(fixture.snapper, &report), OK);
    assert_tree_is_sound(fixture.ram, false);
    assert_old_ones();
}

/* After a failed attempt: nothing of it is left, and the next one works. */
static void assert_third_can_be_made(void)
{
    struct snapper_commit_report report;

    assert_clean();
    assert_int_equal(snapper_generation_count(fixture.snapper), 2);
    assert_int_equal(make_third(&report), OK);
    assert_third(report.name.text);
    assert_clean();
}

static void fail_each_operation(u32 room, enum status failure, bool for_good)
{
    struct snapper_commit_report report;
    enum status status = failure;

    for (u64 nth = 1; status != OK; nth++) {
        open_fixture(room);
        ram_store_fail(fixture.ram, nth, failure, for_good);
        status = make_third(&report);
        ram_store_fail(fixture.ram, 0, OK, false);
        if (status != OK) {
            assert_int_equal(status, failure);
            if (for_good)
                fixture_crash(&fixture);
            if (for_good)
                assert_int_equal(open_generation(fixture.snapper, NULL), OK);
            if (for_good)
                assert_int_equal(close_generation(fixture.snapper), OK);
            assert_third_can_be_made();
        }
        assert_true(nth < 5000);
        close_fixture();
    }
}

/* An unreadable copy only means that a page counts as changed, so not every failure shows. */
static void commit__any_operation_fails__leaves_nothing_and_the_next_works(void **state)
{
    (void)state;
    struct snapper_commit_report report;

    for (u64 nth = 1; nth < 400; nth++) {
        open_fixture(nth % 2 ? 0 : 120);
        ram_store_fail(fixture.ram, nth, nth % 3 ? ERR_IO : ERR_NO_SPACE, false);
        enum status status = make_third(&report);
        ram_store_fail(fixture.ram, 0, OK, false);
        if (status == OK)
            assert_third(report.name.text);
        else
            assert_third_can_be_made();
        close_fixture();
    }
}

static void commit__store_dies_at_any_operation__old_generations_survive(void **state)
{
    (void)state;
    fail_each_operation(0, ERR_IO, true);
    fail_each_operation(120, ERR_IO, true);
}

static void commit__any_allocation_fails__leaves_nothing_and_the_next_works(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    enum status status = ERR_NO_MEMORY;

    for (u64 nth = 1; nth < 2000; nth++) {
        open_fixture(nth % 2 ? 0 : 120);
        port_host_fail_allocation(nth, false);
        status = make_third(&report);
        bool over = port_host_allocations() < nth;
        port_host_fail_allocation(0, false);
        if (status == OK) {
            assert_third(report.name.text);
        } else {
            assert_int_equal(status, ERR_NO_MEMORY);
            assert_third_can_be_made();
        }
        close_fixture();
        if (over)
            return;
    }
    fail();
}

static void commit__power_cut_after_each_transaction__is_all_or_nothing(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    u64 cuts = 0;
    bool whole = false;

    for (u64 commits = 1; !whole; commits++) {
        open_fixture(120);
        ram_store_fail_after_commit(fixture.ram, commits);
        whole = make_third(&report) == OK;
        fixture_crash(&fixture);
        assert_int_equal(snapper_generation_count(fixture.snapper), whole ? 3 : 2);
        if (whole)
            assert_third(report.name.text);
        assert_clean();
        close_fixture();
        cuts++;
        assert_true(commits < 100);
    }
    assert_true(cuts > 3);
}

/* A crash inside the clean-up itself, at each of its commits. */
static void cleanup__power_cut_after_each_transaction__the_next_one_ends_it(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    struct snapper_cleanup_report cleanup;
    bool finished = false;

    for (u64 commits = 1; !finished; commits++) {
        open_fixture(120);
        ram_store_fail_after_commit(fixture.ram, 4);
        assert_int_equal(make_third(&report), ERR_IO);
        fixture_crash(&fixture);
        ram_store_fail_after_commit(fixture.ram, commits);
        finished = snapper_cleanup(fixture.snapper, &cleanup) == OK;
        fixture_crash(&fixture);
        assert_clean();
        close_fixture();
        assert_true(commits < 200);
    }
}

/* Both a writing and a purging were cut (in different sessions): the one must not hide the other. */
static void cleanup__two_directories_named__finishes_both_across_a_cut(void **state)
{
    (void)state;
    static const char record[] = "writing = 2026-01-01T00:00:00.000001Z\n"
                                 "purging = 2026-01-01T00:00:00.000002Z\n";
    static const char file[] = "\2xxxx\1content";
    struct snapper_cleanup_report report;

    for (u64 commits = 1; commits < 4; commits++) {
        open_fixture(0);
        ram_store_put(fixture.ram, "/snapper/2026-01-01T00:00:00.000001Z/snapshot/0000",
                      file, sizeof file);
        ram_store_put(fixture.ram, "/snapper/2026-01-01T00:00:00.000002Z/snapshot/0000",
                      file, sizeof file);
        ram_store_put(fixture.ram, "/snapper.state", record, sizeof record - 1);
        fixture_reopen(&fixture);
        ram_store_fail_after_commit(fixture.ram, commits);
        (void)!snapper_cleanup(fixture.snapper, &report);
        fixture_crash(&fixture);
        assert_clean();
        close_fixture();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commit__any_operation_fails__leaves_nothing_and_the_next_works),
        cmocka_unit_test(commit__store_dies_at_any_operation__old_generations_survive),
        cmocka_unit_test(commit__any_allocation_fails__leaves_nothing_and_the_next_works),
        cmocka_unit_test(commit__power_cut_after_each_transaction__is_all_or_nothing),
        cmocka_unit_test(cleanup__power_cut_after_each_transaction__the_next_one_ends_it),
        cmocka_unit_test(cleanup__two_directories_named__finishes_both_across_a_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
