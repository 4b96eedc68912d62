/*
 * What the verbs say: to people, to programs, in a rehearsal, of damage, of names that are none; and which
 * calls of Snapper are refused while a snapshot is made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "snapper/config_file.h"
#include "snapper/object_id.h"
#include "snapper/retention.h"
#include "snapper/transfer.h"
#include "snapper/verbs.h"
#include "snapper/verify.h"
#include "tests/support/port_host.h"
#include "tests/support/verb_operations.h"

static struct fixture fixture;
static struct report_text text;
static char answers[64 * KIB];

static void keep(void *context, const char *line)
{
    size_t length = strlen(answers);

    (void)context;
    snprintf(answers + length, sizeof answers - length, "%s\n", line);
}

static void open_scene(enum operations_scene scene)
{
    snapper_operations_scene(&fixture, scene);
    port_host_clear_log();
    report_text_init(&text, keep, NULL);
    answers[0] = '\0';
}

static void expect_answer(const char *words)
{
    if (!strstr(answers, words))
        print_error("\"%s\" is not in:\n%s", words, answers);
    assert_non_null(strstr(answers, words));
}

static const char *name_of(size_t generation)
{
    return snapper_operations_generation(generation);
}

/* --- objects by name --- */

static void parse_id__number_or_space_and_page__is_read(void **state)
{
    (void)state;
    u64 id = 0;

    assert_true(verb_parse_id("12", &id));
    assert_int_equal(id, 12);
    assert_true(verb_parse_id("0x1f", &id));
    assert_int_equal(id, 0x1f);
    assert_true(verb_parse_id("3:7", &id));
    assert_true(id == object_id(3, 7));
    static const char *const wrong[] = {
        "",
        "x",
        ":",
        "1:",
        ":1",
        "1:x",
        "x:1",
        "1:2:3",
        "99999999999999999999999999:1",
        "0xffffffffffffffff:1",
        "1:0xffffffffffffffff",
        "99999999999999999999:1",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        assert_false(verb_parse_id(wrong[i], &id));
}

/* --- diff --- */

enum { LONG_SIZE = 100 };

/* Two generations in two spaces, of objects that are longer than a row. */
static void given_two_spaces(void)
{
    static u8 pages[4][LONG_SIZE];
    struct snapper_commit_report report;

    open_scene(SCENE_EMPTY);
    for (u64 round = 0; round < 2; round++) {
        assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
        for (u64 i = 0; i < ARRAY_LENGTH(pages); i++) {
            fill_content(pages[i], LONG_SIZE, i);
            pages[i][40] = (u8)round; /* one row of seven */
            assert_int_equal(take_snapshot(fixture.snapper, pages[i],
                                           LONG_SIZE - 30 * (size_t)round * (i % 2),
                                           object_id(i / 2, i % 2)),
                             OK);
        }
        assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    }
}

static void diff__two_spaces__are_counted_apart(void **state)
{
    (void)state;
    given_two_spaces();
    assert_int_equal(verb_diff_summary(fixture.snapper, "oldest", "latest", &text.report),
                     OK);
    expect_answer("space 0: 0 added, 2 changed, 0 removed");
    expect_answer("space 1: 0 added, 2 changed, 0 removed");
    fixture_close(&fixture);
}

static void diff_page__one_row_differs__is_shown_alone(void **state)
{
    (void)state;
    given_two_spaces();
    assert_int_equal(verb_diff_page(fixture.snapper, "oldest", "latest", object_id(1, 0),
                                    &text.report),
                     OK);
    expect_answer("rows_differ: 1");
    expect_answer("- 000020 ");
    expect_answer("+ 000020 ");
    assert_int_equal(verb_diff_page(fixture.snapper, "oldest", "latest", object_id(1, 1),
                                    &text.report),
                     OK);
    expect_answer("- 000060 ");
    assert_null(strstr(answers, "+ 000060 "));
    text.report.for_people = false;
    assert_int_equal(verb_diff_page(fixture.snapper, "oldest", "latest", object_id(1, 1),
                                    &text.report),
                     OK);
    assert_int_equal(
        verb_diff_page(fixture.snapper, "oldest", "latest", 77, &text.report),
        ERR_NOT_FOUND);
    assert_true(port_host_logged("neither generation has"));
    fixture_close(&fixture);
}

/* --- names that are none --- */

static void verbs__no_such_generation__is_said(void **state)
{
    (void)state;
    const char *none[] = { "2000" };
    struct snapper_generation_info info;
    struct snapper *snapper;

    open_scene(SCENE_SOUND);
    snapper = fixture.snapper;
    assert_int_equal(verb_show(snapper, "2000", &text.report), ERR_NOT_FOUND);
    assert_int_equal(verb_find(snapper, "2000", &info), ERR_NOT_FOUND);
    assert_int_equal(verb_diff(snapper, "2000", "latest", &text.report), ERR_NOT_FOUND);
    assert_int_equal(verb_diff(snapper, "latest", "2000", &text.report), ERR_NOT_FOUND);
    assert_int_equal(verb_diff_page(snapper, "2000", "latest", 1, &text.report),
                     ERR_NOT_FOUND);
    assert_int_equal(verb_delete(snapper, none, 1, &text.report), ERR_NOT_FOUND);
    assert_int_equal(verb_pin(snapper, "2000", &text.report), ERR_NOT_FOUND);
    assert_int_equal(verb_unpin(snapper, "latest", &text.report), ERR_NOT_FOUND);
    assert_true(port_host_logged("is not pinned"));
    const char *twice[] = { name_of(0), name_of(0) };
    assert_int_equal(verb_delete(snapper, twice, 2, &text.report), ERR_NOT_FOUND);
    assert_true(port_host_logged("(any more)"));
    fixture_close(&fixture);
}

static void list__no_generations__is_said(void **state)
{
    (void)state;
    open_scene(SCENE_EMPTY);
    assert_int_equal(verb_list(fixture.snapper, &text.report), OK);
    expect_answer("no generations");
    fixture_close(&fixture);
}

/* --- much to say --- */

static void show__many_runs__are_counted_at_the_end(void **state)
{
    (void)state;
    static u8 page[LONG_SIZE];
    struct snapper_commit_report report;

    open_scene(SCENE_EMPTY);
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    for (u64 i = 0; i < 20; i++)
        assert_int_equal(take_snapshot(fixture.snapper, page, 1 + i, 10 * i), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    assert_int_equal(verb_show(fixture.snapper, "latest", &text.report), OK);
    expect_answer("run: 4 more");
    fixture_close(&fixture);
}

static void status__settled_and_pinned__is_said(void **state)
{
    (void)state;
    u64 changed;

    open_scene(SCENE_SOUND);
    assert_int_equal(verb_status(fixture.snapper, &text.report), OK);
    expect_answer("reference_counts: to settle");
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_int_equal(verb_pin(fixture.snapper, "latest", &text.report), OK);
    assert_int_equal(verb_status(fixture.snapper, &text.report), OK);
    expect_answer("reference_counts: settled");
    expect_answer(", pinned");
    fixture_close(&fixture);
}

/* The unreadable one stays pinned. */
static void list__unreadable_and_pinned__both_are_said(void **state)
{
    (void)state;
    open_scene(SCENE_SOUND);
    assert_int_equal(verb_pin(fixture.snapper, name_of(1), &text.report), OK);
    size_t size;
    char path[100];
    snprintf(path, sizeof path, "/snapper/%s/archive", name_of(1));
    ram_store_bytes(fixture.ram, path, &size)[size / 2] ^= 1;
    fixture_reopen(&fixture);
    assert_int_equal(verb_list(fixture.snapper, &text.report), OK);
    expect_answer("yes");
    assert_int_equal(verb_show(fixture.snapper, name_of(1), &text.report), ERR_CORRUPT);
    expect_answer("pinned: yes");
    fixture_close(&fixture);
}

/* --- verify --- */

static bool stop_at_once(void *context, u64 done, u64 total)
{
    (void)context;
    (void)done;
    (void)total;
    return false;
}

static void verify__stopped__says_so(void **state)
{
    (void)state;
    struct verb_verify how = { .progress = stop_at_once };
    bool clean;

    open_scene(SCENE_SOUND);
    assert_int_equal(verb_verify(fixture.snapper, &how, &text.report, &clean),
                     ERR_INTERRUPTED);
    fixture_close(&fixture);
}

static void verify__more_findings_than_are_shown__ends_with_more(void **state)
{
    (void)state;
    struct verb_verify how = { 0 };
    char path[100];
    bool clean;

    open_scene(SCENE_SOUND);
    for (unsigned i = 0; i < 60; i++) {
        snprintf(path, sizeof path, "/snapper/2026-01-01T00:00:00.%06uZ", i + 1);
        ram_store_put(fixture.ram, path, NULL, 0);
    }
    fixture_reopen(&fixture);
    assert_int_equal(verb_verify(fixture.snapper, &how, &text.report, &clean), OK);
    assert_false(clean);
    expect_answer("no archive, and nothing in it is listed");
    expect_answer("... and more");
    expect_answer("incomplete: 60");
    fixture_close(&fixture);
}

static void flip_in(const char *path, size_t at)
{
    size_t size;
    u8 *bytes = ram_store_bytes(fixture.ram, path, &size);

    assert_non_null(bytes);
    bytes[at] ^= 0x10;
}

/* Byte 5 of a snapshot file is its count. */
static void verify__settled_count_changed__is_found_and_repaired(void **state)
{
    (void)state;
    struct verb_verify check = { 0 }, repair = { .repair = true };
    char path[100];
    u64 changed;
    bool clean;

    open_scene(SCENE_SOUND);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    snprintf(path, sizeof path, "/snapper/%s/snapshot/0000", name_of(0));
    flip_in(path, 5);
    fixture_reopen(&fixture);
    assert_int_equal(verb_verify(fixture.snapper, &check, &text.report, &clean), OK);
    assert_false(clean);
    expect_answer("its reference count is wrong");
    text.report.rehearsal = true;
    snprintf(path, sizeof path, "/snapper/%s/snapshot/0001", name_of(0));
    flip_in(path, 8);
    assert_int_equal(verb_verify(fixture.snapper, &repair, &text.report, &clean), OK);
    fixture_close(&fixture);
}

static void keep__in_a_rehearsal__says_would(void **state)
{
    (void)state;
    const char *oldest[] = { "oldest" };

    open_scene(SCENE_SOUND);
    text.report.rehearsal = true;
    assert_int_equal(verb_delete(fixture.snapper, oldest, 1, &text.report), OK);
    assert_int_equal(verb_pin(fixture.snapper, "latest", &text.report), OK);
    expect_answer("would have deleted");
    expect_answer("would have pinned");
    fixture_close(&fixture);
}

/* --- /snapper.conf --- */

static u32 problems_of(const char *content, size_t size)
{
    struct snapper_config_sources sources;
    u32 problems;

    config_defaults(&fixture.config, &sources);
    ram_store_put(fixture.ram, "/snapper.conf", content, size);
    config_file_read(ram_store_store(fixture.ram), &fixture.config, &sources, &problems);
    config_file_read(ram_store_store(fixture.ram), &fixture.config, &sources, NULL);
    return problems;
}

static void config_file__as_it_is__is_read_or_refused(void **state)
{
    (void)state;
    static const char content[] = "threshold = 9\nnonsense\nreserve = x\n";
    static char large[20000];

    open_scene(SCENE_EMPTY);
    assert_int_equal(problems_of(content, sizeof content - 1), 2);
    assert_int_equal(fixture.config.threshold, 9);
    assert_int_equal(problems_of(large, sizeof large), 1);
    ram_store_remove(fixture.ram, "/snapper.conf");
    assert_int_equal(problems_of(NULL, 0), 1); /* a directory */
    fixture_close(&fixture);
}

/* Each read of it and each allocation fails. */
static void config_file__cannot_be_read__values_hold(void **state)
{
    (void)state;
    struct snapper_config_sources sources;
    static const char content[] = "threshold = 9\n";
    u32 problems = 1;

    open_scene(SCENE_EMPTY);
    ram_store_put(fixture.ram, "/snapper.conf", content, sizeof content - 1);
    for (u64 nth = 1; problems > 0; nth++) {
        config_defaults(&fixture.config, &sources);
        u64 before = fixture.config.threshold;
        ram_store_fail(fixture.ram, nth, ERR_IO, false);
        config_file_read(ram_store_store(fixture.ram), &fixture.config, &sources,
                         &problems);
        ram_store_fail(fixture.ram, 0, OK, false);
        assert_int_equal(fixture.config.threshold, problems > 0 ? before : 9);
        assert_true(nth < 10);
    }
    port_host_fail_allocation(1, false);
    config_file_read(ram_store_store(fixture.ram), &fixture.config, &sources, &problems);
    port_host_fail_allocation(0, false);
    assert_int_equal(problems, 1);
    fixture_close(&fixture);
}

/* --- what has to wait --- */

static void upkeep__while_a_snapshot_is_made__is_refused(void **state)
{
    (void)state;
    struct snapper_purge_report purged;
    struct snapper_zombie_report zombies;
    struct snapper_verify_report found;
    struct snapper_cleanup_report cleaned;
    struct generation_name name;
    u64 changed;

    open_scene(SCENE_SOUND);
    struct snapper *snapper = fixture.snapper;
    assert_int_equal(forget_range(snapper, 1, 2), ERR_INVALID_STATE);
    assert_int_equal(init_snapshot(snapper, NULL), OK);
    assert_int_equal(purge(snapper, NULL, &purged), ERR_INVALID_STATE);
    assert_int_equal(purge_forced(snapper, name_of(0), &purged), ERR_INVALID_STATE);
    assert_int_equal(purge_expired(snapper, &purged), ERR_INVALID_STATE);
    assert_int_equal(purge_zombies(snapper, &zombies), ERR_INVALID_STATE);
    assert_int_equal(snapper_verify(snapper, NULL, &found), ERR_INVALID_STATE);
    assert_int_equal(snapper_repair(snapper, NULL, &found), ERR_INVALID_STATE);
    assert_int_equal(snapper_cleanup(snapper, &cleaned), ERR_INVALID_STATE);
    assert_int_equal(snapper_settle(snapper, &changed), ERR_INVALID_STATE);
    assert_int_equal(snapper_pin(snapper, name_of(0)), ERR_INVALID_STATE);
    assert_int_equal(snapper_unpin(snapper, name_of(0)), ERR_INVALID_STATE);
    assert_int_equal(snapper_rollback(snapper, NULL), ERR_INVALID_STATE);
    assert_int_equal(snapper_archive_restore(snapper, NULL, 0, &name), ERR_INVALID_STATE);
    fixture_close(&fixture); /* which aborts it */
}

static void marks__twice_or_of_none__are_refused_or_nothing(void **state)
{
    (void)state;
    char long_name[200];
    u8 page[64];
    size_t got;

    open_scene(SCENE_EMPTY);
    assert_int_equal(current_restore(fixture.snapper, page, sizeof page, 1, &got),
                     ERR_NOT_FOUND);
    assert_int_equal(forget_range(fixture.snapper, 0, 9), ERR_INVALID_STATE);
    fixture_close(&fixture);
    open_scene(SCENE_SOUND);
    memset(long_name, '2', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    assert_int_equal(snapper_pin(fixture.snapper, name_of(1)), OK);
    assert_int_equal(snapper_pin(fixture.snapper, name_of(1)), OK);
    assert_int_equal(snapper_pin(fixture.snapper, long_name), ERR_NOT_FOUND);
    assert_int_equal(snapper_unpin(fixture.snapper, long_name), ERR_NOT_FOUND);
    assert_int_equal(snapper_unpin(fixture.snapper, NULL), ERR_NOT_FOUND);
    fixture_close(&fixture);
}

static int tear_down(void **state)
{
    (void)state;
    port_host_set_time(0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_id__number_or_space_and_page__is_read),
        cmocka_unit_test(diff__two_spaces__are_counted_apart),
        cmocka_unit_test(diff_page__one_row_differs__is_shown_alone),
        cmocka_unit_test(verbs__no_such_generation__is_said),
        cmocka_unit_test(list__no_generations__is_said),
        cmocka_unit_test(show__many_runs__are_counted_at_the_end),
        cmocka_unit_test(status__settled_and_pinned__is_said),
        cmocka_unit_test(list__unreadable_and_pinned__both_are_said),
        cmocka_unit_test(verify__stopped__says_so),
        cmocka_unit_test(verify__more_findings_than_are_shown__ends_with_more),
        cmocka_unit_test(verify__settled_count_changed__is_found_and_repaired),
        cmocka_unit_test(keep__in_a_rehearsal__says_would),
        cmocka_unit_test(config_file__as_it_is__is_read_or_refused),
        cmocka_unit_test(config_file__cannot_be_read__values_hold),
        cmocka_unit_test(upkeep__while_a_snapshot_is_made__is_refused),
        cmocka_unit_test(marks__twice_or_of_none__are_refused_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
