/*
 * What a generation holds and how often: equal checksums, chains of directories, copies, damage,
 * reference counts, names. Each case on a small history made for it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/base/crc.h"
#include "kernel/base/string.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 64 };
#define NOON 1795246200000000ULL

static struct fixture fixture;

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

static u8 *file_of(const struct generation_name *name, const char *file, size_t *size)
{
    char path[256];

    snprintf(path, sizeof path, "/snapper/%s/snapshot/%s", name->text, file);
    u8 *bytes = ram_store_bytes(fixture.ram, path, size);
    assert_non_null(bytes);
    return bytes;
}

/* The same pages again, as long as `times` says: their files grow old. */
static struct generation_name repeat(u64 first, size_t count, u64 seed, int times)
{
    struct generation_name name = { 0 };

    while (times-- > 0)
        name = commit_pages(&fixture, first, count, SIZE, seed, NULL);
    return name;
}

/* Fault 8: equal checksums passed for equal pages. */
static void take_snapshot__other_bytes_with_the_same_crc__are_saved(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    struct snapper_view *view;
    u8 original[SIZE], forged[SIZE], found[SIZE];
    size_t restored;

    commit_pages(&fixture, 3, 1, SIZE, 10, NULL);
    fill_content(original, SIZE, 13);
    memcpy(forged, original, SIZE);
    forged[7] ^= 0x40;
    forge_crc(forged, SIZE, crc32(original, SIZE));
    assert_memory_not_equal(forged, original, SIZE);

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, forged, SIZE, 3), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    assert_int_equal(report.files_written, 1);
    assert_int_equal(view_open(fixture.snapper, NULL, &view), OK);
    assert_int_equal(view_restore(view, found, SIZE, 3, &restored), OK);
    assert_memory_equal(found, forged, SIZE);
    view_close(view);
}

/* Fault 21 of section 7: an unchanged page cost a rewrite of its file. */
static void take_snapshot__unchanged_pages__write_no_file(void **state)
{
    (void)state;
    struct snapper_commit_report report;

    commit_pages(&fixture, 0, 100, SIZE, 1, NULL);
    struct ram_counters before = *ram_store_counters(fixture.ram);
    commit_pages(&fixture, 0, 100, SIZE, 1, &report);
    struct ram_counters after = *ram_store_counters(fixture.ram);
    assert_int_equal(report.unchanged, 100);
    assert_int_equal(report.files_written, 0);
    assert_int_equal(after.files_created, before.files_created);
    assert_int_equal(after.pokes, before.pokes);
    assert_true(after.bytes_written - before.bytes_written < 200);
}

/* Fault 10: 4,499 pages and not one more. */
static void
commit__ten_thousand_pages_with_threshold_100__fill_a_hundred_levels(void **state)
{
    (void)state;
    struct generation_name name = commit_pages(&fixture, 0, 10000, 8, 1, NULL);
    char path[1024];
    size_t at = (size_t)snprintf(path, sizeof path, "/snapper/%s/snapshot", name.text);

    for (int level = 1; level < 100; level++)
        at += (size_t)snprintf(path + at, sizeof path - at, "/ext");
    snprintf(path + at, sizeof path - at, "/0063");
    assert_true(ram_store_exists(fixture.ram, path));
    snprintf(path + at, sizeof path - at, "/ext");
    assert_false(ram_store_exists(fixture.ram, path));
    snprintf(path + at, sizeof path - at, "/0064");
    assert_false(ram_store_exists(fixture.ram, path));
    fixture_reopen(&fixture);
    assert_pages(&fixture, name.text, 0, 10000, 8, 1);
}

static void commit__threshold_changed__old_and_new_files_are_found(void **state)
{
    (void)state;
    fixture.config.threshold = 7;
    struct generation_name old = commit_pages(&fixture, 0, 50, SIZE, 1, NULL);
    fixture.config.threshold = 3;
    struct generation_name young = commit_pages(&fixture, 25, 50, SIZE, 2, NULL);
    fixture_reopen(&fixture);
    assert_pages(&fixture, old.text, 0, 50, SIZE, 1);
    assert_pages(&fixture, young.text, 0, 25, SIZE, 1);
    assert_pages(&fixture, young.text, 25, 50, SIZE, 2);
}

static void commit__redundancy_reached__makes_one_copy_listed_first(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    size_t size;

    fixture.config.redundancy = 3;
    repeat(0, 4, 1, 3);
    struct generation_name copied = commit_pages(&fixture, 0, 4, SIZE, 1, &report);
    assert_int_equal(report.copies, 4);
    u8 *file = file_of(&copied, "0000", &size);
    assert_int_equal(size, SIZE + 6);
    assert_int_equal(file[5], 1);
    for (int i = 0; i < 6; i++) {
        commit_pages(&fixture, 0, 4, SIZE, 1, &report);
        assert_int_equal(report.copies, 0);
    }
}

static void commit__copy_budget__spreads_copies_over_generations(void **state)
{
    (void)state;
    struct snapper_commit_report report;

    fixture.config.redundancy = 1;
    fixture.config.copy_budget = 3;
    repeat(0, 8, 1, 1);
    for (u64 left = 8; left > 0; left -= report.copies) {
        commit_pages(&fixture, 0, 8, SIZE, 1, &report);
        assert_int_equal(report.copies, left < 3 ? left : 3);
    }
    commit_pages(&fixture, 0, 8, SIZE, 1, &report);
    assert_int_equal(report.copies, 0);
}

static void commit__redundancy_off__makes_no_copies(void **state)
{
    (void)state;
    struct snapper_commit_report report;

    fixture.config.redundancy = 0;
    repeat(0, 4, 1, 8);
    commit_pages(&fixture, 0, 4, SIZE, 1, &report);
    assert_int_equal(report.copies, 0);
}

/* Faults 3 and 5: a damaged copy came back as zeros, and spoiled a good one. */
static void restore__first_copy_damaged__the_second_serves(void **state)
{
    (void)state;
    size_t size;

    fixture.config.redundancy = 2;
    repeat(0, 4, 1, 2);
    struct generation_name copied = repeat(0, 4, 1, 1);
    file_of(&copied, "0001", &size)[6] ^= 1; /* a bit of the data */
    file_of(&copied, "0002", &size)[1] ^= 1; /* of the checksum */
    file_of(&copied, "0003", &size)[0] = 3;  /* another version */
    fixture_reopen(&fixture);
    port_host_clear_log();
    assert_pages(&fixture, copied.text, 0, 4, SIZE, 1);
    assert_true(port_host_logged("file 0001"));
    assert_true(port_host_logged("file 0002"));
    assert_true(port_host_logged("file 0003"));
}

static void restore__no_good_copy__is_an_error_and_writes_nothing(void **state)
{
    (void)state;
    struct generation_name name = repeat(0, 2, 1, 1);
    struct snapper_view *view;
    u8 found[SIZE];
    size_t size, restored;

    file_of(&name, "0001", &size)[SIZE + 5] ^= 0x80;
    fixture_reopen(&fixture);
    memset(found, 0xA5, sizeof found);
    assert_int_equal(view_open(fixture.snapper, name.text, &view), OK);
    assert_int_equal(view_restore(view, found, SIZE, 1, &restored), ERR_INTEGRITY);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(found[i], 0xA5);
    assert_int_equal(view_restore(view, found, SIZE, 0, &restored), OK);
    view_close(view);
}

/* Spec 2: one checksum over the crc fields of a run finds a file that was misdirected. */
static void restore__valid_file_in_the_place_of_another__is_found_out(void **state)
{
    (void)state;
    struct generation_name name = repeat(0, 4, 1, 1);
    struct snapper_view *view;
    u8 found[SIZE];
    size_t size, restored;

    memcpy(file_of(&name, "0001", &size), file_of(&name, "0002", &size), SIZE + 6);
    fixture_reopen(&fixture);
    port_host_clear_log();
    assert_int_equal(view_open(fixture.snapper, name.text, &view), OK);
    for (u64 id = 0; id < 3; id++)
        assert_int_equal(view_restore(view, found, SIZE, id, &restored), OK);
    assert_int_equal(view_restore(view, found, SIZE, 3, &restored), ERR_INTEGRITY);
    assert_int_equal(view_restore(view, found, SIZE, 1, &restored), ERR_INTEGRITY);
    assert_true(port_host_logged("not those that were saved"));
    view_close(view);
}

/* A page that is lost must not take its neighbours with it, generations later. */
static void
commit__carries_a_file_that_comes_back_later__the_others_stay_good(void **state)
{
    (void)state;
    struct generation_name name = repeat(0, 6, 1, 1);
    struct snapper_view *view;
    u8 found[SIZE];
    size_t size, restored;

    file_of(&name, "0002", &size)[0] = 9;
    fixture_reopen(&fixture);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_int_equal(close_generation(fixture.snapper), OK);
    struct generation_name later = commit_pages(&fixture, 5, 1, SIZE, 9, NULL);
    file_of(&name, "0002", &size)[0] = 2;
    fixture_reopen(&fixture);
    assert_int_equal(view_open(fixture.snapper, later.text, &view), OK);
    for (u64 id = 0; id < 6; id++)
        if (id != 2)
            assert_int_equal(view_restore(view, found, SIZE, id, &restored), OK);
    view_close(view);
    assert_pages(&fixture, name.text, 0, 6, SIZE, 1);
}

/* After a resume that read every page, the next generation must not read them all again. */
static void commit__one_page_after_reading_all__reads_no_file(void **state)
{
    (void)state;
    u8 found[SIZE];
    size_t restored;

    repeat(0, 500, 1, 1);
    fixture_reopen(&fixture);
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    for (u64 id = 0; id < 500; id++)
        assert_int_equal(restore(fixture.snapper, found, SIZE, id, &restored), OK);
    assert_int_equal(close_generation(fixture.snapper), OK);
    u64 reads = ram_store_counters(fixture.ram)->reads;
    commit_pages(&fixture, 77, 1, SIZE, 9, NULL);
    assert_int_equal(ram_store_counters(fixture.ram)->reads, reads);
}

static void take_snapshot__stored_copy_damaged__counts_as_changed(void **state)
{
    (void)state;
    struct snapper_commit_report report;
    struct generation_name name = repeat(0, 2, 1, 1);
    size_t size;

    file_of(&name, "0001", &size)[9] ^= 1;
    struct generation_name healed = commit_pages(&fixture, 0, 2, SIZE, 1, &report);
    assert_int_equal(report.unchanged, 1);
    assert_int_equal(report.files_written, 1);
    assert_pages(&fixture, healed.text, 0, 2, SIZE, 1);
}

static void settle__copies_and_carried_files__have_exact_counts(void **state)
{
    (void)state;
    u64 changed;
    size_t size;

    fixture.config.redundancy = 2;
    struct generation_name first = repeat(0, 4, 1, 1);
    repeat(0, 4, 1, 4); /* with a copy in the third */
    assert_false(snapper_is_settled(fixture.snapper));
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_true(changed > 0);
    assert_int_equal(file_of(&first, "0000", &size)[5], 5);
    assert_tree_is_sound(fixture.ram, true);
    assert_true(snapper_is_settled(fixture.snapper));
    fixture_reopen(&fixture);
    assert_true(snapper_is_settled(fixture.snapper));
    u64 reads = ram_store_counters(fixture.ram)->reads;
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_int_equal(changed, 0);
    assert_int_equal(ram_store_counters(fixture.ram)->reads, reads);
}

static bool count_down(void *context)
{
    u32 *questions = context;

    return (*questions)-- > 0;
}

/* Stopped whenever it asks, and in between a generation comes, or the session ends. */
static void settle__stopped_on_the_way__goes_on_and_counts_are_exact(void **state)
{
    (void)state;
    enum { OFTEN = 100, FILES = 300 };
    u32 questions, calls = 0;
    struct snapper_pace pace = { count_down, &questions };
    u64 changed;
    enum status status;

    repeat(0, FILES, 1, 3);
    do {
        questions = 1;
        status = snapper_settle_paced(fixture.snapper, &pace, &changed);
        if (status == ERR_INTERRUPTED)
            assert_false(snapper_is_settled(fixture.snapper));
        if (calls == 1)
            repeat(0, FILES, 2, 1);
        if (calls == 3)
            fixture_reopen(&fixture);
    } while (status == ERR_INTERRUPTED && ++calls < OFTEN);
    assert_int_equal(status, OK);
    assert_true(calls > 4);
    assert_true(snapper_is_settled(fixture.snapper));
    assert_tree_is_sound(fixture.ram, true);
}

/* What was done is not done again. */
static void settle__stopped_on_the_way__costs_no_more_than_at_once(void **state)
{
    (void)state;
    enum { FILES = 300 };
    u32 questions, never = UINT32_MAX;
    struct snapper_pace stops = { count_down, &questions },
                        at_once = { count_down, &never };
    u64 changed;
    enum status status;

    repeat(0, FILES, 1, 2);
    u64 start = ram_store_counters(fixture.ram)->reads;
    assert_int_equal(snapper_settle_paced(fixture.snapper, &at_once, &changed), OK);
    u64 reads = ram_store_counters(fixture.ram)->reads - start;
    assert_int_equal(changed, FILES);

    repeat(0, FILES, 1, 1);
    start = ram_store_counters(fixture.ram)->reads;
    do {
        questions = 1;
        status = snapper_settle_paced(fixture.snapper, &stops, &changed);
    } while (status == ERR_INTERRUPTED);
    assert_int_equal(status, OK);
    assert_int_equal(changed, FILES);
    assert_true(ram_store_counters(fixture.ram)->reads - start <= reads + 8);
    assert_tree_is_sound(fixture.ram, true);
}

/* Fault 17: rc wrapped at 256. */
static void settle__three_hundred_generations__rc_stands_at_255(void **state)
{
    (void)state;
    u64 changed;
    size_t size;

    fixture.config.redundancy = 0;
    struct generation_name first = repeat(0, 1, 1, 300);
    first = (struct generation_name){ "2026-11-21T07:30:00.000000Z" };
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_int_equal(file_of(&first, "0000", &size)[5], 255);
    assert_tree_is_sound(fixture.ram, true);
}

static void commit__clock_stands_or_runs_back__names_ascend(void **state)
{
    (void)state;
    struct generation_name last = repeat(0, 1, 1, 1);

    for (int i = 0; i < 20; i++) {
        port_host_set_time(NOON - (u64)i * 1000000);
        if (i % 5 == 0)
            fixture_reopen(&fixture);
        struct generation_name next = repeat(0, 1, (u64)i, 1);
        assert_true(generation_name_compare(&next, &last) > 0);
        last = next;
    }
}

/* A directory without an archive, and even a file, take their name. */
static void commit__name_taken_by_something_else__is_passed_by(void **state)
{
    (void)state;
    ram_store_put(fixture.ram, "/snapper/2026-11-21T07:30:00.000005Z", NULL, 0);
    fixture_reopen(&fixture);
    assert_string_equal(repeat(0, 1, 1, 1).text, "2026-11-21T07:30:00.000006Z");
    ram_store_put(fixture.ram, "/snapper/2026-11-21T07:30:00.000007Z", "file", 4);
    fixture_reopen(&fixture);
    assert_string_equal(repeat(0, 1, 1, 1).text, "2026-11-21T07:30:00.000008Z");
    assert_true(ram_store_exists(fixture.ram, "/snapper/2026-11-21T07:30:00.000007Z"));
}

static void commit__no_name_left__is_refused_with_a_line(void **state)
{
    (void)state;
    struct snapper_commit_report report;

    ram_store_put(fixture.ram, "/snapper/9999-12-31T23:59:59.999999Z", NULL, 0);
    fixture_reopen(&fixture);
    port_host_clear_log();
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    assert_true(port_host_logged("9999-12-31T23:59:59.999999Z"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(take_snapshot__other_bytes_with_the_same_crc__are_saved),
        TEST(take_snapshot__unchanged_pages__write_no_file),
        TEST(commit__ten_thousand_pages_with_threshold_100__fill_a_hundred_levels),
        TEST(commit__threshold_changed__old_and_new_files_are_found),
        TEST(commit__redundancy_reached__makes_one_copy_listed_first),
        TEST(commit__copy_budget__spreads_copies_over_generations),
        TEST(commit__redundancy_off__makes_no_copies),
        TEST(restore__first_copy_damaged__the_second_serves),
        TEST(restore__no_good_copy__is_an_error_and_writes_nothing),
        TEST(restore__valid_file_in_the_place_of_another__is_found_out),
        TEST(commit__carries_a_file_that_comes_back_later__the_others_stay_good),
        TEST(commit__one_page_after_reading_all__reads_no_file),
        TEST(take_snapshot__stored_copy_damaged__counts_as_changed),
        TEST(settle__copies_and_carried_files__have_exact_counts),
        TEST(settle__stopped_on_the_way__goes_on_and_counts_are_exact),
        TEST(settle__stopped_on_the_way__costs_no_more_than_at_once),
        TEST(settle__three_hundred_generations__rc_stands_at_255),
        TEST(commit__clock_stands_or_runs_back__names_ascend),
        TEST(commit__name_taken_by_something_else__is_passed_by),
        TEST(commit__no_name_left__is_refused_with_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
