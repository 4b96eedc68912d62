/*
 * Pages into a generation and back, on a store in memory that fails wherever it can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/persist/capture.h"
#include "kernel/persist/restore.h"
#include "tests/support/snapper_fixture.h"
#include "tests/support/soft_mmu.h"
#include "tests/support/window_host.h"

enum { FRAMES = 600, PAGES = 40, SPACE = 3, LAST_WORD = PAGE_SIZE - 8 };

static struct fixture fixture;
static struct disk disk;

static int start(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL, 1);
    window_host_start(FRAMES);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    window_host_stop();
    fixture_close(&fixture);
    return 0;
}

/* Neighbours, other leaf tables, another GiB. */
static u64 page_of(u64 slot)
{
    static const u64 places[] = { 0, 510, 5000, 262140 };

    return places[slot % 4] + slot / 4;
}

static void write_pages(u64 seed, u64 first, u64 count)
{
    for (u64 slot = first; slot < first + count; slot++) {
        window_host_write(page_of(slot), 0, seed * 1000 + slot);
        window_host_write(page_of(slot), LAST_WORD, seed + slot);
    }
}

static void assert_memory(u64 seed, u64 first, u64 count)
{
    for (u64 slot = first; slot < first + count; slot++) {
        assert_true(page_space_has(window_space(), page_of(slot)));
        assert_int_equal(window_host_read(page_of(slot), 0), seed * 1000 + slot);
        assert_int_equal(window_host_read(page_of(slot), LAST_WORD), seed + slot);
    }
}

static enum status take(struct capture_report *report)
{
    struct capture capture = { window_space(), SPACE, fixture.snapper, &disk };

    return capture_generation(&capture, "test", report);
}

static void take_one(u64 expected_pages)
{
    struct capture_report report;

    assert_int_equal(take(&report), OK);
    assert_int_equal(report.commit.taken, expected_pages);
    assert_false(page_space_is_dirty(window_space()));
}

static struct restore open_view(void)
{
    struct restore restore = { window_space(), SPACE, NULL };

    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    struct generation_name name = snapper_current(fixture.snapper);
    assert_int_equal(view_open(fixture.snapper, name.text, &restore.view), OK);
    return restore;
}

static void close_view(struct restore *restore)
{
    view_close(restore->view);
    assert_int_equal(close_generation(fixture.snapper), OK);
}

/* Everything into a machine that has just been switched on; the number of pages. */
static enum status bring_back(u64 *pages)
{
    window_host_reboot();
    fixture_reopen(&fixture);
    struct restore restore = open_view();
    enum status status = restore_all(&restore, pages);
    close_view(&restore);
    return status;
}

static void capture_generation__pages_written__are_back_after_a_reboot(void **state)
{
    u64 pages;

    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    assert_int_equal(bring_back(&pages), OK);
    assert_int_equal(pages, PAGES);
    assert_memory(1, 0, PAGES);
    assert_false(page_space_is_dirty(window_space()));
}

static void capture_generation__some_pages_written_again__takes_only_these(void **state)
{
    u64 pages;

    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    write_pages(2, 10, 3);
    take_one(3);
    take_one(0);
    assert_int_equal(bring_back(&pages), OK);
    assert_int_equal(pages, PAGES);
    assert_memory(1, 0, 10);
    assert_memory(2, 10, 3);
    assert_memory(1, 13, PAGES - 13);
}

static void capture_generation__page_released__is_not_in_the_next(void **state)
{
    u64 pages;

    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    assert_int_equal(page_space_release(window_space(), page_of(7)), OK);
    assert_int_equal(page_space_release(window_space(), page_of(8)), OK);
    write_pages(2, 8, 1);
    write_pages(3, PAGES, 1);
    assert_int_equal(page_space_release(window_space(), page_of(PAGES)), OK);
    take_one(1);
    assert_int_equal(bring_back(&pages), OK);
    assert_int_equal(pages, PAGES - 1);
    assert_false(page_space_has(window_space(), page_of(7)));
    assert_false(page_space_has(window_space(), page_of(PAGES)));
    assert_memory(2, 8, 1);
}

/* The second generation with its n-th operation failing: the first stays, nothing is lost. */
static bool fails_at(u64 nth)
{
    struct capture_report report;

    write_pages(1, 0, PAGES);
    take_one(PAGES);
    write_pages(2, 0, 5);
    ram_store_fail(fixture.ram, nth, ERR_IO, false);
    enum status status = take(&report);
    ram_store_fail(fixture.ram, 0, OK, false);

    if (status == OK)
        return false;
    assert_int_equal(window_space()->phase, SPACE_IDLE);
    assert_int_not_equal(snapper_state(fixture.snapper), SNAPPER_CREATION);
    assert_memory(2, 0, 5);
    assert_true(page_space_is_dirty(window_space()));
    return true;
}

static void
capture_generation__store_fails_at_each_operation__nothing_is_lost(void **state)
{
    u64 nth = 1, failed = 0, pages;

    /* Commits that fail leave it to a power cut what the disk has: as fixture_crash() does. */
    for (; nth < 400; nth++) {
        bool did = fails_at(nth);
        failed += did;
        fixture_crash(&fixture);
        window_host_reboot();
        struct restore restore = open_view();
        assert_int_equal(restore_all(&restore, &pages), OK);
        close_view(&restore);
        assert_int_equal(pages, PAGES);
        if (did)
            assert_memory(1, 0, PAGES);
        else
            assert_memory(2, 0, 5);
        stop(state);
        start(state);
        if (!did && failed)
            break;
    }
    print_message("%lu operations failed\n", (unsigned long)failed);
    assert_true(failed >= 4);
    assert_true(nth < 400);
}

static void
capture_generation__after_a_failure__the_next_takes_what_was_left(void **state)
{
    struct capture_report report;
    u64 pages;

    (void)state;
    write_pages(1, 0, PAGES);
    ram_store_fail(fixture.ram, 2, ERR_NO_SPACE, false);
    assert_int_equal(take(&report), ERR_NO_SPACE);
    write_pages(2, 5, 2);
    write_pages(2, PAGES, 2);
    take_one(PAGES + 2);
    assert_int_equal(bring_back(&pages), OK);
    assert_memory(1, 0, 5);
    assert_memory(2, 5, 2);
    assert_memory(1, 7, PAGES - 7);
    assert_memory(2, PAGES, 2);
}

static void capture_generation__session_closed_for_it__changes_nothing(void **state)
{
    struct capture_report report = { .bytes = 42 };

    (void)state;
    write_pages(1, 0, 3);
    ram_store_set_read_only(fixture.ram, true);
    assert_int_not_equal(take(&report), OK);
    assert_int_equal(report.bytes, 42);
    ram_store_set_read_only(fixture.ram, false);
    take_one(3);
}

/* --- restore --- */

static void restore_page__one_by_one__in_any_order(void **state)
{
    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    window_host_reboot();
    struct restore restore = open_view();
    for (u64 slot = PAGES; slot-- > 0;) {
        assert_false(page_space_has(window_space(), page_of(slot)));
        assert_int_equal(restore_page(&restore, page_of(slot)), OK);
        assert_memory(1, slot, 1);
    }
    close_view(&restore);
}

static void restore_page__there_already__keeps_what_is_there(void **state)
{
    size_t used;

    (void)state;
    write_pages(1, 0, 2);
    take_one(2);
    write_pages(2, 0, 2);
    struct restore restore = open_view();
    used = soft_mmu_frames_used();
    assert_int_equal(restore_page(&restore, page_of(0)), ERR_EXISTS);
    assert_int_equal(soft_mmu_frames_used(), used);
    assert_memory(2, 0, 2);
    close_view(&restore);
}

static void restore_page__not_in_the_generation__is_not_made(void **state)
{
    (void)state;
    write_pages(1, 0, 2);
    take_one(2);
    struct restore restore = open_view();
    assert_int_equal(restore_page(&restore, 77), ERR_NOT_FOUND);
    assert_int_equal(restore_page(&restore, window_space()->limit), ERR_NOT_FOUND);
    assert_false(page_space_has(window_space(), 77));
    close_view(&restore);
}

static void restore_all__frames_too_few__says_so_and_leaks_none(void **state)
{
    u64 pages;

    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    window_host_reboot();
    struct restore restore = open_view();
    soft_mmu_refuse_frames(true);
    assert_int_equal(restore_all(&restore, &pages), ERR_NO_MEMORY);
    soft_mmu_refuse_frames(false);
    assert_int_equal(pages, 0);
    assert_int_equal(restore_all(&restore, &pages), OK);
    assert_int_equal(pages, PAGES);
    close_view(&restore);
}

static void damage_one(void *context, const char *path, bool is_directory, const u8 *data,
                       size_t size)
{
    enum { HEADER = 6 };
    size_t unused;

    if (!is_directory && size == HEADER + PAGE_SIZE &&
        memcmp(data + HEADER, context, sizeof(u64)) == 0)
        ram_store_bytes(fixture.ram, path, &unused)[HEADER + 2000] ^= 4;
}

/* Flips a bit in the content of the snapshot file that begins with this word. */
static void damage_page_with(u64 word)
{
    ram_store_walk(fixture.ram, damage_one, &word);
}

static void restore_page__content_damaged__stays_away(void **state)
{
    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    damage_page_with(1000 + 5);
    window_host_reboot();
    fixture_reopen(&fixture);
    struct restore restore = open_view();
    size_t used = soft_mmu_frames_used();
    enum status status = restore_page(&restore, page_of(5));
    assert_true(status == ERR_INTEGRITY || status == ERR_CORRUPT);
    assert_int_equal(soft_mmu_frames_used(), used);
    assert_false(page_space_has(window_space(), page_of(5)));
    assert_int_equal(restore_page(&restore, page_of(6)), OK);
    close_view(&restore);
}

/* A generation of one object that this kernel's window cannot hold. */
static void assert_refused(u64 id, size_t size)
{
    static u8 content[2 * PAGE_SIZE];
    struct snapper_commit_report report;
    u64 pages;

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    assert_int_equal(take_snapshot(fixture.snapper, content, size, id), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &report), OK);
    assert_int_equal(bring_back(&pages), ERR_UNSUPPORTED);
    assert_int_equal(window_space()->counters.pages, 0);
}

static void restore_all__object_of_another_space__is_refused(void **state)
{
    (void)state;
    assert_refused(object_id(SPACE + 1, 0), PAGE_SIZE);
}

static void restore_all__object_behind_the_space__is_refused(void **state)
{
    (void)state;
    assert_refused(object_id(SPACE, window_space()->limit), PAGE_SIZE);
}

static void restore_all__object_of_another_size__is_refused(void **state)
{
    static const size_t sizes[] = { 1, PAGE_SIZE - 1, PAGE_SIZE + 1, 2 * PAGE_SIZE };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_refused(object_id(SPACE, 3), sizes[i]);
        struct restore restore = open_view();
        assert_int_not_equal(restore_page(&restore, 3), OK);
        assert_false(page_space_has(window_space(), 3));
        close_view(&restore);
        stop(state);
        start(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(capture_generation__pages_written__are_back_after_a_reboot),
        TEST(capture_generation__some_pages_written_again__takes_only_these),
        TEST(capture_generation__page_released__is_not_in_the_next),
        TEST(capture_generation__store_fails_at_each_operation__nothing_is_lost),
        TEST(capture_generation__after_a_failure__the_next_takes_what_was_left),
        TEST(capture_generation__session_closed_for_it__changes_nothing),
        TEST(restore_page__one_by_one__in_any_order),
        TEST(restore_page__there_already__keeps_what_is_there),
        TEST(restore_page__not_in_the_generation__is_not_made),
        TEST(restore_all__frames_too_few__says_so_and_leaks_none),
        TEST(restore_page__content_damaged__stays_away),
        TEST(restore_all__object_of_another_space__is_refused),
        TEST(restore_all__object_behind_the_space__is_refused),
        TEST(restore_all__object_of_another_size__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
