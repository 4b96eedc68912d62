/* The queue of block writes: what is gathered, what is waited for, what an error does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/checked.h"
#include "kernel/block/gather.h"
#include "tests/support/port_host.h"
#include "tests/support/ram_disk.h"

enum { BLOCK = 1024, BLOCKS = 2048 };

struct setup {
    struct ram_disk ram;
    struct gather gather;
    u8 *memory; /* one block for each block of the disk, filled with its number */
};

static int set_up(void **state)
{
    struct setup *setup = calloc(1, sizeof *setup);
    ram_disk_open(&setup->ram, BLOCKS * BLOCK / SECTOR_SIZE);
    setup->memory = aligned_alloc(PAGE_SIZE, (size_t)BLOCKS * BLOCK);
    for (size_t i = 0; i < BLOCKS; i++)
        memset(setup->memory + i * BLOCK, (int)(i % 251 + 1), BLOCK);
    assert_int_equal(gather_open(&setup->gather, &setup->ram.disk, BLOCK), OK);
    *state = setup;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *setup = *state;
    gather_close(&setup->gather);
    ram_disk_close(&setup->ram);
    free(setup->memory);
    free(setup);
    return 0;
}

static void write_block(struct setup *setup, u64 block)
{
    gather_write(&setup->gather, block, setup->memory + block * BLOCK);
}

static bool is_written(const struct setup *setup, u64 block)
{
    return memcmp(setup->ram.bytes + block * BLOCK, setup->memory + block * BLOCK,
                  BLOCK) == 0;
}

static void gather_write__neighbours__one_request(void **state)
{
    struct setup *setup = *state;
    for (u64 block = 10; block < 50; block++)
        write_block(setup, block);
    assert_int_equal(setup->ram.disk.statistics.writes, 0);
    assert_int_equal(gather_finish(&setup->gather), OK);
    assert_int_equal(setup->ram.disk.statistics.writes, 1);
    for (u64 block = 10; block < 50; block++)
        assert_true(is_written(setup, block));
}

static void gather_write__memory_in_pieces__requests_of_as_many_segments(void **state)
{
    struct setup *setup = *state;
    for (u64 block = 0; block < 256; block++) /* backwards: no two touch */
        gather_write(&setup->gather, block, setup->memory + (300 - block) * BLOCK);
    assert_int_equal(gather_finish(&setup->gather), OK);
    assert_int_equal(setup->ram.disk.statistics.writes,
                     divide_up(256, setup->ram.disk.max_pieces));
    assert_memory_equal(setup->ram.bytes + 255 * BLOCK, setup->memory + 45 * BLOCK,
                        BLOCK);
}

static void gather_write__a_long_run__requests_of_as_many_bytes(void **state)
{
    struct setup *setup = *state;
    for (u64 block = 0; block < BLOCKS; block++)
        write_block(setup, block);
    assert_int_equal(gather_finish(&setup->gather), OK);
    assert_int_equal(setup->ram.disk.statistics.writes,
                     BLOCKS * BLOCK / setup->ram.disk.max_bytes);
    assert_memory_equal(setup->ram.bytes, setup->memory, (size_t)BLOCKS * BLOCK);
}

static void gather_write__scattered_in_any_order__all_arrive(void **state)
{
    struct setup *setup = *state;
    setup->ram.order_seed = 7;
    for (u64 i = 0; i < BLOCKS / 2; i++) /* 2 * odd: each even block once, far apart */
        write_block(setup, i * 2 * 389 % BLOCKS);
    assert_int_equal(gather_finish(&setup->gather), OK);
    assert_int_equal(setup->ram.disk.in_flight, 0);
    for (u64 block = 0; block < BLOCKS; block += 2) {
        assert_true(is_written(setup, block));
        assert_int_equal(setup->ram.bytes[(block + 1) * BLOCK], 0);
    }
}

static void gather_write_sectors__half_a_block__joins_its_neighbour(void **state)
{
    struct setup *setup = *state;
    write_block(setup, 4);
    gather_write_sectors(&setup->gather, 10, setup->memory, SECTOR_SIZE);
    gather_write_sectors(&setup->gather, 12, setup->memory, SECTOR_SIZE); /* a gap */
    assert_int_equal(gather_finish(&setup->gather), OK);
    assert_int_equal(setup->ram.disk.statistics.writes, 2);
    assert_int_equal(setup->ram.bytes[10 * SECTOR_SIZE], setup->memory[0]);
    assert_int_equal(setup->ram.bytes[11 * SECTOR_SIZE], 0);
    assert_int_equal(setup->ram.bytes[12 * SECTOR_SIZE], setup->memory[0]);
}

static void gather_finish__nothing_written__asks_nothing(void **state)
{
    struct setup *setup = *state;
    assert_int_equal(gather_finish(&setup->gather), OK);
    assert_int_equal(setup->ram.disk.statistics.writes, 0);
}

static void gather_finish__any_one_write_fails__says_so_once(void **state)
{
    struct setup *setup = *state;
    for (u64 nth = 1; nth <= 20; nth++) {
        ram_disk_fail(&setup->ram, DISK_WRITE, nth, false);
        for (u64 block = 0; block < 40; block += 2)
            write_block(setup, block);
        assert_int_equal(gather_finish(&setup->gather), ERR_IO);
        assert_int_equal(setup->ram.disk.in_flight, 0);
        ram_disk_fail(&setup->ram, DISK_WRITE, 0, false);
        write_block(setup, 1000 + nth);
        assert_int_equal(gather_finish(&setup->gather), OK);
        assert_true(is_written(setup, 1000 + nth));
    }
}

static void gather_finish__a_write_was_refused__says_so_once(void **state)
{
    struct setup *setup = *state;
    gather_write(&setup->gather, BLOCKS, setup->memory); /* beyond the end */
    write_block(setup, 3);
    assert_int_equal(gather_finish(&setup->gather), ERR_INVALID_ARGUMENT);
    assert_int_equal(gather_finish(&setup->gather), OK);
    setup->ram.disk.read_only = true;
    write_block(setup, 3);
    assert_int_equal(gather_finish(&setup->gather), ERR_READ_ONLY);
    assert_false(is_written(setup, 3));
}

static void gather_open__no_memory__is_said(void **state)
{
    struct setup *setup = *state;
    struct gather other;
    port_host_fail_allocation(1, false);
    assert_int_equal(gather_open(&other, &setup->ram.disk, BLOCK), ERR_NO_MEMORY);
    port_host_fail_allocation(0, false);
    gather_close(&other);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gather_write__neighbours__one_request),
        TEST(gather_write__memory_in_pieces__requests_of_as_many_segments),
        TEST(gather_write__a_long_run__requests_of_as_many_bytes),
        TEST(gather_write__scattered_in_any_order__all_arrive),
        TEST(gather_write_sectors__half_a_block__joins_its_neighbour),
        TEST(gather_finish__nothing_written__asks_nothing),
        TEST(gather_finish__any_one_write_fails__says_so_once),
        TEST(gather_finish__a_write_was_refused__says_so_once),
        TEST(gather_open__no_memory__is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
