/*
 * The faults that were found in the original program, each tried on this one: those of what lies on the
 * disk. Those of calls are in test_reference_faults_calls.c. The numbers are those of the list; 29 and
 * 30 are of its language and of its surroundings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/crc.h"
#include "kernel/base/string.h"
#include "snapper/retention.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SIZE = 64 };
#define NOON 1795246200000000ULL

static struct fixture fixture;
static struct snapper_purge_report purged;
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

static u8 *bytes_of(const struct generation_name *name, const char *rest, size_t *size)
{
    char path[200];

    snprintf(path, sizeof path, "/snapper/%s/%s", name->text, rest);
    return ram_store_bytes(fixture.ram, path, size);
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

static void
fault_01__open_after_a_purge__keeps_the_files_that_newer_ones_need(void **state)
{
    (void)state;
    struct generation_name first = make(60, 1);
    struct generation_name second = make(7, 2);

    assert_int_equal(purge(fixture.snapper, first.text, &purged), OK);
    open_and_clean();
    assert_pages(&fixture, second.text, 7, 53, SIZE, 1);
}

static void fault_02__max_and_min_snapshots__have_effect(void **state)
{
    (void)state;
    fixture.config.max_snapshots = 3;
    for (u64 i = 0; i < 5; i++)
        make(2, i);
    assert_int_equal(snapper_generation_count(fixture.snapper), 3);
    fixture.config.min_snapshots = 3;
    assert_int_equal(purge(fixture.snapper, NULL, &purged), ERR_PURGE_DENIED);
}

static void fault_03__checksum_mismatch_on_restore__is_an_error(void **state)
{
    (void)state;
    struct generation_name name = make(1, 1);
    u8 found[SIZE];
    size_t size;

    bytes_of(&name, "snapshot/0000", &size)[20] ^= 1;
    assert_int_equal(read_object(name.text, 0, found), ERR_INTEGRITY);
}

static void fault_04__counting_a_damaged_file__does_not_write_its_content(void **state)
{
    (void)state;
    struct generation_name name = make(1, 1);
    u8 kept[SIZE + 6];
    size_t size;
    u64 changed;

    commit_pages(&fixture, 7, 1, SIZE, 1, NULL); /* so that its count changes */
    bytes_of(&name, "snapshot/0000", &size)[20] ^= 1;
    memcpy(kept, bytes_of(&name, "snapshot/0000", &size), sizeof kept);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    kept[5] = 2;
    assert_memory_equal(bytes_of(&name, "snapshot/0000", &size), kept, sizeof kept);
}

static void fault_05__good_first_copy_and_bad_last__restores_the_good_one(void **state)
{
    (void)state;
    fixture.config.redundancy = 1;
    struct generation_name first = make(1, 1);
    struct generation_name second = make(1, 1);
    size_t size;

    assert_int_equal(commit.copies, 1);
    bytes_of(&first, "snapshot/0000", &size)[20] ^= 1;
    assert_pages(&fixture, second.text, 0, 1, SIZE, 1);
}

static void
fault_06__purging_newer_ones__keeps_the_copies_that_older_ones_list(void **state)
{
    (void)state;
    struct generation_name names[6];
    u64 changed;

    fixture.config.redundancy = 2;
    fixture.config.copies = 0;
    for (int i = 0; i < 6; i++)
        names[i] = make(5, 1);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    fixture_reopen(&fixture);
    for (int i = 5; i > 0; i--) {
        assert_int_equal(purge(fixture.snapper, names[i].text, &purged), OK);
        open_and_clean();
        fixture_reopen(&fixture);
        for (int k = 0; k < i; k++)
            assert_pages(&fixture, names[k].text, 0, 5, SIZE, 1);
    }
}

static void
fault_07__carried_objects__outlive_the_generation_that_wrote_them(void **state)
{
    (void)state;
    struct generation_name first = make(10, 1);
    struct generation_name second = commit_pages(&fixture, 50, 1, SIZE, 1, NULL);

    assert_int_equal(purge(fixture.snapper, first.text, &purged), OK);
    assert_int_equal(purged.files, 0);
    open_and_clean();
    assert_pages(&fixture, second.text, 0, 10, SIZE, 1);
}

static void fault_08__other_page_with_the_same_checksum__is_saved(void **state)
{
    (void)state;
    u8 page[SIZE], found[SIZE];

    make(1, 1);
    fill_content(page, SIZE, 1);
    u32 crc = crc32(page, SIZE);
    page[3] ^= 9;
    forge_crc(page, SIZE, crc);
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, page, SIZE, 0), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &commit), OK);
    assert_int_equal(read_object(commit.name.text, 0, found), OK);
    assert_memory_equal(found, page, SIZE);
}

static void fault_09__damaged_archive_and_foreign_directory__are_not_deleted(void **state)
{
    (void)state;
    struct generation_name name = make(3, 1);
    size_t size;

    bytes_of(&name, "archive", &size)[9] ^= 1;
    ram_store_put(fixture.ram, "/snapper/lost+found", NULL, 0);
    open_and_clean();
    make(1, 5);
    assert_non_null(bytes_of(&name, "archive", &size));
    assert_non_null(bytes_of(&name, "snapshot/0002", &size));
    assert_true(ram_store_exists(fixture.ram, "/snapper/lost+found"));
}

static void fault_10__more_than_4499_pages__are_a_generation(void **state)
{
    (void)state;
    struct generation_name name = commit_pages(&fixture, 0, 5000, 8, 1, NULL);

    fixture_reopen(&fixture);
    assert_pages(&fixture, name.text, 0, 5000, 8, 1);
}

static void fault_11__zombies__all_go_in_one_call_without_verbose(void **state)
{
    (void)state;
    struct snapper_zombie_report zombies;
    char path[100];

    for (unsigned i = 0; i < 9; i++) {
        snprintf(path, sizeof path, "/snapper/2026-01-01T00:00:00.000001Z/snapshot/%04x",
                 i);
        ram_store_put(fixture.ram, path, "\2xxxx\1y", 7);
    }
    fixture_reopen(&fixture);
    assert_int_equal(purge_zombies(fixture.snapper, &zombies), OK);
    assert_int_equal(zombies.files, 9);
    assert_tree_is_sound(fixture.ram, false);
}

static void fault_12__rewriting_a_count__leaves_the_size(void **state)
{
    (void)state;
    struct generation_name name = make(1, 1);
    size_t size;
    u64 changed;

    for (int i = 0; i < 5; i++) {
        make(1, 1);
        assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
        bytes_of(&name, "snapshot/0000", &size);
        assert_int_equal(size, SIZE + 6);
    }
}

static void fault_13__expiration__takes_all_expired_and_never_the_newest(void **state)
{
    (void)state;
    fixture.config.expiration = 3600;
    for (u64 i = 0; i < 6; i++) {
        port_host_set_time(NOON + i);
        make(3, i);
    }
    ram_store_put(fixture.ram, "/snapper/not a time", NULL, 0);
    fixture_reopen(&fixture);
    port_host_set_time(NOON + 7200 * 1000000ULL);
    assert_int_equal(purge_expired(fixture.snapper, &purged), OK);
    assert_int_equal(purged.generations, 5);
    assert_int_equal(snapper_generation_count(fixture.snapper), 1);
    fixture.config.expiration = UINT32_MAX; /* more than the clock has */
    port_host_set_time(1000000);
    make(3, 9);
    assert_int_equal(snapper_generation_count(fixture.snapper), 2);
}

static void fault_14__purge_cut_anywhere_and_run_again__loses_nothing(void **state)
{
    (void)state;
    bool done = false;

    for (u64 nth = 1; !done; nth++) {
        tear_down(state);
        set_up(state);
        ram_store_limits(fixture.ram)->transaction_room = 150;
        ram_store_limits(fixture.ram)->room_slack = 48;
        struct generation_name first = make(60, 1);
        struct generation_name second = make(30, 2);
        ram_store_fail(fixture.ram, nth, ERR_IO, true);
        done = purge(fixture.snapper, first.text, &purged) == OK;
        fixture_crash(&fixture);
        assert_int_equal(snapper_cleanup(fixture.snapper, &cleaned), OK);
        enum status again = purge(fixture.snapper, first.text, &purged);
        assert_true(again == OK || again == ERR_NOT_FOUND);
        assert_tree_is_sound(fixture.ram, false);
        assert_pages(&fixture, second.text, 30, 30, SIZE, 1);
        assert_true(nth < 1000);
    }
}

static void fault_15__cut_while_objects_are_taken__leaks_nothing(void **state)
{
    (void)state;
    static const u8 page[SIZE];
    u64 changed;

    make(5, 1);
    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    for (u64 i = 0; i < 5; i++)
        assert_int_equal(take_snapshot(fixture.snapper, page, SIZE, i), OK);
    fixture_crash(&fixture);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_tree_is_sound(fixture.ram, true);
}

static void fault_17__more_than_255_generations__purging_two_loses_no_page(void **state)
{
    (void)state;
    u64 changed;

    fixture.config.redundancy = 0;
    for (int i = 0; i < 258; i++)
        make(1, 1);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    for (int i = 0; i < 257; i++)
        assert_int_equal(purge(fixture.snapper, NULL, &purged), OK);
    assert_pages(&fixture, NULL, 0, 1, SIZE, 1);
    assert_int_equal(snapper_settle(fixture.snapper, &changed), OK);
    assert_tree_is_sound(fixture.ram, true);
}

static void fault_22__any_changed_byte_of_an_archive__is_noticed(void **state)
{
    (void)state;
    struct generation_name name = make(3, 1);
    struct snapper_view *view;
    size_t size;

    bytes_of(&name, "archive", &size);
    for (size_t at = 0; at < size; at++) {
        bytes_of(&name, "archive", &size)[at] ^= 0x21;
        fixture_reopen(&fixture);
        assert_int_not_equal(view_open(fixture.snapper, name.text, &view), OK);
        bytes_of(&name, "archive", &size)[at] ^= 0x21;
    }
}

static void fault_23__same_content_made_twice__is_the_same_to_the_byte(void **state)
{
    (void)state;
    struct generation_name name = make(20, 1);
    size_t size, again;
    u8 *bytes = bytes_of(&name, "archive", &size);
    u8 *kept = malloc(size);

    memcpy(kept, bytes, size);
    tear_down(state);
    set_up(state);
    name = make(20, 1);
    assert_memory_equal(bytes_of(&name, "archive", &again), kept, size);
    assert_int_equal(again, size);
    free(kept);
}

static void
fault_26__directories_of_a_shared_generation__go_with_the_last_file(void **state)
{
    (void)state;
    struct generation_name first = make(5, 1);
    struct generation_name second = make(5, 1); /* all shared */
    char path[100];

    make(5, 9);
    assert_int_equal(purge(fixture.snapper, first.text, &purged), OK);
    assert_int_equal(purge(fixture.snapper, second.text, &purged), OK);
    snprintf(path, sizeof path, "/snapper/%s", first.text);
    assert_false(ram_store_exists(fixture.ram, path));
    snprintf(path, sizeof path, "/snapper/%s", second.text);
    assert_false(ram_store_exists(fixture.ram, path));
}

static void fault_28__file_of_any_length_below_its_head__is_refused(void **state)
{
    (void)state;
    static const char start[] = "\2abcd\1";
    struct generation_name name = make(1, 1);
    u8 found[SIZE];
    char path[100];

    snprintf(path, sizeof path, "/snapper/%s/snapshot/0000", name.text);
    for (size_t size = 0; size <= 6; size++) {
        ram_store_put(fixture.ram, path, start, size);
        assert_int_equal(read_object(name.text, 0, found), ERR_INTEGRITY);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fault_01__open_after_a_purge__keeps_the_files_that_newer_ones_need),
        TEST(fault_02__max_and_min_snapshots__have_effect),
        TEST(fault_03__checksum_mismatch_on_restore__is_an_error),
        TEST(fault_04__counting_a_damaged_file__does_not_write_its_content),
        TEST(fault_05__good_first_copy_and_bad_last__restores_the_good_one),
        TEST(fault_06__purging_newer_ones__keeps_the_copies_that_older_ones_list),
        TEST(fault_07__carried_objects__outlive_the_generation_that_wrote_them),
        TEST(fault_08__other_page_with_the_same_checksum__is_saved),
        TEST(fault_09__damaged_archive_and_foreign_directory__are_not_deleted),
        TEST(fault_10__more_than_4499_pages__are_a_generation),
        TEST(fault_11__zombies__all_go_in_one_call_without_verbose),
        TEST(fault_12__rewriting_a_count__leaves_the_size),
        TEST(fault_13__expiration__takes_all_expired_and_never_the_newest),
        TEST(fault_14__purge_cut_anywhere_and_run_again__loses_nothing),
        TEST(fault_15__cut_while_objects_are_taken__leaks_nothing),
        TEST(fault_17__more_than_255_generations__purging_two_loses_no_page),
        TEST(fault_22__any_changed_byte_of_an_archive__is_noticed),
        TEST(fault_23__same_content_made_twice__is_the_same_to_the_byte),
        TEST(fault_26__directories_of_a_shared_generation__go_with_the_last_file),
        TEST(fault_28__file_of_any_length_below_its_head__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
