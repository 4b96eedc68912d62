/*
 * Absent pages come back when they are asked for, make room, and are checked, on a store in memory.
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

static enum status bring(u64 page)
{
    return pager_bring(&pager, window_space(), page);
}

/* Everything in the background; how many pages there are now. */
static u64 fetch_all(void)
{
    while (pager_fetch(&pager, FRAMES))
        ;
    return window_space()->counters.pages;
}

/* The number of pages that the generation holds. */
static enum status bring_back(u64 *pages)
{
    fixture_reopen(&fixture);
    switch_on();
    return pager_check(&pager, pages);
}

/* --- the pager --- */

static void pager_bring__one_by_one__in_any_order(void **state)
{
    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    switch_on();
    for (u64 slot = PAGES; slot-- > 0;) {
        assert_false(page_space_has(window_space(), page_of(slot)));
        assert_true(page_space_is_absent(window_space(), page_of(slot)));
        assert_int_equal(bring(page_of(slot)), OK);
        assert_true(page_space_has(window_space(), page_of(slot)));
        assert_memory(1, slot, 1);
    }
    assert_false(page_space_is_dirty(window_space()));
    assert_int_equal(pager.counters.asked, PAGES);
    assert_int_equal(pager.counters.advance, 0);
}

static void pager_bring__in_order__neighbours_come_too(void **state)
{
    enum { MANY = 200 };
    (void)state;
    for (u64 page = 0; page < MANY; page++)
        window_host_write(page, 0, page + 1);
    take_one(MANY);
    switch_on();
    for (u64 page = 0; page < MANY; page++)
        assert_int_equal(window_host_read(page, 0), page + 1);
    assert_int_equal(pager.counters.asked + pager.counters.advance, MANY);
    assert_true(pager.counters.asked < 10);
}

static void pager_bring__there_already__keeps_what_is_there(void **state)
{
    (void)state;
    write_pages(1, 0, 2);
    take_one(2);
    write_pages(2, 0, 2);
    size_t used = soft_mmu_frames_used();
    assert_int_equal(bring(page_of(0)), OK);
    assert_int_equal(soft_mmu_frames_used(), used);
    assert_memory(2, 0, 2);
}

static void pager_bring__not_in_the_generation__is_not_made(void **state)
{
    (void)state;
    write_pages(1, 0, 2);
    take_one(2);
    switch_on();
    assert_int_equal(bring(77), OK);
    assert_int_equal(bring(window_space()->limit), OK);
    assert_false(page_space_has(window_space(), 77));
    assert_int_equal(window_host_read(77, 0), 0);
}

static void pager_bring__frames_too_few__says_so_and_leaks_none(void **state)
{
    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    switch_on();
    soft_mmu_refuse_frames(true);
    assert_int_equal(bring(page_of(0)), ERR_NO_MEMORY);
    assert_false(pager_fetch(&pager, 10));
    assert_int_equal(window_space()->counters.pages, 0);
    soft_mmu_refuse_frames(false);
    assert_memory(1, 0, PAGES);
}

/* Takes all frames but so many; how many it took. */
static size_t take_frames(physical_address *taken, size_t left)
{
    size_t count = 0;

    while (soft_mmu_frames_left() > left)
        assert_int_equal(soft_mmu_machine()->frame_alloc(&taken[count++]), OK);
    return count;
}

static void pager_bring__no_frame_for_its_tables__reads_nothing_in_vain(void **state)
{
    struct ram_counters *counters = ram_store_counters(fixture.ram);
    physical_address taken[FRAMES];

    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    switch_on();
    assert_true(pager_holds(&pager, SPACE_KERNEL_WINDOW, page_of(0)));
    for (size_t left = 0; left < 4; left++) { /* two tables, the set, the page */
        size_t count = take_frames(taken, left);
        counters->bytes_read = 0;
        assert_int_equal(bring(page_of(0)), ERR_NO_MEMORY);
        assert_in_range(counters->bytes_read, 0, PAGE_SIZE - 1);
        while (count > 0)
            soft_mmu_machine()->frame_free(taken[--count]);
        window_host_reboot();
        make_spaces();
        pager_bind(&pager, fixture.snapper);
    }
    assert_memory(1, 0, PAGES);
}

static void pager_fetch__room_for_all__brings_all_and_ends(void **state)
{
    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    switch_on();
    window_host_write(page_of(3), 0, 77);
    assert_int_equal(fetch_all(), PAGES);
    assert_int_equal(pager.counters.fetched, PAGES - 1);
    assert_int_equal(window_host_read(page_of(3), 0), 77);
    assert_memory(1, 4, PAGES - 4);
}

static void pager_make_room__clean_pages__come_back_and_dirty_ones_stay(void **state)
{
    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    write_pages(2, 5, 2);
    (void)pager_make_room(&pager, 1000);
    (void)pager_make_room(&pager, 1000);
    assert_int_equal(pager.counters.evicted, PAGES - 2);
    assert_int_equal(window_space()->counters.pages, 2);
    assert_memory(1, 0, 5);
    assert_memory(2, 5, 2);
    assert_memory(1, 7, PAGES - 7);
    take_one(2);
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

static void pager_bring__content_damaged__stays_away_and_others_come(void **state)
{
    (void)state;
    write_pages(1, 0, PAGES);
    take_one(PAGES);
    damage_page_with(1000 + 5);
    fixture_reopen(&fixture);
    switch_on();
    enum status status = bring(page_of(5));
    assert_true(status == ERR_INTEGRITY || status == ERR_CORRUPT);
    size_t used = soft_mmu_frames_used(); /* its tables wait for the next one */
    assert_int_equal(bring(page_of(5)), status);
    assert_int_equal(soft_mmu_frames_used(), used);
    assert_int_equal(page_space_touch(window_space(), page_of(5), PAGE_WRITE), ERR_BUSY);
    assert_int_equal(fetch_all(), PAGES - 1);
    assert_memory(1, 6, PAGES - 6);
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

static void pager_check__object_of_no_space__is_refused(void **state)
{
    (void)state;
    assert_refused(object_id(SPACE_NUMBER_MAX + 1, 0), PAGE_SIZE);
}

static void pager_check__object_behind_the_space__is_refused(void **state)
{
    (void)state;
    assert_refused(object_id(0, window_space()->limit), PAGE_SIZE);
    assert_refused(object_id(5, USER_SPACE_GIB * GIB / PAGE_SIZE), PAGE_SIZE);
}

static void pager_check__object_of_another_size__is_refused(void **state)
{
    static const size_t sizes[] = { 1, PAGE_SIZE - 1, PAGE_SIZE + 1, 2 * PAGE_SIZE };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_refused(object_id(0, 3), sizes[i]);
        assert_int_not_equal(bring(3), OK);
        assert_false(page_space_has(window_space(), 3));
        stop(state);
        start(state);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pager_bring__one_by_one__in_any_order),
        TEST(pager_bring__in_order__neighbours_come_too),
        TEST(pager_bring__there_already__keeps_what_is_there),
        TEST(pager_bring__not_in_the_generation__is_not_made),
        TEST(pager_bring__frames_too_few__says_so_and_leaks_none),
        TEST(pager_bring__no_frame_for_its_tables__reads_nothing_in_vain),
        TEST(pager_fetch__room_for_all__brings_all_and_ends),
        TEST(pager_make_room__clean_pages__come_back_and_dirty_ones_stay),
        TEST(pager_bring__content_damaged__stays_away_and_others_come),
        TEST(pager_check__object_of_no_space__is_refused),
        TEST(pager_check__object_behind_the_space__is_refused),
        TEST(pager_check__object_of_another_size__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
