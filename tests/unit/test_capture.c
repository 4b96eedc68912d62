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
#include "kernel/persist/pager.h"
#include "tests/support/snapper_fixture.h"
#include "tests/support/soft_mmu.h"
#include "tests/support/window_host.h"

enum { FRAMES = 600, PAGES = 40, LAST_WORD = PAGE_SIZE - 8 };

static struct fixture fixture;
static struct disk disk;
static struct spaces spaces;
static struct pager pager;

/* The window of a machine that was just switched on; of the image it knows nothing yet. */
static void make_spaces(void)
{
    struct page_backing backing = { pager_holds, &pager };

    spaces_init(&spaces, window_space(), &backing);
    pager_init(&pager, &spaces);
}

static enum status touch(struct page_space *space, u64 page, enum page_access access)
{
    enum status status = pager_bring(&pager, space, page);

    return status ? status : page_space_touch(space, page, access);
}

static int start(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL, 1);
    window_host_start(FRAMES);
    window_set_pager(touch);
    make_spaces();
    pager_bind(&pager, fixture.snapper);
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
        assert_true(page_space_has(window_space(), page_of(slot)) ||
                    page_space_is_absent(window_space(), page_of(slot)));
        assert_int_equal(window_host_read(page_of(slot), 0), seed * 1000 + slot);
        assert_int_equal(window_host_read(page_of(slot), LAST_WORD), seed + slot);
    }
}

static enum status take(struct capture_report *report)
{
    struct capture capture = { &spaces, fixture.snapper, &disk, NULL, false };

    return capture_generation(&capture, "test", report);
}

static void take_one(u64 expected_pages)
{
    struct capture_report report;

    assert_int_equal(take(&report), OK);
    assert_int_equal(report.commit.taken, expected_pages);
    assert_false(page_space_is_dirty(window_space()));
}

/* A machine that has just been switched on, on the newest generation. */
static void switch_on(void)
{
    window_host_reboot();
    make_spaces();
    assert_int_equal(open_generation(fixture.snapper, NULL), OK);
    assert_int_equal(close_generation(fixture.snapper), OK);
    pager_bind(&pager, fixture.snapper);
}

/* The number of pages that the generation holds. */
static enum status bring_back(u64 *pages)
{
    fixture_reopen(&fixture);
    switch_on();
    return pager_check(&pager, pages);
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
    assert_false(page_space_is_absent(window_space(), page_of(7)));
    assert_int_equal(window_host_read(page_of(7), 0), 0);
    assert_false(page_space_is_absent(window_space(), page_of(PAGES)));
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
        switch_on();
        assert_int_equal(pager_check(&pager, &pages), OK);
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

/* --- spaces of processes, pages that are absent --- */

static void capture_generation__pages_absent__are_in_it_unchanged(void **state)
{
    u64 pages;

    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    switch_on();
    write_pages(2, 3, 1);
    assert_int_equal(page_space_release(window_space(), page_of(9)), OK);
    assert_int_equal(window_host_read(page_of(9), 0), 0);
    take_one(1);
    assert_int_equal(bring_back(&pages), OK);
    assert_int_equal(pages, PAGES - 1);
    assert_memory(1, 0, 3);
    assert_memory(2, 3, 1);
    assert_memory(1, 4, 5);
    assert_memory(1, 10, PAGES - 10);
}

static void capture_generation__a_process_comes_and_goes__its_pages_too(void **state)
{
    struct page_policy policy = { .user = true };
    struct page_space *space;
    void *memory;
    u64 pages;

    (void)state;
    write_pages(1, 0, 2);
    assert_int_equal(spaces_attach(&spaces, 7, SPACE_NEW, &policy, &space), OK);
    assert_int_equal(page_space_alias(space, 0x400, &memory), OK);
    *(u64 *)memory = 99;
    take_one(3);
    spaces_destroy(&spaces);
    assert_int_equal(bring_back(&pages), OK);
    assert_int_equal(pages, 3);

    assert_int_equal(spaces_attach(&spaces, 7, SPACE_RESUMED, &policy, &space), OK);
    assert_int_equal(page_space_touch(space, 0x400, PAGE_READ), ERR_BUSY);
    assert_int_equal(pager_bring(&pager, space, 0x400), OK);
    assert_int_equal(*(const u64 *)page_space_peek(space, 0x400), 99);
    spaces_detach(&spaces, space);
    take_one(0);
    assert_int_equal(bring_back(&pages), OK);
    assert_int_equal(pages, 2);
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
        TEST(capture_generation__pages_absent__are_in_it_unchanged),
        TEST(capture_generation__a_process_comes_and_goes__its_pages_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
