/* The buffer cache: what stays, what is dropped, what is never taken for the disk's content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/block/cache.h"
#include "tests/support/port_host.h"
#include "tests/support/ram_disk.h"

enum { BLOCK = 1024, BLOCKS = 256, CAPACITY = 8 };

struct setup {
    struct ram_disk ram;
    struct cache cache;
};

static int set_up(void **state)
{
    struct setup *setup = calloc(1, sizeof *setup);
    ram_disk_open(&setup->ram, BLOCKS * BLOCK / SECTOR_SIZE);
    for (size_t i = 0; i < BLOCKS; i++)
        memset(setup->ram.bytes + i * BLOCK, (int)i, BLOCK);
    cache_open(&setup->cache, &setup->ram.disk, BLOCK, BLOCKS, CAPACITY);
    port_host_clear_log();
    *state = setup;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *setup = *state;
    cache_close(&setup->cache);
    ram_disk_close(&setup->ram);
    free(setup);
    return 0;
}

static struct buffer *get(struct setup *setup, u64 block)
{
    struct buffer *buffer = NULL;
    assert_int_equal(cache_get(&setup->cache, block, &buffer), OK);
    assert_int_equal(buffer->block, block);
    return buffer;
}

static void touch(struct setup *setup, u64 block)
{
    struct buffer *buffer = get(setup, block);
    assert_int_equal(buffer->data[BLOCK - 1], (u8)block);
    cache_release(buffer);
}

static u64 reads(const struct setup *setup)
{
    return setup->ram.disk.statistics.reads;
}

static bool is_cached(struct setup *setup, u64 block)
{
    struct buffer *buffer = cache_find(&setup->cache, block);
    cache_release(buffer);
    return buffer != NULL;
}

static void cache_get__again__reads_once_and_is_the_same(void **state)
{
    struct setup *setup = *state;
    struct buffer *first = get(setup, 5), *second = get(setup, 5);
    assert_ptr_equal(first, second);
    assert_int_equal(reads(setup), 1);
    cache_release(first);
    cache_release(second);
    touch(setup, 5);
    assert_int_equal(reads(setup), 1);
}

static void cache_get__beyond_the_end__is_corrupt_with_a_line(void **state)
{
    struct setup *setup = *state;
    struct buffer *buffer = NULL;
    assert_int_equal(cache_get(&setup->cache, BLOCKS, &buffer), ERR_CORRUPT);
    assert_int_equal(cache_get(&setup->cache, UINT64_MAX, &buffer), ERR_CORRUPT);
    assert_int_equal(cache_get_fresh(&setup->cache, BLOCKS, &buffer), ERR_CORRUPT);
    assert_null(buffer);
    assert_true(port_host_logged("block 256 beyond the end"));
    touch(setup, BLOCKS - 1);
}

static void cache_get__read_fails__nothing_stays(void **state)
{
    struct setup *setup = *state;
    struct buffer *buffer = NULL;
    ram_disk_fail(&setup->ram, DISK_READ, 1, false);
    assert_int_equal(cache_get(&setup->cache, 5, &buffer), ERR_IO);
    assert_null(buffer);
    assert_false(is_cached(setup, 5));
    touch(setup, 5);
}

static void cache_get__memory_fails_at_each_point__nothing_stays(void **state)
{
    struct setup *setup = *state;
    struct buffer *buffer = NULL;
    for (u64 nth = 1; nth <= 2; nth++) {
        port_host_fail_allocation(nth, false);
        assert_int_equal(cache_get(&setup->cache, 5, &buffer), ERR_NO_MEMORY);
        port_host_fail_allocation(nth, false);
        assert_int_equal(cache_get_fresh(&setup->cache, 5, &buffer), ERR_NO_MEMORY);
        port_host_fail_allocation(0, false);
        assert_null(buffer);
        assert_false(is_cached(setup, 5));
    }
    touch(setup, 5);
}

static void cache_release__beyond_capacity__least_recently_used_goes(void **state)
{
    struct setup *setup = *state;
    for (u64 block = 0; block < CAPACITY; block++)
        touch(setup, block);
    touch(setup, 0);
    touch(setup, 100);
    assert_true(is_cached(setup, 0));
    assert_false(is_cached(setup, 1));
    assert_true(is_cached(setup, 2));
    assert_int_equal(setup->cache.buffers.count, CAPACITY);
}

static void cache_release__referenced_and_pinned__stay_beyond_capacity(void **state)
{
    struct setup *setup = *state;
    struct buffer *held = get(setup, 200), *pinned = get(setup, 201);
    cache_pin(pinned);
    cache_release(pinned);
    for (u64 block = 0; block < 4 * CAPACITY; block++)
        touch(setup, block);
    assert_ptr_equal(cache_find(&setup->cache, 200), held);
    assert_true(is_cached(setup, 201));
    cache_release(held);
    cache_release(held);
    cache_unpin(pinned);
    for (u64 block = 0; block < 4 * CAPACITY; block++)
        touch(setup, block);
    assert_false(is_cached(setup, 200));
    assert_false(is_cached(setup, 201));
}

static void cache_release__as_many_pinned_as_the_capacity__idle_ones_stay(void **state)
{
    struct setup *setup = *state;
    struct buffer *pinned[CAPACITY];
    for (size_t i = 0; i < CAPACITY; i++) {
        pinned[i] = get(setup, i);
        cache_pin(pinned[i]);
        cache_release(pinned[i]);
    }
    for (u64 block = 100; block < 100 + CAPACITY; block++)
        touch(setup, block);
    for (u64 block = 100; block < 100 + CAPACITY; block++)
        assert_true(is_cached(setup, block));
    for (size_t i = 0; i < CAPACITY; i++)
        cache_unpin(pinned[i]);
    assert_int_equal(setup->cache.idle, CAPACITY);
}

static void cache_get_fresh__absent__zeroed_and_unread(void **state)
{
    struct setup *setup = *state;
    struct buffer *buffer = NULL;
    static const u8 zeros[BLOCK];
    assert_int_equal(cache_get_fresh(&setup->cache, 9, &buffer), OK);
    assert_memory_equal(buffer->data, zeros, BLOCK);
    assert_int_equal(reads(setup), 0);
    buffer->data[0] = 77;
    cache_release(buffer); /* nobody committed it: not what the disk has */
    assert_false(is_cached(setup, 9));
    touch(setup, 9);
}

static void cache_get_fresh__present__as_it_is(void **state)
{
    struct setup *setup = *state;
    struct buffer *buffer = NULL;
    touch(setup, 9);
    assert_int_equal(cache_get_fresh(&setup->cache, 9, &buffer), OK);
    assert_int_equal(buffer->data[0], 9);
    assert_false(buffer->transient);
    cache_release(buffer);
    assert_true(is_cached(setup, 9));
}

static void cache_forget__idle__next_get_reads_again(void **state)
{
    struct setup *setup = *state;
    touch(setup, 9);
    cache_forget(&setup->cache, 9);
    cache_forget(&setup->cache, 10); /* not there: fine */
    assert_false(is_cached(setup, 9));
    setup->ram.bytes[9 * BLOCK] = 1;
    struct buffer *buffer = get(setup, 9);
    assert_int_equal(buffer->data[0], 1);
    cache_release(buffer);
}

static void cache_forget__referenced__goes_with_the_last_reference(void **state)
{
    struct setup *setup = *state;
    struct buffer *buffer = get(setup, 9);
    cache_forget(&setup->cache, 9);
    assert_int_equal(buffer->data[0], 9);
    cache_release(buffer);
    assert_false(is_cached(setup, 9));
}

static void cache_forget__pinned__stays(void **state)
{
    struct setup *setup = *state;
    struct buffer *buffer = get(setup, 9);
    cache_pin(buffer);
    cache_release(buffer);
    cache_forget(&setup->cache, 9);
    assert_true(is_cached(setup, 9));
    cache_unpin(buffer);
    assert_true(is_cached(setup, 9));
}

static void cache_prefetch__absent_run__one_request(void **state)
{
    struct setup *setup = *state;
    cache_prefetch(&setup->cache, 20, 4);
    assert_int_equal(reads(setup), 1);
    for (u64 block = 20; block < 24; block++)
        touch(setup, block);
    assert_int_equal(reads(setup), 1);
}

static void cache_prefetch__part_is_here__keeps_it_and_reads_the_rest(void **state)
{
    struct setup *setup = *state;
    struct buffer *buffer = get(setup, 21);
    buffer->data[0] = 77;
    cache_prefetch(&setup->cache, 20, 4);
    assert_int_equal(reads(setup), 3); /* 21, 20, 22-23 */
    assert_ptr_equal(cache_find(&setup->cache, 21), buffer);
    assert_int_equal(buffer->data[0], 77);
    buffer->data[0] = 21;
    cache_release(buffer);
    cache_release(buffer);
    touch(setup, 23);
    assert_int_equal(reads(setup), 3);
}

static void cache_prefetch__over_the_end_or_in_trouble__never_an_error(void **state)
{
    struct setup *setup = *state;
    cache_prefetch(&setup->cache, BLOCKS, 4);
    cache_prefetch(&setup->cache, UINT64_MAX, 4);
    assert_int_equal(reads(setup), 0);
    cache_prefetch(&setup->cache, BLOCKS - 2, 4);
    assert_true(is_cached(setup, BLOCKS - 1));
    ram_disk_fail(&setup->ram, DISK_READ, 1, false);
    cache_prefetch(&setup->cache, 50, 4);
    assert_false(is_cached(setup, 50));
    for (u64 nth = 1; nth <= 9; nth++) {
        port_host_fail_allocation(nth, false);
        cache_prefetch(&setup->cache, 60, 4);
        port_host_fail_allocation(0, false);
        cache_forget(&setup->cache, 60);
        cache_forget(&setup->cache, 61);
    }
    touch(setup, 60);
    touch(setup, 50);
}

static void cache_prefetch__more_than_half_the_capacity__is_cut(void **state)
{
    struct setup *setup = *state;
    cache_prefetch(&setup->cache, 0, 1000);
    assert_int_equal(setup->cache.buffers.count, CAPACITY / 2);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(cache_get__again__reads_once_and_is_the_same),
        TEST(cache_get__beyond_the_end__is_corrupt_with_a_line),
        TEST(cache_get__read_fails__nothing_stays),
        TEST(cache_get__memory_fails_at_each_point__nothing_stays),
        TEST(cache_release__beyond_capacity__least_recently_used_goes),
        TEST(cache_release__referenced_and_pinned__stay_beyond_capacity),
        TEST(cache_release__as_many_pinned_as_the_capacity__idle_ones_stay),
        TEST(cache_get_fresh__absent__zeroed_and_unread),
        TEST(cache_get_fresh__present__as_it_is),
        TEST(cache_forget__idle__next_get_reads_again),
        TEST(cache_forget__referenced__goes_with_the_last_reference),
        TEST(cache_forget__pinned__stays),
        TEST(cache_prefetch__absent_run__one_request),
        TEST(cache_prefetch__part_is_here__keeps_it_and_reads_the_rest),
        TEST(cache_prefetch__over_the_end_or_in_trouble__never_an_error),
        TEST(cache_prefetch__more_than_half_the_capacity__is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
