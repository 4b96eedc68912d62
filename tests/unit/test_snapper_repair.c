/*
 * Damage with a good sibling is healed by reading; damage without one is never made worse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 64, PAGES = 4 };

static struct fixture fixture;
static struct generation_name copied; /* its files are the first of two copies */

static int set_up(void **state)
{
    (void)state;
    port_host_set_time(1795246200000000);
    fixture_open(&fixture, NULL, 1);
    fixture.config.redundancy = 2;
    for (int i = 0; i < 3; i++)
        copied = commit_pages(&fixture, 0, PAGES, SIZE, 1, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&fixture);
    port_host_set_time(0);
    return 0;
}

static const char *path_of(const char *file)
{
    static char path[128];

    snprintf(path, sizeof path, "/snapper/%s/snapshot/%s", copied.text, file);
    return path;
}

static u8 *bytes_of(const char *file)
{
    size_t size;
    u8 *bytes = ram_store_bytes(fixture.ram, path_of(file), &size);

    assert_non_null(bytes);
    return bytes;
}

static void read_all(void)
{
    fixture_reopen(&fixture);
    port_host_clear_log();
    assert_pages(&fixture, copied.text, 0, PAGES, SIZE, 1);
}

static void assert_whole(const char *file, u64 id)
{
    u8 content[SIZE];
    size_t size;
    u8 *bytes = ram_store_bytes(fixture.ram, path_of(file), &size);

    assert_non_null(bytes);
    fill_content(content, SIZE, 1 + id);
    assert_int_equal(size, SIZE + 6);
    assert_memory_equal(bytes + 6, content, SIZE);
}

static void restore__flipped_truncated_or_missing_copy__is_rewritten(void **state)
{
    (void)state;
    bytes_of("0000")[20] ^= 4;
    ram_store_put(fixture.ram, path_of("0001"), "\2ab", 3);
    ram_store_remove(fixture.ram, path_of("0002"));
    ram_store_put(fixture.ram, path_of("0003"), "", 0);
    read_all();
    assert_true(port_host_logged("rewritten"));
    assert_whole("0000", 0);
    assert_whole("0001", 1);
    assert_whole("0002", 2);
    assert_whole("0003", 3);
    fixture_crash(&fixture);
    assert_whole("0000", 0);
    read_all();
    assert_false(port_host_logged("rewritten"));
}

static void restore__file_of_unknown_version__is_not_touched(void **state)
{
    (void)state;
    bytes_of("0001")[0] = 3;
    read_all();
    assert_int_equal(bytes_of("0001")[0], 3);
    assert_false(port_host_logged("rewritten"));
}

static void restore__store_is_read_only__rewrites_nothing(void **state)
{
    (void)state;
    bytes_of("0001")[20] ^= 4;
    u8 damaged = bytes_of("0001")[20];
    ram_store_set_read_only(fixture.ram, true);
    read_all();
    assert_int_equal(bytes_of("0001")[20], damaged);
    ram_store_set_read_only(fixture.ram, false);
    read_all();
    assert_whole("0001", 1);
}

/* Fault 4: a corrupt file was written back as zeros under its old checksum. */
static void restore__no_good_copy__leaves_both_as_they_are(void **state)
{
    (void)state;
    struct snapper_view *view;
    u8 found[SIZE];
    size_t restored, size;
    u8 *second = ram_store_bytes(
        fixture.ram, "/snapper/2026-11-21T07:30:00.000000Z/snapshot/0001", &size);

    assert_non_null(second);
    second[30] ^= 1;
    bytes_of("0001")[20] ^= 4;
    u8 first_byte = bytes_of("0001")[20], second_byte = second[30];
    fixture_reopen(&fixture);
    assert_int_equal(view_open(fixture.snapper, copied.text, &view), OK);
    assert_int_equal(view_restore(view, found, SIZE, 1, &restored), ERR_INTEGRITY);
    view_close(view);
    assert_int_equal(bytes_of("0001")[20], first_byte);
    second = ram_store_bytes(fixture.ram,
                             "/snapper/2026-11-21T07:30:00.000000Z/snapshot/0001", &size);
    assert_int_equal(second[30], second_byte);
}

static void restore__rewriting_fails__the_object_is_served_all_the_same(void **state)
{
    (void)state;
    for (u64 nth = 1; nth < 40; nth++) {
        bytes_of("0001")[20] ^= 4;
        fixture_reopen(&fixture);
        struct snapper_view *view;
        u8 found[SIZE], expected[SIZE];
        size_t restored;
        assert_int_equal(view_open(fixture.snapper, copied.text, &view), OK);
        ram_store_fail(fixture.ram, nth, ERR_IO, false);
        enum status status = view_restore(view, found, SIZE, 1, &restored);
        ram_store_fail(fixture.ram, 0, OK, false);
        fill_content(expected, SIZE, 2);
        if (status == OK)
            assert_memory_equal(found, expected, SIZE);
        else
            assert_int_equal(status,
                             ERR_INTEGRITY); /* the sibling failed in this moment */
        view_close(view);
        read_all();
        assert_whole("0001", 1);
    }
}

/* A repaired file's rc is a guess, so nothing may vouch for it. */
static void restore__settled_before__counts_are_right_after_settling_again(void **state)
{
    (void)state;
    u64 changed;

    for (int i = 0; i < 2; i++)
        commit_pages(&fixture, 0, PAGES, SIZE, 1, NULL);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    bytes_of("0001")[20] ^= 4;
    read_all();
    assert_whole("0001", 1);
    assert_false(snapper_is_settled(fixture.snapper));
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_int_equal(changed, 1);
    assert_tree_is_sound(fixture.ram, true);
}

static bool stop(void *context)
{
    (void)context;
    return false;
}

static void restore__settling_stopped_behind_it__counts_are_right_in_the_end(void **state)
{
    (void)state;
    struct snapper_pace pace = { stop, NULL };
    u64 changed;

    for (int i = 0; i < 2; i++)
        commit_pages(&fixture, 0, 100, SIZE, 1, NULL);
    assert_int_equal(snapper_settle_paced(fixture.snapper, &pace, &changed),
                     ERR_INTERRUPTED);
    assert_int_equal(bytes_of("0001")[5], 3);
    bytes_of("0001")[20] ^= 4;
    assert_pages(&fixture, copied.text, 0, PAGES, SIZE, 1);
    assert_whole("0001", 1);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_tree_is_sound(fixture.ram, true);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(restore__flipped_truncated_or_missing_copy__is_rewritten),
        TEST(restore__file_of_unknown_version__is_not_touched),
        TEST(restore__store_is_read_only__rewrites_nothing),
        TEST(restore__no_good_copy__leaves_both_as_they_are),
        TEST(restore__rewriting_fails__the_object_is_served_all_the_same),
        TEST(restore__settling_stopped_behind_it__counts_are_right_in_the_end),
        TEST(restore__settled_before__counts_are_right_after_settling_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
