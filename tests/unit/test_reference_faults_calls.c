/*
 * The faults that were found in the original program, each tried on this one: those of calls and states.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 64 };
#define NOON 1795246200000000ULL

static struct fixture fixture;
static struct snapper_commit_report commit;
static struct snapper_cleanup_report cleaned;

static int set_up(void **state)
{
    (void)state;
    port_host_set_time(NOON);
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

static struct generation_name make(size_t count, u64 seed)
{
    return commit_pages(&fixture, 0, count, SIZE, seed, &commit);
}

static void open_and_clean(void)
{
    fixture_reopen(&fixture);
    assert_int_equal(snapper_cleanup(fixture.snapper, &cleaned), OK);
    if (open_generation(fixture.snapper, NULL) == OK)
        assert_int_equal(close_generation(fixture.snapper), OK);
}

static enum status read_object(const char *name, u64 id, u8 *found)
{
    struct snapper_view *view;
    size_t restored;

    enum status status = view_open(fixture.snapper, name, &view);
    if (status != OK)
        return status;
    status = view_restore(view, found, SIZE, id, &restored);
    view_close(view);
    return status;
}

static void fault_16__failed_init_and_open__leave_the_session_usable(void **state)
{
    (void)state;
    u8 found[SIZE];
    size_t restored;

    assert_int_equal(open_generation(fixture.snapper, NULL), ERR_NOT_FOUND);
    assert_int_equal(restore(fixture.snapper, found, SIZE, 0, &restored),
                     ERR_INVALID_STATE);
    assert_int_equal(init_snapshot(fixture.snapper, "nothing"), ERR_NOT_FOUND);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &commit), ERR_INVALID_STATE);
    make(1, 1);
}

static void fault_18__same_object_taken_twice__is_one_file_with_count_one(void **state)
{
    (void)state;
    u8 pages[2][SIZE] = { "first", "second" };

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, pages[0], SIZE, 4), OK);
    assert_int_equal(take_snapshot(fixture.snapper, pages[1], SIZE, 4), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &commit), OK);
    assert_int_equal(commit.files_written, 1);
    assert_tree_is_sound(fixture.ram, true);
}

static void fault_19__page_of_no_bytes__is_unchanged_and_restorable(void **state)
{
    (void)state;
    u8 found[SIZE];

    for (int i = 0; i < 2; i++) {
        assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
        assert_int_equal(take_snapshot(fixture.snapper, NULL, 0, 4), OK);
        assert_int_equal(commit_snapshot(fixture.snapper, NULL, &commit), OK);
    }
    assert_int_equal(commit.files_written, 0);
    assert_int_equal(read_object(commit.name.text, 4, found), OK);
}

static void fault_20__buffer_larger_than_the_page__gets_the_page(void **state)
{
    (void)state;
    struct generation_name name = commit_pages(&fixture, 0, 1, SIZE - 20, 1, NULL);
    u8 found[SIZE], expected[SIZE - 20];

    fill_content(expected, sizeof expected, 1);
    assert_int_equal(read_object(name.text, 0, found), OK);
    assert_memory_equal(found, expected, sizeof expected);
}

static void fault_21__generation_without_pages__stays(void **state)
{
    (void)state;
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &commit), OK);
    open_and_clean();
    assert_string_equal(snapper_current(fixture.snapper).text, commit.name.text);
}

static void
fault_24__snapshot_after_a_restart_on_a_named_base__writes_what_changed(void **state)
{
    (void)state;
    static u8 pages[20][SIZE];
    struct generation_name name = make(20, 1);

    fixture_reopen(&fixture);
    assert_int_equal(init_snapshot(fixture.snapper, name.text), OK);
    for (u64 i = 0; i < 20; i++) {
        fill_content(pages[i], SIZE, i == 3 ? 77 : 1 + i);
        assert_int_equal(take_snapshot(fixture.snapper, pages[i], SIZE, i), OK);
    }
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &commit), OK);
    assert_int_equal(commit.files_written, 1);
}

static void fault_25__take_after_a_failed_init__changes_nothing(void **state)
{
    (void)state;
    static const u8 page[SIZE];

    make(1, 1);
    u64 operations = ram_store_counters(fixture.ram)->operations;
    assert_int_equal(init_snapshot(fixture.snapper, "nothing"), ERR_NOT_FOUND);
    assert_int_equal(take_snapshot(fixture.snapper, page, SIZE, 0), ERR_INVALID_STATE);
    assert_int_equal(ram_store_counters(fixture.ram)->operations, operations);
}

static void fault_27__payload_beyond_bufsize__is_refused(void **state)
{
    (void)state;
    static const u8 page[SIZE];

    fixture.config.bufsize = SIZE - 1;
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, page, SIZE, 0), ERR_TOO_LARGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fault_16__failed_init_and_open__leave_the_session_usable),
        TEST(fault_18__same_object_taken_twice__is_one_file_with_count_one),
        TEST(fault_19__page_of_no_bytes__is_unchanged_and_restorable),
        TEST(fault_20__buffer_larger_than_the_page__gets_the_page),
        TEST(fault_21__generation_without_pages__stays),
        TEST(fault_24__snapshot_after_a_restart_on_a_named_base__writes_what_changed),
        TEST(fault_25__take_after_a_failed_init__changes_nothing),
        TEST(fault_27__payload_beyond_bufsize__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
