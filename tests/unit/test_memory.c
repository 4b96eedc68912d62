/*
 * Memory that runs short, and the faults of programs that wait for it, on a machine in software.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/persist/persist.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"
#include "tests/support/soft_mmu.h"
#include "tests/support/window_host.h"

enum {
    FRAMES = 1000,
    TICK = 20000,
    FIRST = 20,
    LAST_WORD = PAGE_SIZE - 8,
    MANY_BLOCKS = 100000
};
enum { REQUESTS_MAX = 32 }; /* that the kernel remembers at once */

static struct fixture fixture;
static struct disk disk;

static void initialize(void *object)
{
    *(u64 *)object = 42;
}

static enum status validate(void *object)
{
    return *(u64 *)object == 42 ? OK : ERR_CORRUPT;
}

static struct root_object_type object_types[] = {
    { "counter", 1, 8, initialize, validate, false },
};
static struct root_types types = { object_types, 1 };

static void boot(void)
{
    struct persist_store store = { fixture.snapper, &disk, &fixture.config, NULL, NULL };
    struct persist_choice choice = {};

    port_host_clear_log();
    persist_start(&types, &store, &choice);
}

static int start(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL, 1);
    window_host_start(FRAMES);
    boot();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    window_host_stop();
    fixture_close(&fixture);
    return 0;
}

/* The plug, and power again. */
static void reboot(void)
{
    window_host_reboot();
    fixture_crash(&fixture);
    boot();
}

static void poll(void)
{
    window_host_pass(TICK);
    persist_poll();
}

static u64 word_of(u64 page, u64 seed)
{
    return seed << 32 | page;
}

/* As a command: it asks first. Some status other than OK: where it ended. */
static enum status fill(u64 seed, u64 first, u64 count)
{
    for (u64 page = first; page < first + count; page++) {
        enum status status = persist_touch(window_space(), FIRST + page, PAGE_WRITE);
        if (status)
            return status;
        window_host_write(FIRST + page, 0, word_of(page, seed));
        window_host_write(FIRST + page, LAST_WORD, ~word_of(page, seed));
    }
    return OK;
}

static void assert_memory(u64 seed, u64 first, u64 count)
{
    for (u64 page = first; page < first + count; page++) {
        assert_int_equal(persist_touch(window_space(), FIRST + page, PAGE_READ), OK);
        assert_int_equal(window_host_read(FIRST + page, 0), word_of(page, seed));
        assert_int_equal(window_host_read(FIRST + page, LAST_WORD), ~word_of(page, seed));
    }
}

static size_t generations(void)
{
    return snapper_generation_count(fixture.snapper);
}

/* --- generations that memory forces --- */

static void persist_poll__half_of_memory_dirty__a_generation_is_forced(void **state)
{
    (void)state;
    assert_int_equal(fill(1, 0, FRAMES / 3), OK);
    poll();
    assert_int_equal(generations(), 0);
    assert_int_equal(fill(1, FRAMES / 3, FRAMES / 3), OK);
    poll();
    assert_int_equal(generations(), 1);
    assert_int_equal(persist_dirty_pages(), 0);
    assert_true(port_host_logged("memory is full: generation"));
    poll();
    assert_int_equal(generations(), 1);
    reboot();
    assert_memory(1, 0, FRAMES / 3 * 2);
}

static void persist_poll__forced_again_and_again__only_the_newest_is_kept(void **state)
{
    (void)state;
    for (u64 seed = 1; seed < 6; seed++) {
        assert_int_equal(fill(seed, 0, FRAMES / 3 * 2), OK);
        poll();
        assert_int_equal(generations(), 1);
    }
    reboot();
    assert_memory(5, 0, FRAMES / 3 * 2);
}

static void persist_touch__several_times_the_memory__all_of_it_is_there(void **state)
{
    (void)state;
    assert_int_equal(fill(7, 0, 3 * FRAMES), OK);
    assert_memory(7, 0, 3 * FRAMES);
    assert_true(persist_memory().evicted > FRAMES);
    assert_int_equal(fill(8, 100, FRAMES), OK);
    assert_memory(7, 0, 100);
    assert_memory(8, 100, FRAMES);
    assert_memory(7, FRAMES + 100, 2 * FRAMES - 100);
}

static void
persist_touch__memory_and_image_full__writers_are_told_and_readers_go_on(void **state)
{
    (void)state;
    assert_int_equal(fill(1, 0, FRAMES / 3 * 2), OK);
    poll();
    ram_store_limits(fixture.ram)->total_blocks = 1;
    assert_int_equal(fill(2, 0, 2 * FRAMES), ERR_NO_SPACE);
    poll();
    assert_int_equal(persist_touch(window_space(), FIRST + 2 * FRAMES, PAGE_WRITE),
                     ERR_NO_SPACE);
    assert_memory(2, 0, FRAMES / 2);
    ram_store_limits(fixture.ram)->total_blocks = MANY_BLOCKS;
    window_host_pass(3600UL * 1000 * 1000); /* it does not try again at once */
    assert_int_equal(fill(3, 0, 2 * FRAMES), OK);
    assert_memory(3, 0, 2 * FRAMES);
}

/* --- programs that wait --- */

/* Pages in a generation, none of them in memory. */
static void leave_behind(u64 count)
{
    struct capture_report report;

    assert_int_equal(fill(1, 0, count), OK);
    assert_int_equal(persist_capture(NULL, &report), OK);
    reboot();
}

static enum status fault(u64 page, enum page_access access)
{
    return persist_fault(window_space(), FIRST + page, access);
}

static void persist_fault__page_absent__is_there_after_a_poll(void **state)
{
    (void)state;
    leave_behind(10);
    assert_false(persist_is_wanted());
    for (int asked = 0; asked < 3; asked++) {
        assert_int_equal(fault(5, PAGE_READ), ERR_BUSY);
        assert_true(persist_is_wanted());
    }
    persist_poll();
    assert_false(persist_is_wanted());
    assert_int_equal(fault(5, PAGE_READ), OK);
    assert_int_equal(window_host_read(FIRST + 5, 0), word_of(5, 1));
}

static void persist_fault__more_than_are_remembered__none_waits_for_ever(void **state)
{
    enum { PAGES = 3 * REQUESTS_MAX };
    int left = PAGES;

    (void)state;
    leave_behind(PAGES);
    for (int polls = 0; left > 0; polls++) {
        assert_true(polls < PAGES);
        left = 0;
        for (u64 page = PAGES; page-- > 0;) /* against the read-ahead */
            left += fault(page, PAGE_WRITE) == ERR_BUSY;
        persist_poll();
    }
    assert_memory(1, 0, PAGES);
}

static void persist_fault__no_frames__memory_is_made_by_a_generation(void **state)
{
    (void)state;
    u64 page = 0;
    for (; fault(page, PAGE_WRITE) == OK; page++)
        window_host_write(FIRST + page, 0, page);
    assert_true(page > FRAMES / 2);
    assert_int_equal(generations(), 0);
    persist_poll();
    assert_int_equal(generations(), 1);
    assert_int_equal(fault(page, PAGE_WRITE), OK);
    window_host_write(FIRST + page, 0, page);
}

static void persist_fault__image_full__program_is_told_once(void **state)
{
    (void)state;
    ram_store_limits(fixture.ram)->total_blocks = 1;
    u64 page = 0;
    for (; fault(page, PAGE_WRITE) == OK; page++)
        window_host_write(FIRST + page, 0, page);
    persist_poll();
    assert_int_equal(fault(page, PAGE_WRITE), ERR_NO_SPACE);
    assert_int_equal(fault(page, PAGE_WRITE), ERR_BUSY); /* whoever asks now asks anew */
    persist_poll();
    assert_int_equal(fault(page, PAGE_WRITE), ERR_NO_SPACE);
    assert_int_equal(fault(page - 1, PAGE_READ), OK);
}

static void
persist_detach__program_ends_while_it_waits__nobody_wants_anything(void **state)
{
    static const struct page_policy policy = { .user = true };
    struct page_space *space;
    enum status status;
    u64 page = 0;

    (void)state;
    assert_int_equal(persist_attach(7, SPACE_NEW, &policy, &space), OK);
    while ((status = persist_fault(space, page, PAGE_WRITE)) == OK)
        page++;
    assert_int_equal(status, ERR_BUSY);
    assert_true(persist_is_wanted());
    persist_detach(space);
    assert_false(persist_is_wanted());
    assert_int_equal(fill(1, 0, FRAMES / 2), OK); /* its memory is there for others */
    assert_int_equal(generations(), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(persist_poll__half_of_memory_dirty__a_generation_is_forced),
        TEST(persist_poll__forced_again_and_again__only_the_newest_is_kept),
        TEST(persist_touch__several_times_the_memory__all_of_it_is_there),
        TEST(persist_touch__memory_and_image_full__writers_are_told_and_readers_go_on),
        TEST(persist_fault__page_absent__is_there_after_a_poll),
        TEST(persist_fault__more_than_are_remembered__none_waits_for_ever),
        TEST(persist_fault__no_frames__memory_is_made_by_a_generation),
        TEST(persist_fault__image_full__program_is_told_once),
        TEST(persist_detach__program_ends_while_it_waits__nobody_wants_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
