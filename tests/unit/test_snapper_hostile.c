/*
 * Images that lie, and what may never come of it: a crash, a hang, a deletion, the wrong generation.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/archive.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 64, NODES = 100000 };

static struct fixture fixture;
static struct generation_name first, second, third;

static int set_up(void **state)
{
    (void)state;
    struct ram_limits limits = { .total_nodes = NODES };

    port_host_set_time(1795246200000000);
    fixture_open(&fixture, &limits, 1);
    first = commit_pages(&fixture, 0, 9, SIZE, 1, NULL);
    second = commit_pages(&fixture, 0, 5, SIZE, 2, NULL);
    third = commit_pages(&fixture, 0, 3, SIZE, 3, NULL);
    port_host_clear_log();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&fixture);
    port_host_set_time(0);
    return 0;
}

static const char *archive_path(const struct generation_name *name)
{
    static char path[100];

    snprintf(path, sizeof path, "/snapper/%s/archive", name->text);
    return path;
}

static void flip_archive(const struct generation_name *name)
{
    size_t size;
    u8 *bytes = ram_store_bytes(fixture.ram, archive_path(name), &size);

    assert_non_null(bytes);
    bytes[size - 1] ^= 1;
    fixture_reopen(&fixture);
}

static void set_record(const char *text)
{
    ram_store_put(fixture.ram, "/snapper.state", text, strlen(text));
    fixture_reopen(&fixture);
}

/* Replaces the archive of the third generation by one that says this. */
static void forge_third(const struct archive_run *run, u32 threshold_of_first)
{
    struct archive_generation table[] = { { third, 100 }, { first, threshold_of_first } };
    struct archive_run runs[] = { *run };
    struct archive archive = {
        .generations = table,
        .generation_count = 2,
        .runs = runs,
        .run_count = 1,
        .objects = run->count,
        .files_written = 3,
    };
    size_t size;
    u8 *raw;

    assert_int_equal(archive_encode(&archive, &raw, &size), OK);
    ram_store_put(fixture.ram, archive_path(&third), raw, size);
    port_free(raw);
    fixture_reopen(&fixture);
}

static void open_generation__more_files_than_inodes__is_refused_at_once(void **state)
{
    (void)state;
    struct snapper_view *view;
    struct archive_run run = { .count = 4000000000u, .generation = 1, .age = 1 };

    forge_third(&run, 100);
    assert_int_equal(view_open(fixture.snapper, third.text, &view), ERR_CORRUPT);
    assert_true(port_host_logged(third.text));
    assert_int_equal(open_generation(fixture.snapper, NULL), ERR_INTEGRITY);
}

static void open_generation__ordinals_beyond_all_inodes__is_refused_at_once(void **state)
{
    (void)state;
    struct snapper_view *view;
    struct archive_run run = {
        .count = 1, .generation = 1, .first_ordinal = 4000000000u, .age = 1
    };
    u64 changed;

    forge_third(&run, 100);
    assert_int_equal(view_open(fixture.snapper, third.text, &view), ERR_CORRUPT);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), ERR_CORRUPT);
}

/* Whichever is read first must not decide where the other's files are looked for. */
static void
view_open__archives_disagree_about_a_threshold__the_owner_is_believed(void **state)
{
    (void)state;
    struct snapper_view *view;
    struct archive_run run = {
        .count = 1, .generation = 1, .object_size = SIZE, .age = 1
    };

    forge_third(&run, 7);
    assert_int_equal(view_open(fixture.snapper, third.text, &view), OK);
    view_close(view);
    assert_pages(&fixture, first.text, 0, 9, SIZE, 1);
    assert_int_equal(view_open(fixture.snapper, third.text, &view), ERR_CORRUPT);
}

static void snapper_open__state_is_rubbish__is_ignored(void **state)
{
    (void)state;
    set_record("\1\2\3 = = =\npin = \xff\nwriting\n");
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_string_equal(snapper_current(fixture.snapper).text, third.text);
}

static void snapper_open__state_cannot_be_read__goes_on_without(void **state)
{
    (void)state;
    ram_store_remove(fixture.ram, "/snapper.state");
    ram_store_put(fixture.ram, "/snapper.state/child", "x", 1);
    port_host_clear_log();
    fixture_reopen(&fixture);
    assert_true(port_host_logged("/snapper.state"));
    assert_int_equal(snapper_generation_count(fixture.snapper), 3);
}

static void snapper_open__home_is_a_file__is_refused_with_a_line(void **state)
{
    (void)state;
    struct ram_store *ram = ram_store_create(NULL, 1);
    struct snapper *snapper;

    ram_store_put(ram, "/snapper", "file", 4);
    assert_int_equal(snapper_open(ram_store_store(ram), &fixture.config, &snapper),
                     ERR_NOT_DIRECTORY);
    assert_true(port_host_logged("/snapper"));
    ram_store_destroy(ram);
}

static void open_generation__target_is_gone__stops_or_takes_the_newest(void **state)
{
    (void)state;
    set_record("target = 2026-11-21T07:00:00.000000Z\n");
    assert_int_equal(open_generation(fixture.snapper, NULL), ERR_INTEGRITY);
    assert_true(port_host_logged("2026-11-21T07:00:00.000000Z"));
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    fixture.config.integrity = false;
    assert_int_equal(open_generation(fixture.snapper, NULL), ERR_NOT_FOUND);
    set_record("target = 2026-11-21T08:00:00.000000Z\n");
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_string_equal(snapper_current(fixture.snapper).text, third.text);
}

static void open_generation__target_damaged__stops_or_takes_the_next_older(void **state)
{
    (void)state;
    char record[100];

    snprintf(record, sizeof record, "target = %s\n", second.text);
    set_record(record);
    flip_archive(&second);
    assert_int_equal(open_generation(fixture.snapper, NULL), ERR_INTEGRITY);
    fixture.config.integrity = false;
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_string_equal(snapper_current(fixture.snapper).text, first.text);
}

static void open_generation__newest_damaged__stops_or_takes_the_next_older(void **state)
{
    (void)state;
    flip_archive(&third);
    assert_int_equal(open_generation(fixture.snapper, NULL), ERR_INTEGRITY);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    assert_true(port_host_logged(third.text));
    assert_true(port_host_logged("snapper.integrity=false"));
    fixture.config.integrity = false;
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_string_equal(snapper_current(fixture.snapper).text, second.text);
}

/* Fault 9: whatever could not be read was deleted. */
static void session__damaged_and_foreign_things__are_left_alone(void **state)
{
    (void)state;
    struct snapper_cleanup_report report;
    struct snapper_generation_info info;
    u64 changed;

    ram_store_put(fixture.ram, "/snapper/lost+found", NULL, 0);
    ram_store_put(fixture.ram, "/snapper/2025-06-15 15:06:40/archive", "\2rest", 5);
    ram_store_put(fixture.ram, "/snapper/notes.txt", "keep", 4);
    flip_archive(&second);
    fixture.config.integrity = false;
    assert_int_equal(snapper_cleanup(fixture.snapper, &report), OK);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_int_equal(close_generation(fixture.snapper), OK);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), ERR_CORRUPT);
    commit_pages(&fixture, 0, 1, SIZE, 9, NULL);
    assert_int_equal(snapper_generation_count(fixture.snapper), 4);
    assert_int_equal(snapper_generation_info(fixture.snapper, 1, &info), OK);
    assert_int_equal(info.status, ERR_CORRUPT);
    assert_true(ram_store_exists(fixture.ram, archive_path(&second)));
    assert_true(ram_store_exists(fixture.ram, "/snapper/lost+found"));
    assert_true(ram_store_exists(fixture.ram, "/snapper/2025-06-15 15:06:40/archive"));
    assert_true(ram_store_exists(fixture.ram, "/snapper/notes.txt"));
    assert_pages(&fixture, first.text, 0, 9, SIZE, 1);
}

/* Spec 4.6: the unreadable one may list what nobody else does. */
static void cleanup__an_archive_is_unreadable__deletes_nothing(void **state)
{
    (void)state;
    static const char orphan[] = "/snapper/2026-01-01T00:00:00.000001Z/snapshot/0000";
    struct snapper_cleanup_report report;

    ram_store_put(fixture.ram, orphan, "\2xxxx\1y", 7);
    set_record("writing = 2026-01-01T00:00:00.000001Z\n");
    flip_archive(&first);
    assert_int_equal(snapper_cleanup(fixture.snapper, &report), ERR_PURGE_DENIED);
    assert_true(port_host_logged(first.text));
    assert_true(ram_store_exists(fixture.ram, orphan));
    flip_archive(&first);
    assert_int_equal(snapper_cleanup(fixture.snapper, &report), OK);
    assert_int_equal(report.files, 1);
    assert_false(ram_store_exists(fixture.ram, orphan));
}

/* Files that are not Snapper's stay, and with them the directory. */
static void cleanup__foreign_file_in_an_incomplete_generation__stays(void **state)
{
    (void)state;
    struct snapper_cleanup_report report;

    ram_store_put(fixture.ram, "/snapper/2026-01-01T00:00:00.000001Z/snapshot/0000", "x",
                  1);
    ram_store_put(fixture.ram, "/snapper/2026-01-01T00:00:00.000001Z/snapshot/README",
                  "x", 1);
    set_record("writing = 2026-01-01T00:00:00.000001Z\n");
    assert_int_equal(snapper_cleanup(fixture.snapper, &report), OK);
    assert_false(ram_store_exists(fixture.ram,
                                  "/snapper/2026-01-01T00:00:00.000001Z/snapshot/0000"));
    assert_true(ram_store_exists(fixture.ram,
                                 "/snapper/2026-01-01T00:00:00.000001Z/snapshot/README"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(open_generation__more_files_than_inodes__is_refused_at_once),
        TEST(open_generation__ordinals_beyond_all_inodes__is_refused_at_once),
        TEST(view_open__archives_disagree_about_a_threshold__the_owner_is_believed),
        TEST(snapper_open__state_is_rubbish__is_ignored),
        TEST(snapper_open__state_cannot_be_read__goes_on_without),
        TEST(snapper_open__home_is_a_file__is_refused_with_a_line),
        TEST(open_generation__target_is_gone__stops_or_takes_the_newest),
        TEST(open_generation__target_damaged__stops_or_takes_the_next_older),
        TEST(open_generation__newest_damaged__stops_or_takes_the_next_older),
        TEST(session__damaged_and_foreign_things__are_left_alone),
        TEST(cleanup__an_archive_is_unreadable__deletes_nothing),
        TEST(cleanup__foreign_file_in_an_incomplete_generation__stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
