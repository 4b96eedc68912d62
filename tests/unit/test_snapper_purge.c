/*
 * Purging: what goes, what stays, what protects a generation, and that a cut loses nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/retention.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 64 };
#define NOON 1795246200000000ULL
#define SECOND 1000000ULL

static struct fixture fixture;
static struct snapper_purge_report report;

static int set_up(void **state)
{
    (void)state;
    struct ram_limits limits = { .room_slack = 48 };

    port_host_set_time(NOON);
    fixture_open(&fixture, &limits, 1);
    fixture.config.threshold = 8;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&fixture);
    port_host_set_time(0);
    return 0;
}

static bool has_directory(const struct generation_name *name)
{
    char path[100];

    snprintf(path, sizeof path, "/snapper/%s", name->text);
    return ram_store_exists(fixture.ram, path);
}

static void flip_archive(const struct generation_name *name)
{
    char path[100];
    size_t size;

    snprintf(path, sizeof path, "/snapper/%s/archive", name->text);
    ram_store_bytes(fixture.ram, path, &size)[size - 1] ^= 1;
    fixture_reopen(&fixture);
}

/* Fault 1: the directory of a purged generation that others still need went at the next open. */
static void purge__files_shared_with_a_newer_one__stay_through_every_open(void **state)
{
    (void)state;
    struct snapper_cleanup_report cleanup;
    struct generation_name first = commit_pages(&fixture, 0, 60, SIZE, 1, NULL);
    struct generation_name second = commit_pages(&fixture, 0, 7, SIZE, 2, NULL);

    assert_int_equal(purge(fixture.snapper, first.text, &report), OK);
    assert_int_equal(report.files, 7);
    for (int opens = 0; opens < 3; opens++) {
        fixture_reopen(&fixture);
        assert_int_equal(snapper_cleanup(fixture.snapper, &cleanup), OK);
        assert_int_equal(open_generation(fixture.snapper, NULL), OK);
        assert_int_equal(close_generation(fixture.snapper), OK);
        assert_pages(&fixture, second.text, 0, 7, SIZE, 2);
        assert_pages(&fixture, second.text, 7, 53, SIZE, 1);
    }
    assert_true(has_directory(&first));
    assert_int_equal(
        view_open(fixture.snapper, first.text, &(struct snapper_view *){ 0 }),
        ERR_NOT_FOUND);
    assert_tree_is_sound(fixture.ram, false);
}

/* Fault 26: directories of nothing. And a dead generation goes with the last that needs it. */
static void purge__last_one_that_lists_a_dead_generation__takes_it_along(void **state)
{
    (void)state;
    struct generation_name first = commit_pages(&fixture, 0, 20, SIZE, 1, NULL);
    struct generation_name second = commit_pages(&fixture, 0, 5, SIZE, 2, NULL);
    commit_pages(&fixture, 0, 20, SIZE, 3, NULL);

    assert_int_equal(purge(fixture.snapper, first.text, &report), OK);
    assert_int_equal(report.files, 5);
    assert_int_equal(report.bytes, 5 * SIZE);
    assert_int_equal(purge(fixture.snapper, second.text, &report), OK);
    assert_int_equal(report.files, 20);
    assert_false(has_directory(&first));
    assert_false(has_directory(&second));
    assert_int_equal(snapper_generation_count(fixture.snapper), 1);
    assert_tree_is_sound(fixture.ram, false);
}

static void purge__everything_but_one__leaves_the_blocks_of_one(void **state)
{
    (void)state;
    struct generation_name last = { 0 };
    u64 changed;

    commit_pages(&fixture, 0, 40, SIZE, 99, NULL);
    u64 once = ram_store_used_blocks(fixture.ram);
    for (u64 i = 0; i < 10; i++)
        last = commit_pages(&fixture, 0, 40, SIZE, i, NULL);
    while (snapper_generation_count(fixture.snapper) > 1)
        assert_int_equal(purge(fixture.snapper, NULL, &report), OK);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_tree_is_sound(fixture.ram, true);
    assert_pages(&fixture, last.text, 0, 40, SIZE, 9);
    assert_int_equal(ram_store_used_blocks(fixture.ram), once);
}

/* Histories branch: A -> B, A -> C. Two neighbours do not tell what others list. */
static void purge__branches_share_files__each_restores_until_it_goes(void **state)
{
    (void)state;
    struct snapper_commit_report commit;
    u64 changed;
    struct generation_name a = commit_pages(&fixture, 0, 30, SIZE, 1, NULL);
    struct generation_name b = commit_pages(&fixture, 0, 10, SIZE, 2, NULL);

    assert_int_equal(snapper_rollback(fixture.snapper, a.text), OK);
    fixture_reopen(&fixture);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_int_equal(close_generation(fixture.snapper), OK);
    struct generation_name c = commit_pages(&fixture, 20, 10, SIZE, 3, &commit);
    assert_int_equal(purge(fixture.snapper, a.text, &report), OK);
    assert_int_equal(report.files, 0);
    assert_pages(&fixture, b.text, 10, 20, SIZE, 1);
    assert_int_equal(purge(fixture.snapper, b.text, &report), OK);
    assert_int_equal(report.files, 10 + 10); /* its own, and those of a behind c's */
    assert_pages(&fixture, c.text, 0, 20, SIZE, 1);
    assert_pages(&fixture, c.text, 20, 10, SIZE, 3);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_tree_is_sound(fixture.ram, true);
}

static void rollback__next_generation__is_a_child_of_the_target(void **state)
{
    (void)state;
    struct snapper_generation_info info;
    struct generation_name a = commit_pages(&fixture, 0, 3, SIZE, 1, NULL);
    struct generation_name b = commit_pages(&fixture, 0, 3, SIZE, 2, NULL);

    assert_int_equal(snapper_rollback(fixture.snapper, a.text), OK);
    assert_string_equal(snapper_target(fixture.snapper).text, a.text);
    fixture_crash(&fixture);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_string_equal(snapper_current(fixture.snapper).text, a.text);
    assert_int_equal(close_generation(fixture.snapper), OK);
    commit_pages(&fixture, 9, 1, SIZE, 4, NULL);
    assert_int_equal(snapper_generation_info(fixture.snapper, 2, &info), OK);
    assert_string_equal(info.parent.text, a.text);
    assert_string_equal(snapper_target(fixture.snapper).text, "");
    assert_pages(&fixture, b.text, 0, 3, SIZE, 2);
    fixture_reopen(&fixture);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_string_equal(snapper_current(fixture.snapper).text, info.name.text);
    assert_int_equal(close_generation(fixture.snapper), OK);
}

/* The target stands until a generation is whole, also if that takes several transactions. */
static void rollback__power_cut_in_a_commit_of_parts__target_still_stands(void **state)
{
    (void)state;
    static u8 pages[200][SIZE];
    struct snapper_commit_report commit;
    struct generation_name a = commit_pages(&fixture, 0, 3, SIZE, 1, NULL);

    commit_pages(&fixture, 0, 3, SIZE, 2, NULL);
    assert_int_equal(snapper_rollback(fixture.snapper, a.text), OK);
    ram_store_limits(fixture.ram)->transaction_room = 150;
    fixture_reopen(&fixture);
    assert_int_equal(init_snapshot(fixture.snapper, a.text), OK);
    for (u64 i = 0; i < 200; i++)
        assert_int_equal(take_snapshot(fixture.snapper, pages[i], SIZE, i), OK);
    ram_store_fail_after_commit(fixture.ram, 3);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &commit), ERR_IO);
    fixture_crash(&fixture);
    assert_string_equal(snapper_target(fixture.snapper).text, a.text);
}

static void assert_denied(const struct generation_name *name, const char *why)
{
    port_host_clear_log();
    assert_int_equal(purge(fixture.snapper, name->text, &report), ERR_PURGE_DENIED);
    assert_int_equal(purge_forced(fixture.snapper, name->text, &report),
                     ERR_PURGE_DENIED);
    assert_true(port_host_logged(why));
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
}

static void purge__protected_generation__is_denied_with_the_reason(void **state)
{
    (void)state;
    struct snapper_view *view;
    struct generation_name pinned = commit_pages(&fixture, 0, 3, SIZE, 1, NULL);
    struct generation_name target = commit_pages(&fixture, 0, 3, SIZE, 2, NULL);
    struct generation_name viewed = commit_pages(&fixture, 0, 3, SIZE, 3, NULL);
    struct generation_name running = commit_pages(&fixture, 0, 3, SIZE, 4, NULL);

    assert_int_equal(snapper_pin(fixture.snapper, pinned.text), OK);
    assert_int_equal(snapper_rollback(fixture.snapper, target.text), OK);
    assert_int_equal(view_open(fixture.snapper, viewed.text, &view), OK);
    assert_denied(&pinned, "pinned");
    assert_denied(&target, "rollback target");
    assert_denied(&viewed, "being read");
    assert_denied(&running, "runs on it");
    view_close(view);
    assert_int_equal(purge(fixture.snapper, viewed.text, &report), OK);
    assert_int_equal(snapper_unpin(fixture.snapper, pinned.text), OK);
    assert_int_equal(snapper_unpin(fixture.snapper, pinned.text), ERR_NOT_FOUND);
    assert_int_equal(purge(fixture.snapper, pinned.text, &report), OK);
    assert_int_equal(snapper_rollback(fixture.snapper, NULL), OK);
    assert_int_equal(purge(fixture.snapper, target.text, &report), OK);
    assert_int_equal(purge(fixture.snapper, target.text, &report), ERR_NOT_FOUND);
}

/* Fault 2: max_snapshots and min_snapshots had no effect. */
static void purge__min_snapshots__is_never_undercut(void **state)
{
    (void)state;
    fixture.config.min_snapshots = 2;
    struct generation_name first = commit_pages(&fixture, 0, 3, SIZE, 1, NULL);
    commit_pages(&fixture, 0, 3, SIZE, 2, NULL);
    assert_int_equal(purge(fixture.snapper, first.text, &report), ERR_PURGE_DENIED);
    commit_pages(&fixture, 0, 3, SIZE, 3, NULL);
    assert_int_equal(purge(fixture.snapper, first.text, &report), OK);
    assert_int_equal(purge(fixture.snapper, NULL, &report), ERR_PURGE_DENIED);
}

static void commit__max_snapshots__keeps_that_many_and_the_pinned(void **state)
{
    (void)state;
    struct snapper_commit_report commit;
    struct generation_name pinned = commit_pages(&fixture, 0, 3, SIZE, 1, NULL);

    assert_int_equal(snapper_pin(fixture.snapper, pinned.text), OK);
    fixture.config.max_snapshots = 3;
    port_host_clear_log();
    for (u64 i = 0; i < 8; i++) {
        commit_pages(&fixture, 0, 3, SIZE, 10 + i, &commit);
        assert_int_equal(commit.purged, i < 2 ? 0 : 1);
    }
    assert_int_equal(snapper_generation_count(fixture.snapper), 3);
    /* A generation each second must not fill the screen. */
    assert_false(port_host_logged("purging"));
    fixture.config.verbose = true;
    commit_pages(&fixture, 0, 3, SIZE, 20, NULL);
    assert_true(port_host_logged("purging"));
    assert_pages(&fixture, pinned.text, 0, 3, SIZE, 1);
    fixture.config.min_snapshots = 5;
    for (u64 i = 0; i < 8; i++)
        commit_pages(&fixture, 0, 3, SIZE, 30 + i, NULL);
    assert_int_equal(snapper_generation_count(fixture.snapper), 5);
    assert_tree_is_sound(fixture.ram, false);
}

static void commit__max_snapshots_all_pinned__the_newest_stays(void **state)
{
    (void)state;
    for (u64 i = 0; i < 3; i++) {
        struct generation_name name = commit_pages(&fixture, 0, 3, SIZE, i, NULL);
        assert_int_equal(snapper_pin(fixture.snapper, name.text), OK);
    }
    fixture.config.max_snapshots = 1;
    commit_pages(&fixture, 0, 3, SIZE, 7, NULL);
    assert_int_equal(snapper_generation_count(fixture.snapper), 4);
    fixture_reopen(&fixture); /* nothing is "current" now */
    assert_int_equal(purge_expired(fixture.snapper, &report), OK);
    assert_int_equal(report.generations, 0);
}

/* Fault 13: skipped entries, the last one too, and a wrap that purged the newest. */
static void commit__expiration__old_ones_go_but_never_the_newest(void **state)
{
    (void)state;
    fixture.config.expiration = 60;
    for (u64 i = 0; i < 4; i++) {
        port_host_set_time(NOON + i * SECOND);
        commit_pages(&fixture, 0, 3, SIZE, i, NULL);
    }
    assert_int_equal(snapper_generation_count(fixture.snapper), 4);
    port_host_set_time(NOON + 62 * SECOND);
    assert_int_equal(purge_expired(fixture.snapper, &report), OK);
    assert_int_equal(report.generations, 2);
    port_host_set_time(NOON + 100000 * SECOND);
    assert_int_equal(purge_expired(fixture.snapper, &report), OK);
    assert_int_equal(snapper_generation_count(fixture.snapper), 1);
    fixture_reopen(&fixture);
    assert_int_equal(purge_expired(fixture.snapper, &report), OK);
    assert_int_equal(snapper_generation_count(fixture.snapper), 1);
    port_host_set_time(5 * SECOND); /* the battery of the clock is empty */
    commit_pages(&fixture, 0, 3, SIZE, 9, NULL);
    assert_int_equal(snapper_generation_count(fixture.snapper), 2);
}

static void commit__expiration_and_min_snapshots__min_wins(void **state)
{
    (void)state;
    fixture.config.expiration = 60;
    fixture.config.min_snapshots = 3;
    for (u64 i = 0; i < 6; i++) {
        port_host_set_time(NOON + i * 1000 * SECOND);
        commit_pages(&fixture, 0, 3, SIZE, i, NULL);
    }
    assert_int_equal(snapper_generation_count(fixture.snapper), 3);
}

/* Spec 4.6. */
static void
purge__another_archive_unreadable__nothing_goes_until_it_is_given_up(void **state)
{
    (void)state;
    struct generation_name a = commit_pages(&fixture, 0, 20, SIZE, 1, NULL);
    struct generation_name b = commit_pages(&fixture, 0, 5, SIZE, 2, NULL);
    struct generation_name c = commit_pages(&fixture, 5, 5, SIZE, 3, NULL);
    struct generation_name d = commit_pages(&fixture, 0, 20, SIZE, 4, NULL);

    assert_int_equal(purge(fixture.snapper, a.text, &report), OK); /* dead, listed */
    u64 blocks = ram_store_used_blocks(fixture.ram);
    flip_archive(&b);
    port_host_clear_log();
    assert_int_equal(purge(fixture.snapper, c.text, &report), ERR_PURGE_DENIED);
    assert_true(port_host_logged(b.text));
    assert_int_equal(purge(fixture.snapper, b.text, &report), ERR_PURGE_DENIED);
    fixture.config.max_snapshots = 1;
    assert_int_equal(purge_expired(fixture.snapper, &report), ERR_PURGE_DENIED);
    assert_int_equal(ram_store_used_blocks(fixture.ram), blocks);
    flip_archive(&b); /* its owner puts a backup back */
    assert_pages(&fixture, b.text, 0, 5, SIZE, 2);
    assert_pages(&fixture, b.text, 5, 15, SIZE, 1);
    flip_archive(&b); /* or gives it up */
    assert_int_equal(purge_forced(fixture.snapper, b.text, &report), OK);
    assert_int_equal(report.files, 5); /* of a, which c does not list; b's are c's too */
    assert_tree_is_sound(fixture.ram, false);
    assert_pages(&fixture, c.text, 5, 5, SIZE, 3);
    assert_int_equal(purge(fixture.snapper, c.text, &report), OK);
    assert_false(has_directory(&a));
    assert_pages(&fixture, d.text, 0, 20, SIZE, 4);
}

static void purge_forced__two_unreadable__files_wait_for_the_second(void **state)
{
    (void)state;
    struct generation_name a = commit_pages(&fixture, 0, 9, SIZE, 1, NULL);
    struct generation_name b = commit_pages(&fixture, 0, 9, SIZE, 2, NULL);
    struct generation_name c = commit_pages(&fixture, 0, 9, SIZE, 3, NULL);

    flip_archive(&a);
    flip_archive(&b);
    assert_int_equal(purge_forced(fixture.snapper, a.text, &report), OK);
    assert_int_equal(report.files, 0);
    assert_true(has_directory(&a));
    fixture_reopen(&fixture);
    assert_int_equal(purge_forced(fixture.snapper, b.text, &report), OK);
    assert_int_equal(report.files, 18);
    assert_false(has_directory(&a));
    assert_false(has_directory(&b));
    assert_pages(&fixture, c.text, 0, 9, SIZE, 3);
    assert_tree_is_sound(fixture.ram, false);
}

/* Faults 11 and 12: only with verbose, and half of them. */
static void purge_zombies__files_nobody_lists__all_go_at_once(void **state)
{
    (void)state;
    struct snapper_zombie_report zombies;
    char path[100];
    struct generation_name a = commit_pages(&fixture, 0, 20, SIZE, 1, NULL);

    commit_pages(&fixture, 0, 10, SIZE, 2, NULL);
    assert_int_equal(purge(fixture.snapper, a.text, &report), OK);
    for (unsigned i = 0; i < 8; i++) { /* of the first level, whose files went */
        snprintf(path, sizeof path, "/snapper/%s/snapshot/%04x", a.text, i);
        ram_store_put(fixture.ram, path, "\2xxxx\1y", 7);
    }
    ram_store_put(fixture.ram, "/snapper/2026-01-01T00:00:00.000001Z/snapshot/0000",
                  "\2xxxx\1y", 7);
    fixture_reopen(&fixture);
    assert_int_equal(purge_zombies(fixture.snapper, &zombies), OK);
    assert_int_equal(zombies.files, 9);
    assert_int_equal(zombies.directories, 2);
    assert_int_equal(purge_zombies(fixture.snapper, &zombies), OK);
    assert_int_equal(zombies.files, 0);
    assert_int_equal(zombies.directories, 1);
    assert_tree_is_sound(fixture.ram, false);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static struct generation_name commit_passing(u64 seed)
{
    struct snapper_commit_report made;

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    snapper_mark_passing(fixture.snapper);
    assert_int_equal(take_snapshot(fixture.snapper, &seed, sizeof seed, 1), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &made), OK);
    return made.name;
}

static void commit__passing__the_one_before_goes_in_whatever_session(void **state)
{
    (void)state;
    commit_passing(1);
    commit_passing(2);
    assert_int_equal(snapper_generation_count(fixture.snapper), 1);
    struct generation_name kept = commit_pages(&fixture, 1, 3, SIZE, 3, NULL);
    fixture_crash(&fixture);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_int_equal(close_generation(fixture.snapper), OK);
    port_host_clear_log();
    struct generation_name last = commit_passing(4);
    assert_false(port_host_logged("purging"));
    assert_int_equal(snapper_generation_count(fixture.snapper), 2);
    assert_true(has_directory(&kept) && has_directory(&last));
}

static void commit__passing_and_the_one_before_protected__it_stays(void **state)
{
    (void)state;
    struct generation_name pinned = commit_passing(1);
    assert_int_equal(snapper_pin(fixture.snapper, pinned.text), OK);
    struct generation_name next = commit_passing(2);
    fixture.config.min_snapshots = 3;
    commit_passing(3);
    assert_int_equal(snapper_generation_count(fixture.snapper), 3);
    assert_true(has_directory(&pinned) && has_directory(&next));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(purge__files_shared_with_a_newer_one__stay_through_every_open),
        TEST(purge__last_one_that_lists_a_dead_generation__takes_it_along),
        TEST(purge__everything_but_one__leaves_the_blocks_of_one),
        TEST(purge__branches_share_files__each_restores_until_it_goes),
        TEST(rollback__next_generation__is_a_child_of_the_target),
        TEST(rollback__power_cut_in_a_commit_of_parts__target_still_stands),
        TEST(purge__protected_generation__is_denied_with_the_reason),
        TEST(purge__min_snapshots__is_never_undercut),
        TEST(commit__max_snapshots__keeps_that_many_and_the_pinned),
        TEST(commit__max_snapshots_all_pinned__the_newest_stays),
        TEST(commit__expiration__old_ones_go_but_never_the_newest),
        TEST(commit__expiration_and_min_snapshots__min_wins),
        TEST(purge__another_archive_unreadable__nothing_goes_until_it_is_given_up),
        TEST(purge_forced__two_unreadable__files_wait_for_the_second),
        TEST(purge_zombies__files_nobody_lists__all_go_at_once),
        TEST(commit__passing__the_one_before_goes_in_whatever_session),
        TEST(commit__passing_and_the_one_before_protected__it_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
