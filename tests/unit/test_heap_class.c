/* Slabs need nothing of the kernel, so they are compiled right into their test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/mm/heap_class.c"

static u8 page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static void heap_class_of__every_size__fits_and_is_the_smallest(void **state)
{
    (void)state;
    for (size_t size = 1; size <= PAGE_SIZE; size++) {
        u16 class_index = heap_class_of(size);
        if (class_index == HEAP_CLASS_COUNT) {
            assert_true(size > heap_class_slot_size(HEAP_CLASS_COUNT - 1));
            continue;
        }
        assert_true(heap_class_slot_size(class_index) >= size);
        assert_true(class_index == 0 || heap_class_slot_size(class_index - 1) < size);
        assert_int_equal(heap_class_slot_size(class_index) % 16, 0);
    }
    assert_int_equal(heap_class_of(SIZE_MAX), HEAP_CLASS_COUNT);
}

static void slab_take__until_full__slots_are_apart_and_inside(void **state)
{
    (void)state;
    for (u16 class_index = 0; class_index < HEAP_CLASS_COUNT; class_index++) {
        struct slab *slab = slab_init(page, class_index);
        u8 *end = page + SLAB_HEADER_SIZE;

        for (u16 i = 0; i < slab->slots; i++) {
            assert_false(slab_is_full(slab));
            u8 *slot = slab_take(slab);
            assert_ptr_equal(slot, end);
            assert_int_equal((uintptr_t)slot % 16, 0);
            end = slot + slab->slot_size;
        }
        assert_true(end <= page + PAGE_SIZE);
        assert_true(end + slab->slot_size > page + PAGE_SIZE);
        assert_true(slab_is_full(slab));
        assert_null(slab_take(slab));
    }
}

static void slab_give__what_is_no_slot_in_use__is_refused(void **state)
{
    (void)state;
    for (u16 class_index = 0; class_index < HEAP_CLASS_COUNT; class_index++) {
        struct slab *slab = slab_init(page, class_index);
        u8 *slot = slab_take(slab);
        u8 *other = slab_take(slab);

        assert_false(slab_give(slab, slot + 8));
        assert_false(slab_give(slab, page));
        assert_false(slab_give(slab, page + SLAB_HEADER_SIZE - 16));
        assert_false(slab_give(slab, page + PAGE_SIZE - 1));
        assert_true(slab_give(slab, slot));
        assert_false(slab_give(slab, slot)); /* a second time */
        assert_int_equal(slab->used, 1);
        assert_ptr_equal(slab_take(slab), slot);
        assert_true(slab_give(slab, other));
    }
}

static void slab_give__page_that_is_no_slab__is_refused(void **state)
{
    (void)state;
    memset(page, 0, sizeof page);
    assert_false(slab_give((struct slab *)page, page + SLAB_HEADER_SIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heap_class_of__every_size__fits_and_is_the_smallest),
        cmocka_unit_test(slab_take__until_full__slots_are_apart_and_inside),
        cmocka_unit_test(slab_give__what_is_no_slot_in_use__is_refused),
        cmocka_unit_test(slab_give__page_that_is_no_slab__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
