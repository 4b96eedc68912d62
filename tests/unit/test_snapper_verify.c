/*
 * The audit finds each kind of damage once, and changes nothing; the repair heals what can be healed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/retention.h"
#include "snapper/verify.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 64, PAGES = 20, KINDS = FINDING_INCOMPLETE + 1 };

static struct fixture fixture;
static struct generation_name first, copied, last;
static struct snapper_verify_report report;
static u32 findings[KINDS];
static struct snapper_finding latest[KINDS];

static int set_up(void **state)
{
    (void)state;
    u64 changed;

    port_host_set_time(1795246200000000);
    fixture_open(&fixture, NULL, 1);
    fixture.config.threshold = 8;
    fixture.config.redundancy = 2;
    first = commit_pages(&fixture, 0, PAGES, SIZE, 1, NULL);
    commit_pages(&fixture, 0, PAGES, SIZE, 1, NULL);
    copied = commit_pages(&fixture, 0, PAGES, SIZE, 1, NULL);
    last = commit_pages(&fixture, 100, 3, SIZE, 5, NULL); /* without copies */
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&fixture);
    port_host_set_time(0);
    return 0;
}

static void note(void *context, const struct snapper_finding *finding)
{
    (void)context;
    findings[finding->kind]++;
    latest[finding->kind] = *finding;
}

static const struct snapper_verify_hooks hooks = { .finding = note };

/* What the hook between two generations does now. */
static void (*meanwhile)(void);
static bool is_done;

static bool do_meanwhile(void *context, u64 done, u64 total)
{
    (void)context;
    (void)done;
    (void)total;
    if (!is_done)
        meanwhile();
    is_done = true;
    return true;
}

static void make_another(void)
{
    commit_pages(&fixture, 200, 3, SIZE, 6, NULL);
}

static void purge_the_oldest(void)
{
    struct snapper_purge_report purged;

    assert_int_equal(purge(fixture.snapper, first.text, &purged), OK);
}

static void verify(void)
{
    memset(findings, 0, sizeof findings);
    fixture_reopen(&fixture);
    u64 commits = ram_store_counters(fixture.ram)->commits;
    assert_int_equal(snapper_verify(fixture.snapper, &hooks, &report), OK);
    assert_int_equal(ram_store_counters(fixture.ram)->commits, commits);
}

static void repair(void)
{
    memset(findings, 0, sizeof findings);
    fixture_reopen(&fixture);
    assert_int_equal(snapper_repair(fixture.snapper, &hooks, &report), OK);
}

static void assert_only(enum snapper_finding_kind kind, u32 times)
{
    for (u32 i = 0; i < KINDS; i++)
        assert_int_equal(findings[i], i == (u32)kind ? times : 0);
    assert_false(snapper_verify_is_clean(&report));
}

static void assert_clean(void)
{
    verify();
    for (u32 i = 0; i < KINDS; i++)
        assert_int_equal(findings[i], 0);
    assert_true(snapper_verify_is_clean(&report));
}

static char *path_of(const struct generation_name *name, const char *rest)
{
    static char path[160];

    snprintf(path, sizeof path, "/snapper/%s/%s", name->text, rest);
    return path;
}

static u8 *bytes_of(const struct generation_name *name, const char *rest)
{
    size_t size;
    u8 *bytes = ram_store_bytes(fixture.ram, path_of(name, rest), &size);

    assert_non_null(bytes);
    return bytes;
}

static void verify__nothing_wrong__counts_everything(void **state)
{
    (void)state;
    assert_clean();
    assert_int_equal(report.archives, 4);
    assert_int_equal(report.files, 2 * PAGES + 3);
    assert_int_equal(report.bytes, (2 * PAGES + 3) * SIZE);
    assert_int_equal(report.objects, 3 * PAGES + PAGES + 3);
    assert_true(report.settled);
}

static void verify__empty_store__is_clean(void **state)
{
    (void)state;
    ram_store_remove(fixture.ram, "/snapper");
    ram_store_remove(fixture.ram, "/snapper.state");
    assert_clean();
    assert_int_equal(report.archives, 0);
}

static void verify__one_copy_of_two_damaged__is_found_once_and_healed(void **state)
{
    (void)state;
    bytes_of(&copied, "snapshot/ext/0003")[40] ^= 1;
    verify();
    assert_only(FINDING_COPY, 1); /* listed by two archives, told once */
    assert_string_equal(latest[FINDING_COPY].generation.text, copied.text);
    assert_int_equal(latest[FINDING_COPY].ordinal, 11);
    assert_int_equal(latest[FINDING_COPY].id, 11);
    assert_int_equal(latest[FINDING_COPY].status, ERR_CORRUPT);
    assert_false(latest[FINDING_COPY].repaired);
    assert_int_equal(report.damaged, 1);
    assert_int_equal(report.lost, 0);
    repair();
    assert_true(latest[FINDING_COPY].repaired);
    assert_int_equal(report.repaired, 1);
    assert_clean();
}

/* The copy that is read first need not be the damaged one. */
static void verify__older_copy_missing__is_found_and_healed(void **state)
{
    (void)state;
    ram_store_remove(fixture.ram, path_of(&first, "snapshot/0005"));
    verify();
    assert_int_equal(findings[FINDING_COPY], 1);
    assert_int_equal(latest[FINDING_COPY].status, ERR_NOT_FOUND);
    assert_int_equal(report.lost, 2); /* of generations that know no other copy */
    repair();
    assert_int_equal(report.repaired, 1);
    assert_int_equal(report.lost, 0);
    assert_clean();
    assert_tree_is_sound(fixture.ram, true);
}

static void verify__only_copy_damaged__its_objects_are_lost(void **state)
{
    (void)state;
    bytes_of(&last, "snapshot/0001")[10] ^= 1;
    bytes_of(&last, "snapshot/0002")[10] ^= 1;
    verify();
    assert_int_equal(findings[FINDING_COPY], 2);
    assert_int_equal(findings[FINDING_OBJECTS], 1);
    assert_int_equal(latest[FINDING_OBJECTS].id, 101);
    assert_int_equal(latest[FINDING_OBJECTS].count, 2);
    assert_int_equal(report.lost, 2);
    repair();
    assert_int_equal(report.repaired, 0);
    verify();
    assert_int_equal(report.lost, 2);
}

static void verify__file_of_unknown_version__is_found_and_left_alone(void **state)
{
    (void)state;
    bytes_of(&copied, "snapshot/0003")[0] = 7;
    repair();
    assert_int_equal(report.repaired, 0);
    assert_int_equal(latest[FINDING_COPY].status, ERR_UNSUPPORTED);
    assert_int_equal(bytes_of(&copied, "snapshot/0003")[0], 7);
}

/* Valid in itself, but another page: only the checksum over the run can tell, and its sibling which. */
static void verify__files_exchanged__are_found_and_healed(void **state)
{
    (void)state;
    u8 kept[SIZE + 6];

    memcpy(kept, bytes_of(&copied, "snapshot/0003"), sizeof kept);
    memcpy(bytes_of(&copied, "snapshot/0003"), bytes_of(&copied, "snapshot/0004"),
           sizeof kept);
    verify();
    assert_only(FINDING_MISPLACED, 1);
    assert_int_equal(report.lost, 0);
    repair();
    assert_int_equal(report.repaired, 1);
    assert_memory_equal(bytes_of(&copied, "snapshot/0003"), kept, sizeof kept);
    assert_clean();
}

static void verify__archive_unreadable__is_told_and_nothing_goes(void **state)
{
    (void)state;
    static const char orphan[] = "/snapper/2026-01-01T00:00:00.000001Z/snapshot/0000";

    ram_store_put(fixture.ram, orphan, "\2xxxx\1y", 7);
    bytes_of(&copied, "archive")[30] ^= 1;
    verify();
    assert_only(FINDING_ARCHIVE, 1);
    assert_string_equal(latest[FINDING_ARCHIVE].generation.text, copied.text);
    repair();
    assert_true(ram_store_exists(fixture.ram, orphan));
    bytes_of(&copied, "archive")[30] ^= 1;
    repair();
    assert_false(ram_store_exists(fixture.ram, orphan));
    assert_clean();
}

static void verify__wrong_count_in_a_settled_file__is_found_and_settled(void **state)
{
    (void)state;
    bytes_of(&first, "snapshot/0002")[5] = 77;
    verify();
    assert_only(FINDING_RC, 1);
    assert_int_equal(latest[FINDING_RC].ordinal, 2);
    assert_int_equal(latest[FINDING_RC].count, 4);
    repair();
    assert_clean();
    assert_tree_is_sound(fixture.ram, true);
}

static void verify__not_settled__counts_are_not_judged(void **state)
{
    (void)state;
    commit_pages(&fixture, 0, PAGES, SIZE, 1, NULL);
    assert_clean();
    assert_false(report.settled);
}

static void verify__leftovers__are_found_and_removed(void **state)
{
    (void)state;
    ram_store_put(fixture.ram, "/snapper/2026-01-01T00:00:00.000001Z/snapshot/0000",
                  "\2xxxx\1y", 7);
    ram_store_put(fixture.ram, "/snapper/2026-01-01T00:00:00.000001Z/snapshot/ext/0000",
                  "\2xxxx\1y", 7);
    verify();
    assert_int_equal(report.incomplete, 1);
    assert_int_equal(report.orphans, 2);
    repair();
    assert_clean();
    assert_tree_is_sound(fixture.ram, true);
}

static bool stop(void *context, u64 done, u64 total)
{
    u64 *calls = context;

    assert_true(done <= total);
    return ++*calls < 2;
}

static void verify__caller_says_stop__is_interrupted(void **state)
{
    (void)state;
    u64 calls = 0;
    struct snapper_verify_hooks stopping = { .context = &calls, .progress = stop };

    assert_int_equal(snapper_verify(fixture.snapper, &stopping, &report),
                     ERR_INTERRUPTED);
    assert_int_equal(calls, 2);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
}

/* Each file once, whatever the number of generations. */
static void verify__many_generations__reads_each_file_once(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++)
        commit_pages(&fixture, 0, 1, SIZE, 1, NULL);
    verify();
    u64 before = ram_store_counters(fixture.ram)->bytes_read;
    assert_int_equal(snapper_verify(fixture.snapper, NULL, &report), OK);
    u64 bytes = ram_store_counters(fixture.ram)->bytes_read - before;
    assert_true(bytes < report.files * (SIZE + 6) + report.archives * 300);
}

static void verify__any_allocation_fails__is_an_error_or_right(void **state)
{
    (void)state;
    bytes_of(&copied, "snapshot/0003")[40] ^= 1;
    for (u64 nth = 1; nth < 200; nth++) {
        fixture_reopen(&fixture);
        port_host_fail_allocation(nth, false);
        enum status status = snapper_verify(fixture.snapper, NULL, &report);
        port_host_fail_allocation(0, false);
        assert_true(status == ERR_NO_MEMORY || status == OK);
        assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
        if (status == OK)
            assert_int_equal(report.damaged, 1);
    }
}

static void verify__generations_made_or_removed_meanwhile__is_refused(void **state)
{
    static void (*const ways[])(void) = { make_another, purge_the_oldest };
    struct snapper_verify_hooks disturbed = { .finding = note, .progress = do_meanwhile };

    (void)state;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        meanwhile = ways[i];
        is_done = false;
        memset(findings, 0, sizeof findings);
        assert_int_equal(snapper_verify(fixture.snapper, &disturbed, &report), ERR_BUSY);
        for (size_t kind = 0; kind < KINDS; kind++)
            assert_int_equal(findings[kind], 0);
        assert_int_equal(snapper_verify(fixture.snapper, &hooks, &report), OK);
        assert_true(snapper_verify_is_clean(&report));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(verify__nothing_wrong__counts_everything),
        TEST(verify__empty_store__is_clean),
        TEST(verify__one_copy_of_two_damaged__is_found_once_and_healed),
        TEST(verify__older_copy_missing__is_found_and_healed),
        TEST(verify__only_copy_damaged__its_objects_are_lost),
        TEST(verify__file_of_unknown_version__is_found_and_left_alone),
        TEST(verify__files_exchanged__are_found_and_healed),
        TEST(verify__archive_unreadable__is_told_and_nothing_goes),
        TEST(verify__wrong_count_in_a_settled_file__is_found_and_settled),
        TEST(verify__not_settled__counts_are_not_judged),
        TEST(verify__leftovers__are_found_and_removed),
        TEST(verify__caller_says_stop__is_interrupted),
        TEST(verify__generations_made_or_removed_meanwhile__is_refused),
        TEST(verify__many_generations__reads_each_file_once),
        TEST(verify__any_allocation_fails__is_an_error_or_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
