/*
 * The boot counter: what counts, what does not, what the fallback chooses, and cuts within all of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/boots.h"
#include "snapper/retention.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 64, LIMIT = 3 };
#define NOON 1795246200000000ULL

static struct fixture fixture;

static int set_up(void **state)
{
    (void)state;
    port_host_set_time(NOON);
    fixture_open(&fixture, NULL, 1);
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

static struct generation_name commit(u64 seed)
{
    return commit_pages(&fixture, 1, 3, SIZE, seed, NULL);
}

static void assert_name(struct generation_name found, struct generation_name expected)
{
    assert_string_equal(found.text, expected.text);
}

/* Boots; the machine runs then. The generation that it left, or none. */
static struct generation_name boot(void)
{
    struct snapper_boot boot;

    fixture_crash(&fixture);
    assert_int_equal(snapper_boot_open(fixture.snapper, &boot), OK);
    assert_int_equal(close_generation(fixture.snapper), OK);
    return boot.left;
}

static void assert_boots(struct generation_name on)
{
    struct generation_name left = boot();

    assert_string_equal(left.text, "");
    assert_name(snapper_current(fixture.snapper), on);
}

static void die_often_on(struct generation_name name)
{
    for (int i = 0; i < LIMIT; i++)
        assert_boots(name);
}

static u64 boots_on_disk(void)
{
    fixture_crash(&fixture);
    return snapper_boots(fixture.snapper);
}

static bool is_pinned(struct generation_name name)
{
    struct snapper_generation_info info;

    for (size_t i = 0; i < snapper_generation_count(fixture.snapper); i++)
        if (snapper_generation_info(fixture.snapper, i, &info) == OK &&
            text_equal(info.name.text, name.text))
            return info.pinned;
    fail_msg("%s is gone", name.text);
    return false;
}

static void remove_archive(struct generation_name name)
{
    char path[100];
    size_t size;

    snprintf(path, sizeof path, "/snapper/%s/archive", name.text);
    ram_store_bytes(fixture.ram, path, &size)[size - 1] ^= 1;
}

/* --- counting --- */

static void snapper_boot_open__a_cut_at_once__has_counted(void **state)
{
    (void)state;
    struct generation_name name = commit(1);
    struct ram_counters before = *ram_store_counters(fixture.ram);

    assert_int_equal(boots_on_disk(), 0);
    assert_boots(name);
    assert_int_equal(ram_store_counters(fixture.ram)->pokes - before.pokes, 1);
    assert_int_equal(ram_store_counters(fixture.ram)->flushes - before.flushes, 1);
    assert_int_equal(ram_store_counters(fixture.ram)->bytes_written,
                     before.bytes_written);
    assert_int_equal(boots_on_disk(), 1);
    assert_boots(name);
    assert_int_equal(boots_on_disk(), 2);
}

static void open_generation__chosen_by_somebody__does_not_count(void **state)
{
    (void)state;
    struct generation_name name = commit(1);

    for (int i = 0; i < 2 * LIMIT; i++) {
        fixture_crash(&fixture);
        assert_int_equal(open_generation(fixture.snapper, name.text), OK);
        assert_int_equal(close_generation(fixture.snapper), OK);
    }
    assert_int_equal(boots_on_disk(), 0);
}

static void snapper_boot_stands__each_time__nothing_is_counted(void **state)
{
    (void)state;
    commit(1);
    struct generation_name name = commit(2);

    for (int i = 0; i < 2 * LIMIT; i++) {
        assert_boots(name);
        assert_int_equal(snapper_boot_stands(fixture.snapper), OK);
    }
    assert_int_equal(boots_on_disk(), 0);
}

static void commit_snapshot__each_time__nothing_is_counted(void **state)
{
    (void)state;
    struct generation_name name = commit(1);

    for (u64 i = 0; i < 2 * LIMIT; i++) {
        assert_boots(name);
        name = commit(i + 2);
    }
    assert_int_equal(boots_on_disk(), 0);
}

static void snapper_boot_is_void__in_a_row_of_deaths__the_row_goes_on(void **state)
{
    (void)state;
    struct generation_name older = commit(1), name = commit(2);

    assert_boots(name);
    assert_boots(name);
    for (int i = 0; i < LIMIT; i++) {
        assert_boots(name);
        assert_int_equal(snapper_boot_is_void(fixture.snapper), OK);
    }
    assert_int_equal(boots_on_disk(), 2);
    assert_boots(name);
    assert_name(boot(), name);
    assert_name(snapper_current(fixture.snapper), older);
}

static void snapper_rollback__after_deaths__begins_anew(void **state)
{
    (void)state;
    struct generation_name older = commit(1), name = commit(2);

    die_often_on(name);
    assert_int_equal(snapper_rollback(fixture.snapper, older.text), OK);
    die_often_on(older);
}

static void purge__of_what_they_died_on__begins_anew(void **state)
{
    (void)state;
    struct generation_name oldest = commit(1), older = commit(2), name = commit(3);
    struct snapper_purge_report report;

    die_often_on(name);
    fixture_crash(&fixture);
    assert_int_equal(purge(fixture.snapper, oldest.text, &report), OK);
    assert_int_equal(boots_on_disk(), LIMIT);
    assert_int_equal(purge(fixture.snapper, name.text, &report), OK);
    assert_int_equal(boots_on_disk(), 0);
    assert_boots(older);
}

static void snapper_boot_open__read_only__opens_and_counts_nothing(void **state)
{
    (void)state;
    struct generation_name name = commit(1);

    ram_store_set_read_only(fixture.ram, true);
    for (int i = 0; i < 2 * LIMIT; i++)
        assert_boots(name);
    assert_false(port_host_logged("not counted"));
    assert_int_equal(snapper_boots(fixture.snapper), 0);
}

static void snapper_boot_open__no_room_on_the_disk__counts(void **state)
{
    (void)state;
    struct generation_name name = commit(1);

    ram_store_limits(fixture.ram)->total_blocks = 1;
    assert_boots(name);
    assert_int_equal(boots_on_disk(), 1);
}

static void snapper_boot_open__state_file_of_another_hand__counts(void **state)
{
    (void)state;
    static const char *const texts[] = { "boots = 2", "# mine\nboots = 2\n",
                                         "\nboots=2\n", NULL };
    struct generation_name name = commit(1);

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        ram_store_remove(fixture.ram, "/snapper.state");
        if (texts[i])
            ram_store_put(fixture.ram, "/snapper.state", texts[i], strlen(texts[i]));
        assert_boots(name);
        assert_int_equal(boots_on_disk(), texts[i] ? 3 : 1);
    }
}

static void snapper_boot_open__write_fails__opens_and_says_so(void **state)
{
    (void)state;
    struct generation_name name = commit(1);
    struct snapper_boot boot;

    for (u64 nth = 1; nth < 60; nth++) {
        fixture_crash(&fixture);
        port_host_clear_log();
        ram_store_fail(fixture.ram, nth, ERR_IO, false);
        enum status status = snapper_boot_open(fixture.snapper, &boot);
        if (status)
            continue; /* it could not be read */
        assert_int_equal(close_generation(fixture.snapper), OK);
        assert_name(snapper_current(fixture.snapper), name);
        if (snapper_boots(fixture.snapper) == 0)
            assert_true(port_host_logged("not counted"));
        ram_store_fail(fixture.ram, 0, OK, false);
        assert_int_equal(snapper_boot_stands(fixture.snapper), OK);
        assert_int_equal(boots_on_disk(), 0);
    }
}

/* --- falling back --- */

static void snapper_boot_open__too_many_died__falls_back_and_keeps_the_newer(void **state)
{
    (void)state;
    struct generation_name older = commit(1), name = commit(2);

    die_often_on(name);
    assert_name(boot(), name);
    assert_name(snapper_current(fixture.snapper), older);
    assert_name(snapper_target(fixture.snapper), older);
    assert_true(is_pinned(name));
    assert_pages(&fixture, name.text, 1, 3, SIZE, 2);
    assert_true(port_host_logged("falling back"));
    assert_true(port_host_logged(name.text));
    assert_int_equal(boots_on_disk(), 1);
    assert_boots(older);
    struct generation_name branch = commit(3);
    assert_boots(branch);
    assert_true(is_pinned(name));
}

static void snapper_boot_open__the_older_dies_too__goes_back_to_the_oldest(void **state)
{
    (void)state;
    struct generation_name names[] = { commit(1), commit(2), commit(3) };

    die_often_on(names[2]);
    assert_name(boot(), names[2]);
    assert_boots(names[1]);
    assert_boots(names[1]);
    assert_name(boot(), names[1]);
    assert_boots(names[0]);
    assert_boots(names[0]);
    port_host_clear_log();
    for (int i = 0; i < 10; i++)
        assert_boots(names[0]);
    assert_true(port_host_logged("none before it"));
    assert_true(is_pinned(names[1]) && is_pinned(names[2]) && !is_pinned(names[0]));
}

static void
snapper_boot_open__histories_branch__falls_back_to_what_it_was_based_on(void **state)
{
    (void)state;
    struct generation_name base = commit(1);
    commit(2);
    assert_int_equal(snapper_rollback(fixture.snapper, base.text), OK);
    assert_boots(base);
    struct generation_name branch = commit(3);

    die_often_on(branch);
    assert_name(boot(), branch);
    assert_name(snapper_current(fixture.snapper), base);
}

static void
snapper_boot_open__its_base_is_gone__falls_back_to_the_next_in_age(void **state)
{
    (void)state;
    struct generation_name oldest = commit(1), base = commit(2), name = commit(3);
    struct snapper_purge_report report;

    assert_int_equal(purge(fixture.snapper, base.text, &report), OK);
    die_often_on(name);
    assert_name(boot(), name);
    assert_name(snapper_current(fixture.snapper), oldest);
}

static void snapper_boot_open__the_one_before_is_damaged__integrity_decides(void **state)
{
    (void)state;
    struct generation_name oldest = commit(1), older = commit(2), name = commit(3);
    struct snapper_boot boot;

    die_often_on(name);
    remove_archive(older);
    fixture_crash(&fixture);
    assert_int_equal(snapper_boot_open(fixture.snapper, &boot), ERR_INTEGRITY);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    assert_int_equal(boots_on_disk(), LIMIT);
    fixture.config.integrity = false;
    assert_int_equal(snapper_boot_open(fixture.snapper, &boot), OK);
    assert_name(boot.left, name);
    assert_name(snapper_current(fixture.snapper), oldest);
    assert_int_equal(close_generation(fixture.snapper), OK);
}

static void snapper_boot_open__fallback_off__never_falls_back_nor_writes(void **state)
{
    (void)state;
    commit(1);
    struct generation_name name = commit(2);
    struct ram_counters before = *ram_store_counters(fixture.ram);

    fixture.config.fallback = 0;
    for (int i = 0; i < 3 * LIMIT; i++)
        assert_boots(name);
    assert_int_equal(ram_store_counters(fixture.ram)->pokes, before.pokes);
    assert_int_equal(ram_store_counters(fixture.ram)->commits, before.commits);
}

/* B3 */
static void
snapper_boot_open__cut_anywhere_in_the_fallback__the_next_boot_does_it(void **state)
{
    (void)state;
    struct generation_name older = commit(1), name = commit(2);
    struct snapper_boot boot;
    u64 nth = 1, died;

    die_often_on(name);
    do {
        fixture_crash(&fixture);
        ram_store_fail(fixture.ram, nth++, ERR_IO, true);
        (void)!snapper_boot_open(fixture.snapper, &boot);
        died = boots_on_disk();
        assert_true(died == LIMIT || died == 1);
        bool done = died == 1;
        assert_int_equal(is_pinned(name), done);
        assert_string_equal(snapper_target(fixture.snapper).text, done ? older.text : "");
    } while (died == LIMIT);
    assert_true(nth > 4);
    assert_boots(older);
}

/* B1: a digit is the old or the new one. */
static void
snapper_boot_open__cut_anywhere_in_the_count__counts_once_at_most(void **state)
{
    (void)state;
    struct generation_name name = commit(1);
    struct snapper_boot boot;

    for (u64 nth = 1; nth < 40; nth++) {
        u64 before = boots_on_disk();
        port_host_clear_log();
        ram_store_fail(fixture.ram, nth, ERR_IO, true);
        bool counted = snapper_boot_open(fixture.snapper, &boot) == OK &&
                       !port_host_logged("not counted");
        u64 after = boots_on_disk();
        assert_true(after == before + 1 || (after == before && !counted));
        assert_boots(name);
        assert_int_equal(snapper_boot_stands(fixture.snapper), OK);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(snapper_boot_open__a_cut_at_once__has_counted),
        TEST(open_generation__chosen_by_somebody__does_not_count),
        TEST(snapper_boot_stands__each_time__nothing_is_counted),
        TEST(commit_snapshot__each_time__nothing_is_counted),
        TEST(snapper_boot_is_void__in_a_row_of_deaths__the_row_goes_on),
        TEST(snapper_rollback__after_deaths__begins_anew),
        TEST(purge__of_what_they_died_on__begins_anew),
        TEST(snapper_boot_open__read_only__opens_and_counts_nothing),
        TEST(snapper_boot_open__no_room_on_the_disk__counts),
        TEST(snapper_boot_open__state_file_of_another_hand__counts),
        TEST(snapper_boot_open__write_fails__opens_and_says_so),
        TEST(snapper_boot_open__too_many_died__falls_back_and_keeps_the_newer),
        TEST(snapper_boot_open__the_older_dies_too__goes_back_to_the_oldest),
        TEST(snapper_boot_open__histories_branch__falls_back_to_what_it_was_based_on),
        TEST(snapper_boot_open__its_base_is_gone__falls_back_to_the_next_in_age),
        TEST(snapper_boot_open__the_one_before_is_damaged__integrity_decides),
        TEST(snapper_boot_open__fallback_off__never_falls_back_nor_writes),
        TEST(snapper_boot_open__cut_anywhere_in_the_fallback__the_next_boot_does_it),
        TEST(snapper_boot_open__cut_anywhere_in_the_count__counts_once_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
