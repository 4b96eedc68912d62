/*
 * A disk that runs full: generations are purged only if that helps, and a refused snapshot leaves
 * everything as it was.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/retention.h"
#include "snapper/select.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 3000, BLOCKS = 3 };

static struct fixture fixture;
static struct snapper_commit_report report;

static int set_up(void **state)
{
    (void)state;
    port_host_set_time(1795246200000000);
    fixture_open(&fixture, NULL, 1);
    fixture.config.reserve = 0;
    fixture.config.redundancy = 0;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&fixture);
    port_host_set_time(0);
    return 0;
}

/* So many blocks are free beside what is in use now. */
static void leave_blocks(u64 blocks)
{
    ram_store_limits(fixture.ram)->total_blocks =
        ram_store_used_blocks(fixture.ram) + blocks;
}

static enum status try_commit(u64 first, size_t count, u64 seed)
{
    static u8 pages[100][SIZE];

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    for (size_t i = 0; i < count; i++) {
        fill_content(pages[i], SIZE, seed + first + i);
        assert_int_equal(take_snapshot(fixture.snapper, pages[i], SIZE, first + i), OK);
    }
    return commit_snapshot(fixture.snapper, NULL, &report);
}

static void commit__short_of_blocks__purges_as_many_as_it_must(void **state)
{
    (void)state;
    for (u64 i = 0; i < 4; i++)
        assert_int_equal(try_commit(0, 50, 1000 * i), OK);
    leave_blocks(50);
    assert_int_equal(try_commit(0, 50, 9000), OK);
    assert_int_equal(report.purged, 1);
    assert_int_equal(snapper_generation_count(fixture.snapper), 4);
    leave_blocks(20);
    assert_int_equal(try_commit(0, 90, 9500), OK);
    assert_int_equal(report.purged, 2);
    assert_pages(&fixture, report.name.text, 0, 90, SIZE, 9500);
    assert_tree_is_sound(fixture.ram, false);
}

static void commit__short_of_inodes__purges_too(void **state)
{
    (void)state;
    for (u64 i = 0; i < 3; i++)
        assert_int_equal(try_commit(0, 50, 1000 * i), OK);
    ram_store_limits(fixture.ram)->total_nodes = 1 + 1 + 3 * 53 + 10;
    assert_int_equal(try_commit(0, 50, 9000), OK);
    assert_int_equal(report.purged, 1);
    assert_tree_is_sound(fixture.ram, false);
}

static void commit__purging_would_not_do__touches_nothing(void **state)
{
    (void)state;
    struct generation_name first = commit_pages(&fixture, 0, 5, SIZE, 1, NULL);

    commit_pages(&fixture, 0, 5, SIZE, 100, NULL);
    commit_pages(&fixture, 0, 5, SIZE, 200, NULL);
    leave_blocks(60);
    u64 blocks = ram_store_used_blocks(fixture.ram);
    port_host_clear_log();
    assert_int_equal(try_commit(0, 90, 9000), ERR_NO_SPACE);
    assert_true(port_host_logged("not enough space"));
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    assert_int_equal(snapper_generation_count(fixture.snapper), 3);
    assert_int_equal(ram_store_used_blocks(fixture.ram), blocks);
    assert_pages(&fixture, first.text, 0, 5, SIZE, 1);
    leave_blocks(600);
    assert_int_equal(try_commit(0, 90, 9000), OK);
    assert_int_equal(report.purged, 0);
}

static void commit__min_snapshots_and_pins__win_over_space(void **state)
{
    (void)state;
    struct generation_name first = commit_pages(&fixture, 0, 50, SIZE, 1, NULL);
    struct generation_name second = commit_pages(&fixture, 0, 50, SIZE, 100, NULL);

    commit_pages(&fixture, 0, 50, SIZE, 200, NULL);
    leave_blocks(60);
    fixture.config.min_snapshots = 3;
    assert_int_equal(try_commit(0, 50, 9000), ERR_NO_SPACE);
    fixture.config.min_snapshots = 0;
    assert_int_equal(snapper_pin(fixture.snapper, first.text), OK);
    assert_int_equal(try_commit(0, 50, 9000), OK);
    assert_pages(&fixture, first.text, 0, 50, SIZE, 1);
    struct generation_name found;
    assert_int_equal(snapper_select(fixture.snapper, second.text, &found), ERR_NOT_FOUND);
}

static void commit__an_archive_unreadable__is_refused_for_space(void **state)
{
    (void)state;
    commit_pages(&fixture, 0, 50, SIZE, 1, NULL);
    commit_pages(&fixture, 0, 50, SIZE, 100, NULL);
    commit_pages(&fixture, 0, 1, SIZE, 200, NULL);
    ram_store_put(fixture.ram, "/snapper/2026-11-21T07:00:00.000000Z/archive", "\2?", 2);
    fixture_reopen(&fixture);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_int_equal(close_generation(fixture.snapper), OK);
    leave_blocks(60);
    assert_int_equal(try_commit(0, 50, 9000), ERR_NO_SPACE);
    assert_int_equal(snapper_generation_count(fixture.snapper), 4);
}

static void commit__reserve__is_kept_free(void **state)
{
    (void)state;
    fixture.config.reserve = 50;
    assert_int_equal(try_commit(0, 10, 1), OK);
    ram_store_limits(fixture.ram)->total_blocks = 400;
    assert_int_equal(try_commit(0, 90, 9000), ERR_NO_SPACE);
    fixture.config.reserve = 5;
    assert_int_equal(try_commit(0, 90, 9000), OK);
}

/* Copies are a luxury: they are left out before any generation goes. */
static void commit__space_for_pages_but_not_for_copies__makes_no_copies(void **state)
{
    (void)state;
    fixture.config.redundancy = 1;
    assert_int_equal(try_commit(0, 80, 1), OK);
    leave_blocks(100);
    assert_int_equal(try_commit(0, 40, 1), OK); /* 40 taken and unchanged, 40 carried */
    assert_int_equal(report.copies, 0);
    assert_int_equal(report.unchanged, 40);
    assert_int_equal(report.purged, 0);
    assert_int_equal(report.taken, 40);
    leave_blocks(2000);
    assert_int_equal(try_commit(0, 1, 1), OK);
    assert_int_equal(report.copies, 80);
}

/* The estimate holds: what it lets pass never fails for want of space. */
static void commit__any_number_of_free_blocks__fits_or_is_refused_before(void **state)
{
    (void)state;
    u64 made = 0, refused = 0;

    for (u64 blocks = 0; blocks < 140; blocks += 3) {
        fixture_close(&fixture);
        set_up(state);
        fixture.config.threshold = 1 + blocks % 7;
        assert_int_equal(try_commit(0, 20, 1), OK);
        leave_blocks(blocks);
        port_host_clear_log();
        enum status status = try_commit(5, 20, 9000);
        if (status != OK) {
            assert_int_equal(status, ERR_NO_SPACE);
            assert_true(port_host_logged("are needed"));
        }
        made += status == OK;
        refused += status != OK;
        assert_tree_is_sound(fixture.ram, false);
    }
    assert_true(made > 5 && refused > 5);
}

/* Somebody else fills the disk meanwhile. */
static void commit__store_runs_full_in_the_middle__leaves_nothing(void **state)
{
    (void)state;
    assert_int_equal(try_commit(0, 20, 1), OK);
    u64 blocks = ram_store_used_blocks(fixture.ram);
    for (u64 nth = 5; nth < 30; nth += 3) {
        ram_store_fail(fixture.ram, nth, ERR_NO_SPACE, false);
        enum status status = try_commit(0, 20, 9000 + nth);
        ram_store_fail(fixture.ram, 0, OK, false);
        if (status == OK)
            break;
        assert_int_equal(status, ERR_NO_SPACE);
        assert_int_equal(ram_store_used_blocks(fixture.ram), blocks);
        assert_tree_is_sound(fixture.ram, false);
    }
    assert_int_equal(try_commit(0, 20, 7000), OK);
}

static void commit__journal_too_small__is_refused_by_name(void **state)
{
    (void)state;
    ram_store_limits(fixture.ram)->transaction_room = 2;
    u64 blocks = ram_store_used_blocks(fixture.ram);
    port_host_clear_log();
    assert_int_equal(try_commit(0, 20, 9000), ERR_TRANSACTION_FULL);
    assert_true(port_host_logged("journal is too small"));
    assert_int_equal(ram_store_used_blocks(fixture.ram), blocks);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(commit__short_of_blocks__purges_as_many_as_it_must),
        TEST(commit__short_of_inodes__purges_too),
        TEST(commit__purging_would_not_do__touches_nothing),
        TEST(commit__min_snapshots_and_pins__win_over_space),
        TEST(commit__an_archive_unreadable__is_refused_for_space),
        TEST(commit__reserve__is_kept_free),
        TEST(commit__space_for_pages_but_not_for_copies__makes_no_copies),
        TEST(commit__any_number_of_free_blocks__fits_or_is_refused_before),
        TEST(commit__store_runs_full_in_the_middle__leaves_nothing),
        TEST(commit__journal_too_small__is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
