/*
 * Archives out and in: a generation that was lost with its archive is whole again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/retention.h"
#include "snapper/transfer.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 64 };

static struct fixture fixture;
static struct generation_name first, second, third;
static u8 *raw;
static size_t size;

static int set_up(void **state)
{
    (void)state;
    port_host_set_time(1795246200000000);
    fixture_open(&fixture, NULL, 1);
    first = commit_pages(&fixture, 0, 20, SIZE, 1, NULL);
    second = commit_pages(&fixture, 0, 5, SIZE, 2, NULL);
    third = commit_pages(&fixture, 0, 20, SIZE, 3, NULL);
    bool good;
    assert_int_equal(
        snapper_archive_save(fixture.snapper, second.text, &raw, &size, &good), OK);
    assert_true(good);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    port_free(raw);
    fixture_close(&fixture);
    port_host_set_time(0);
    return 0;
}

static char *archive_path(const struct generation_name *name)
{
    static char path[100];

    snprintf(path, sizeof path, "/snapper/%s/archive", name->text);
    return path;
}

static enum status restore_second(void)
{
    struct generation_name name;

    enum status status = snapper_archive_restore(fixture.snapper, raw, size, &name);
    if (status == OK)
        assert_string_equal(name.text, second.text);
    return status;
}

static void
archive_restore__archive_was_damaged__all_is_back_and_purge_works(void **state)
{
    (void)state;
    struct snapper_purge_report purged;
    size_t length;

    ram_store_bytes(fixture.ram, archive_path(&second), &length)[9] ^= 1;
    fixture_reopen(&fixture);
    assert_int_equal(purge(fixture.snapper, first.text, &purged), ERR_PURGE_DENIED);
    assert_int_equal(restore_second(), OK);
    fixture_crash(&fixture);
    assert_pages(&fixture, second.text, 0, 5, SIZE, 2);
    assert_pages(&fixture, second.text, 5, 15, SIZE, 1);
    assert_int_equal(purge(fixture.snapper, first.text, &purged), OK);
    assert_int_equal(purged.files, 5);
    assert_pages(&fixture, second.text, 5, 15, SIZE, 1);
    assert_tree_is_sound(fixture.ram, false);
}

static void archive_restore__archive_was_deleted_by_hand__is_back(void **state)
{
    (void)state;
    ram_store_remove(fixture.ram, archive_path(&second));
    fixture_reopen(&fixture);
    assert_int_equal(snapper_generation_count(fixture.snapper), 2);
    assert_int_equal(restore_second(), OK);
    assert_int_equal(snapper_generation_count(fixture.snapper), 3);
    assert_pages(&fixture, second.text, 0, 5, SIZE, 2);
}

static void archive_restore__files_are_gone__changes_nothing(void **state)
{
    (void)state;
    struct snapper_purge_report purged;

    assert_int_equal(purge(fixture.snapper, second.text, &purged), OK);
    assert_int_equal(restore_second(), ERR_INTEGRITY);
    assert_false(ram_store_exists(fixture.ram, archive_path(&second)));
}

static void archive_restore__wrong_bytes_or_place__is_refused(void **state)
{
    (void)state;
    struct generation_name name;
    u8 *other;
    size_t length;
    bool good;

    assert_int_equal(restore_second(), OK); /* the very same is there */
    assert_int_equal(
        snapper_archive_save(fixture.snapper, third.text, &other, &length, &good), OK);
    ram_store_put(fixture.ram, archive_path(&third), "x", 1);
    fixture_reopen(&fixture);
    other[length / 2] ^= 1;
    assert_int_equal(snapper_archive_restore(fixture.snapper, other, length, &name),
                     ERR_CORRUPT);
    other[length / 2] ^= 1;
    assert_int_equal(snapper_archive_restore(fixture.snapper, other, length, &name), OK);
    assert_pages(&fixture, third.text, 0, 20, SIZE, 3);
    port_free(other);
}

static void archive_restore__any_operation_fails__leaves_it_as_it_was(void **state)
{
    (void)state;
    ram_store_put(fixture.ram, archive_path(&second), "x", 1);
    fixture_reopen(&fixture);
    u64 nth = 0;
    enum status status;
    do {
        ram_store_fail(fixture.ram, ++nth, ERR_IO, false);
        status = restore_second();
        ram_store_fail(fixture.ram, 0, OK, false);
        assert_true(status == OK || status == ERR_IO);
        fixture_crash(&fixture);
    } while (status != OK);
    assert_pages(&fixture, second.text, 5, 15, SIZE, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(archive_restore__archive_was_damaged__all_is_back_and_purge_works),
        TEST(archive_restore__archive_was_deleted_by_hand__is_back),
        TEST(archive_restore__files_are_gone__changes_nothing),
        TEST(archive_restore__wrong_bytes_or_place__is_refused),
        TEST(archive_restore__any_operation_fails__leaves_it_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
