/*
 * What pages may be used for: rights by policy, user spaces beside the window, on the software MMU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/persist/page_space_internal.h"
#include "tests/support/soft_mmu.h"

enum { CODE = 0x400, CONSTANTS = 0x500, DATA = 0x600, HOLE = 0x700 };

static struct page_space space;
static _Alignas(PAGE_SIZE) page_entry top[TABLE_ENTRIES];

static enum page_rights rights_of_page(void *context, u64 page)
{
    (void)context;
    if (page >= HOLE)
        return PAGE_NONE;
    if (page >= DATA)
        return PAGE_WRITABLE;
    return page >= CONSTANTS ? PAGE_READABLE : PAGE_EXECUTABLE;
}

static int start(void **state)
{
    (void)state;
    soft_mmu_start(200);
    page_space_init(&space, soft_mmu_machine(), top, SOFT_MMU_USER_BASE,
                    SOFT_MMU_USER_GIB * GIB);
    page_space_set_policy(&space, &(struct page_policy){ true, rights_of_page, NULL });
    soft_mmu_load(top);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    if (space.phase != SPACE_IDLE)
        page_space_abort(&space);
    page_space_reset(&space);
    size_t left = soft_mmu_frames_used();
    soft_mmu_stop();
    return left != 0;
}

static void fill(u64 page, u64 value)
{
    void *memory;

    assert_int_equal(page_space_alias(&space, page, &memory), OK);
    *(u64 *)memory = value;
}

static void demarcate_and_harvest(void)
{
    assert_int_equal(page_space_prepare(&space), OK);
    page_space_demarcate(&space);
    while (page_space_harvest_step(&space))
        ;
}

static u64 taken_word(u64 page)
{
    struct page_cursor cursor = {};
    const void *memory;
    u64 found;

    while (page_space_next_taken(&space, &cursor, &found, &memory))
        if (found == page)
            return *(const u64 *)memory;
    return 0;
}

static void touch__rights_of_each_kind__ring_3_gets_these_and_no_others(void **state)
{
    u64 value;

    (void)state;
    assert_int_equal(page_space_touch(&space, CODE, PAGE_EXECUTE), OK);
    assert_int_equal(soft_mmu_user_fetch(CODE), SOFT_MMU_OK);
    assert_int_equal(soft_mmu_user_read(CODE, 0, &value), SOFT_MMU_OK);
    assert_int_equal(soft_mmu_user_write(CODE, 0, 1), SOFT_MMU_WRITE_FAULT);
    assert_int_equal(page_space_touch(&space, CODE, PAGE_WRITE), ERR_READ_ONLY);

    assert_int_equal(page_space_touch(&space, CONSTANTS, PAGE_READ), OK);
    assert_int_equal(soft_mmu_user_read(CONSTANTS, 0, &value), SOFT_MMU_OK);
    assert_int_equal(soft_mmu_user_fetch(CONSTANTS), SOFT_MMU_FETCH_FAULT);
    assert_int_equal(page_space_touch(&space, CONSTANTS, PAGE_EXECUTE), ERR_READ_ONLY);
    assert_int_equal(page_space_touch(&space, CONSTANTS, PAGE_WRITE), ERR_READ_ONLY);
    assert_int_equal(soft_mmu_user_write(CONSTANTS, 0, 1), SOFT_MMU_WRITE_FAULT);

    assert_int_equal(page_space_touch(&space, DATA, PAGE_WRITE), OK);
    assert_int_equal(soft_mmu_user_write(DATA, 0, 1), SOFT_MMU_OK);
    assert_int_equal(soft_mmu_user_fetch(DATA), SOFT_MMU_FETCH_FAULT);
    assert_int_equal(page_space_touch(&space, DATA, PAGE_EXECUTE), ERR_READ_ONLY);
}

static void touch__no_rights__there_is_no_such_page(void **state)
{
    physical_address frame;

    (void)state;
    assert_int_equal(page_space_touch(&space, HOLE, PAGE_READ), ERR_INVALID_ARGUMENT);
    assert_int_equal(soft_mmu_machine()->frame_alloc(&frame), OK);
    assert_int_equal(page_space_install(&space, HOLE, frame), ERR_INVALID_ARGUMENT);
    soft_mmu_machine()->frame_free(frame);
    assert_false(page_space_has(&space, HOLE));
}

static void touch__page_of_the_kernel__ring_3_does_not_reach_it(void **state)
{
    static _Alignas(PAGE_SIZE) page_entry kernel_top[TABLE_ENTRIES];
    struct page_space kernel;
    u64 value;

    (void)state;
    page_space_init(&kernel, soft_mmu_machine(), kernel_top, SOFT_MMU_USER_BASE,
                    SOFT_MMU_USER_GIB * GIB);
    soft_mmu_load(kernel_top);
    assert_int_equal(page_space_touch(&kernel, DATA, PAGE_WRITE), OK);
    assert_int_equal(soft_mmu_user_read(DATA, 0, &value), SOFT_MMU_READ_FAULT);
    assert_int_equal(soft_mmu_user_write(DATA, 0, 1), SOFT_MMU_WRITE_FAULT);
    page_space_reset(&kernel);
}

static void
alias__table_not_harvested_yet__the_generation_has_what_was_before_the_line(void **state)
{
    (void)state;
    fill(CODE, 7);
    fill(CODE + 1, 9);
    assert_int_equal(page_space_prepare(&space), OK);
    page_space_demarcate(&space);
    fill(CODE + 1, 10);
    fill(CODE, 8);
    while (page_space_harvest_step(&space))
        ;
    assert_int_equal(taken_word(CODE), 7);
    assert_int_equal(taken_word(CODE + 1), 9);
    page_space_commit(&space);

    demarcate_and_harvest();
    assert_int_equal(taken_word(CODE), 8);
    assert_int_equal(taken_word(CODE + 1), 10);
}

static void alias__page_that_may_not_be_written__is_dirty_and_stays_so(void **state)
{
    u64 value;

    (void)state;
    fill(CODE, 7);
    assert_true(page_space_is_dirty(&space));
    demarcate_and_harvest();
    assert_int_equal(taken_word(CODE), 7);

    fill(CODE, 8); /* in flight: copied */
    assert_int_equal(taken_word(CODE), 7);
    assert_int_equal(soft_mmu_user_write(CODE, 0, 1), SOFT_MMU_WRITE_FAULT);
    page_space_commit(&space);
    assert_int_equal(soft_mmu_user_write(CODE, 0, 1), SOFT_MMU_WRITE_FAULT);
    assert_int_equal(soft_mmu_user_read(CODE, 0, &value), SOFT_MMU_OK);
    assert_int_equal(value, 8);

    demarcate_and_harvest();
    assert_int_equal(taken_word(CODE), 8);
    page_space_abort(&space);
    demarcate_and_harvest();
    page_space_commit(&space);
    assert_int_equal(soft_mmu_user_write(CODE, 0, 1), SOFT_MMU_WRITE_FAULT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define RIGHTS_TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
        RIGHTS_TEST(touch__rights_of_each_kind__ring_3_gets_these_and_no_others),
        RIGHTS_TEST(touch__no_rights__there_is_no_such_page),
        RIGHTS_TEST(touch__page_of_the_kernel__ring_3_does_not_reach_it),
        RIGHTS_TEST(
            alias__table_not_harvested_yet__the_generation_has_what_was_before_the_line),
        RIGHTS_TEST(alias__page_that_may_not_be_written__is_dirty_and_stays_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
