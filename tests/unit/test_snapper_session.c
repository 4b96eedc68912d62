/*
 * The states of a session: what is legal when, and that nothing ever leaves it stuck.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

static struct fixture fixture;
static const u8 page[64] = "page";

static int set_up(void **state)
{
    (void)state;
    port_host_set_time(1795246200000000);
    fixture_open(&fixture, NULL, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&fixture);
    port_host_set_time(0);
    return 0;
}

static void assert_refused_in_creation_calls(struct snapper *snapper)
{
    struct snapper_commit_report report;

    assert_int_equal(take_snapshot(snapper, page, sizeof page, 1), ERR_INVALID_STATE);
    assert_int_equal(forget(snapper, 1), ERR_INVALID_STATE);
    assert_int_equal(commit_snapshot(snapper, NULL, &report), ERR_INVALID_STATE);
    assert_int_equal(abort_snapshot(snapper), ERR_INVALID_STATE);
}

static void assert_refused_dormant_calls(struct snapper *snapper)
{
    struct snapper_cleanup_report report;
    u64 changed;

    assert_int_equal(init_snapshot(snapper, NULL), ERR_INVALID_STATE);
    assert_int_equal(open_generation(snapper, NULL), ERR_INVALID_STATE);
    assert_int_equal(snapper_settle(snapper, &changed), ERR_INVALID_STATE);
    assert_int_equal(snapper_cleanup(snapper, &report), ERR_INVALID_STATE);
}

static void init_snapshot__store_is_read_only__is_refused_at_once(void **state)
{
    (void)state;
    ram_store_set_read_only(fixture.ram, true);
    assert_int_equal(init_snapshot(fixture.snapper, NULL), ERR_READ_ONLY);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    ram_store_set_read_only(fixture.ram, false);
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
}

static void session__dormant__refuses_what_belongs_to_other_states(void **state)
{
    (void)state;
    struct snapper *snapper = fixture.snapper;
    u8 buffer[64];
    size_t restored;

    commit_pages(&fixture, 0, 3, 64, 7, NULL);
    u64 operations = ram_store_counters(fixture.ram)->operations;
    assert_refused_in_creation_calls(snapper);
    assert_int_equal(restore(snapper, buffer, sizeof buffer, 0, &restored),
                     ERR_INVALID_STATE);
    assert_int_equal(close_generation(snapper), ERR_INVALID_STATE);
    assert_int_equal(snapper_state(snapper), SNAPPER_DORMANT);
    assert_int_equal(ram_store_counters(fixture.ram)->operations, operations);
}

static void session__creation__refuses_what_belongs_to_other_states(void **state)
{
    (void)state;
    struct snapper *snapper = fixture.snapper;
    struct snapper_commit_report report;
    u8 buffer[64];
    size_t restored;

    assert_int_equal(init_snapshot(snapper, NULL), OK);
    assert_int_equal(take_snapshot(snapper, page, sizeof page, 1), OK);
    assert_refused_dormant_calls(snapper);
    assert_int_equal(restore(snapper, buffer, sizeof buffer, 1, &restored),
                     ERR_INVALID_STATE);
    assert_int_equal(close_generation(snapper), ERR_INVALID_STATE);
    assert_int_equal(snapper_state(snapper), SNAPPER_CREATION);
    assert_int_equal(commit_snapshot(snapper, NULL, &report), OK);
    assert_int_equal(report.objects, 1);
}

static void session__restoration__refuses_what_belongs_to_other_states(void **state)
{
    (void)state;
    struct snapper *snapper = fixture.snapper;
    u8 buffer[64];
    size_t restored;

    commit_pages(&fixture, 0, 3, 64, 7, NULL);
    assert_int_equal(open_generation(snapper, NULL), OK);
    assert_refused_dormant_calls(snapper);
    assert_refused_in_creation_calls(snapper);
    assert_int_equal(snapper_state(snapper), SNAPPER_RESTORATION);
    assert_int_equal(restore(snapper, buffer, sizeof buffer, 2, &restored), OK);
    assert_int_equal(close_generation(snapper), OK);
    assert_int_equal(snapper_state(snapper), SNAPPER_DORMANT);
}

/* Faults 9 and 16 of the original: no generation left it in Restoration. */
static void open_generation__nothing_there__stays_dormant(void **state)
{
    (void)state;
    struct snapper *snapper = fixture.snapper;

    assert_int_equal(open_generation(snapper, NULL), ERR_NOT_FOUND);
    assert_int_equal(snapper_state(snapper), SNAPPER_DORMANT);
    commit_pages(&fixture, 0, 3, 64, 7, NULL);
    assert_int_equal(open_generation(snapper, "2001-01-01T00:00:00.000000Z"),
                     ERR_NOT_FOUND);
    assert_int_equal(open_generation(snapper, "no name at all"), ERR_NOT_FOUND);
    assert_int_equal(snapper_state(snapper), SNAPPER_DORMANT);
    assert_int_equal(open_generation(snapper, NULL), OK);
}

static void init_snapshot__unknown_base__stays_dormant(void **state)
{
    (void)state;

    assert_int_equal(init_snapshot(fixture.snapper, "2001-01-01T00:00:00.000000Z"),
                     ERR_NOT_FOUND);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    commit_pages(&fixture, 0, 1, 64, 7, NULL);
}

static void
take_snapshot__payload_above_bufsize__is_refused_and_the_rest_kept(void **state)
{
    (void)state;
    struct snapper_commit_report report;

    fixture.config.bufsize = 32;
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, page, 32, 1), OK);
    assert_int_equal(take_snapshot(fixture.snapper, page, 33, 2), ERR_TOO_LARGE);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    assert_int_equal(report.objects, 1);
}

/* Fault 18: twice the same id wrote two files. */
static void take_snapshot__same_id_twice__the_last_content_counts_once(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    struct snapper_view *view;
    u8 other[64] = "another", found[64];
    size_t restored;

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, page, sizeof page, 1), OK);
    assert_int_equal(take_snapshot(fixture.snapper, other, sizeof other, 1), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    assert_int_equal(report.files_written, 1);
    assert_int_equal(view_open(fixture.snapper, NULL, &view), OK);
    assert_int_equal(view_restore(view, found, sizeof found, 1, &restored), OK);
    assert_memory_equal(found, other, sizeof other);
    view_close(view);
}

static void forget__taken_in_the_same_step__is_not_listed(void **state)
{
    (void)state;
    struct snapper_commit_report report;

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, page, sizeof page, 1), OK);
    assert_int_equal(forget(fixture.snapper, 1), OK);
    assert_int_equal(forget(fixture.snapper, 1), ERR_NOT_FOUND);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    assert_int_equal(report.objects, 0);
    assert_int_equal(report.files_written, 0);
}

/* Faults 15 and 19: no pages at all, and pages of no bytes. */
static void commit_snapshot__nothing_taken__is_a_generation(void **state)
{
    (void)state;
    struct snapper_commit_report report;

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, "empty", &report), OK);
    fixture_reopen(&fixture);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_string_equal(snapper_current(fixture.snapper).text, report.name.text);
    assert_int_equal(close_generation(fixture.snapper), OK);
}

static void restore__object_of_no_bytes__is_there(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    u8 buffer[1] = { 0xA5 };
    size_t restored = 9;

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, NULL, 0, 5), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, NULL, 0, 5), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    assert_int_equal(report.unchanged, 1);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_int_equal(restore(fixture.snapper, buffer, 0, 5, &restored), OK);
    assert_int_equal(restored, 0);
    assert_int_equal(buffer[0], 0xA5);
    assert_int_equal(close_generation(fixture.snapper), OK);
}

/* Fault 20: a larger buffer came back as zeros. */
static void restore__buffer_of_another_size__is_filled_or_refused_whole(void **state)
{
    (void)state;
    u8 expected[64], buffer[100];
    size_t restored;

    commit_pages(&fixture, 9, 1, 64, 7, NULL);
    fill_content(expected, sizeof expected, 7 + 9);
    memset(buffer, 0xA5, sizeof buffer);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_int_equal(restore(fixture.snapper, buffer, 63, 9, &restored),
                     ERR_BUFFER_TOO_SMALL);
    assert_int_equal(buffer[0], 0xA5);
    assert_int_equal(restore(fixture.snapper, buffer, 100, 9, &restored), OK);
    assert_int_equal(restored, 64);
    assert_memory_equal(buffer, expected, 64);
    assert_int_equal(buffer[64], 0xA5);
    assert_int_equal(restore(fixture.snapper, buffer, 100, 8, &restored), ERR_NOT_FOUND);
    assert_int_equal(close_generation(fixture.snapper), OK);
}

static void commit_snapshot__description_with_control_bytes__stays_readable(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    struct snapper_generation_info info;

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, "two\nlines\x7f", &report), OK);
    assert_int_equal(snapper_generation_info(fixture.snapper, 0, &info), OK);
    assert_int_equal(info.status, OK);
    assert_string_equal(info.description, "two?lines?");
}

static void session__verbose__logs_each_step(void **state)
{
    (void)state;
    u64 changed;

    port_host_clear_log();
    commit_pages(&fixture, 0, 3, 64, 7, NULL);
    assert_false(port_host_logged("committed"));
    fixture.config.verbose = true;
    commit_pages(&fixture, 0, 3, 64, 8, NULL);
    assert_true(port_host_logged("a snapshot begins, based on 2026"));
    assert_true(port_host_logged("committed: 3 objects, 3 files"));
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_true(port_host_logged("opened: 3 objects in 1 runs"));
    assert_int_equal(close_generation(fixture.snapper), OK);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_true(port_host_logged("settled"));
}

static void commit_snapshot__description_too_long__is_refused_and_dormant(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    char text[300];

    memset(text, 'x', sizeof text);
    text[256] = '\0';
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, text, &report), ERR_TOO_LARGE);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    assert_int_equal(snapper_generation_count(fixture.snapper), 0);
    text[255] = '\0';
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, text, &report), OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(init_snapshot__store_is_read_only__is_refused_at_once),
        TEST(session__dormant__refuses_what_belongs_to_other_states),
        TEST(session__creation__refuses_what_belongs_to_other_states),
        TEST(session__restoration__refuses_what_belongs_to_other_states),
        TEST(open_generation__nothing_there__stays_dormant),
        TEST(init_snapshot__unknown_base__stays_dormant),
        TEST(take_snapshot__payload_above_bufsize__is_refused_and_the_rest_kept),
        TEST(take_snapshot__same_id_twice__the_last_content_counts_once),
        TEST(forget__taken_in_the_same_step__is_not_listed),
        TEST(commit_snapshot__nothing_taken__is_a_generation),
        TEST(restore__object_of_no_bytes__is_there),
        TEST(restore__buffer_of_another_size__is_filled_or_refused_whole),
        TEST(commit_snapshot__description_with_control_bytes__stays_readable),
        TEST(session__verbose__logs_each_step),
        TEST(commit_snapshot__description_too_long__is_refused_and_dormant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
