/* Requests to a disk: what is refused before a driver sees it, what is counted, what waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/checked.h"
#include "tests/support/ram_disk.h"

enum { SECTORS = 2048 };

static int set_up(void **state)
{
    struct ram_disk *ram = calloc(1, sizeof *ram);
    ram_disk_open(ram, SECTORS);
    *state = ram;
    return 0;
}

static int tear_down(void **state)
{
    ram_disk_close(*state);
    free(*state);
    return 0;
}

static enum status submit(struct ram_disk *ram, enum disk_operation operation, u64 sector,
                          size_t size_bytes)
{
    static u8 data[SECTORS * SECTOR_SIZE];
    struct disk_segment segment = { data, size_bytes };
    struct disk_request request = {
        .operation = operation, .sector = sector, .segments = &segment, .segment_count = 1
    };
    enum status status = disk_submit(&ram->disk, &request);
    return status == OK ? disk_wait(&ram->disk, &request) : status;
}

static void disk_submit__outside_the_disk__is_refused(void **state)
{
    struct ram_disk *ram = *state;
    assert_int_equal(submit(ram, DISK_READ, SECTORS - 1, SECTOR_SIZE), OK);
    assert_int_equal(submit(ram, DISK_READ, SECTORS - 1, 2 * SECTOR_SIZE),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(submit(ram, DISK_WRITE, SECTORS, SECTOR_SIZE), ERR_INVALID_ARGUMENT);
    assert_int_equal(submit(ram, DISK_WRITE, UINT64_MAX, SECTOR_SIZE),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(ram->disk.in_flight, 0);
}

static void disk_submit__broken_or_excessive_size__is_refused(void **state)
{
    struct ram_disk *ram = *state;
    struct disk_segment many[80] = { { &many, SECTOR_SIZE } };
    struct disk_request request = { .operation = DISK_READ, .segments = many };
    assert_int_equal(submit(ram, DISK_READ, 0, 0), ERR_INVALID_ARGUMENT);
    assert_int_equal(submit(ram, DISK_READ, 0, SECTOR_SIZE + 1), ERR_INVALID_ARGUMENT);
    assert_int_equal(submit(ram, DISK_READ, 0, ram->disk.max_bytes), OK);
    assert_int_equal(submit(ram, DISK_READ, 0, ram->disk.max_bytes + SECTOR_SIZE),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(disk_submit(&ram->disk, &request), ERR_INVALID_ARGUMENT);
    request.segment_count = ram->disk.max_pieces + 1;
    assert_int_equal(disk_submit(&ram->disk, &request), ERR_INVALID_ARGUMENT);
    assert_int_equal(ram->disk.statistics.reads, 1);
}

/* As many segments as pieces are fine, unless they touch two pages each. */
static void disk_submit__segments_across_pages__count_for_each_page(void **state)
{
    struct ram_disk *ram = *state;
    enum { COUNT = 72 };
    struct disk_segment segments[COUNT];
    u8 *memory = aligned_alloc(PAGE_SIZE, 2 * PAGE_SIZE);
    struct disk_request request = { .operation = DISK_READ,
                                    .segments = segments,
                                    .segment_count = COUNT };
    assert_non_null(memory);
    assert_int_equal(ram->disk.max_pieces, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        segments[i] = (struct disk_segment){ memory, SECTOR_SIZE };
    assert_int_equal(disk_submit(&ram->disk, &request), OK);
    assert_int_equal(disk_wait(&ram->disk, &request), OK);
    segments[7].data = memory + PAGE_SIZE - 1;
    assert_int_equal(disk_submit(&ram->disk, &request), ERR_INVALID_ARGUMENT);
    request.segment_count = COUNT - 1;
    assert_int_equal(disk_submit(&ram->disk, &request), OK);
    assert_int_equal(disk_wait(&ram->disk, &request), OK);
    free(memory);
}

static void disk_write__read_only_disk__is_refused(void **state)
{
    struct ram_disk *ram = *state;
    u8 sector[SECTOR_SIZE] = { 1 };
    ram->disk.read_only = true;
    assert_int_equal(disk_write(&ram->disk, 0, sector, sizeof sector), ERR_READ_ONLY);
    assert_int_equal(disk_read(&ram->disk, 0, sector, sizeof sector), OK);
    assert_int_equal(sector[0], 0);
}

static void disk_submit__segments_of_odd_lengths__one_run_of_sectors(void **state)
{
    struct ram_disk *ram = *state;
    u8 bytes[2 * SECTOR_SIZE], back[2 * SECTOR_SIZE];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (u8)(i * 7);
    struct disk_segment segments[] = { { bytes, 100 },
                                       { bytes + 100, 700 },
                                       { bytes + 800, sizeof bytes - 800 } };
    struct disk_request request = {
        .operation = DISK_WRITE, .sector = 3, .segments = segments, .segment_count = 3
    };
    assert_int_equal(disk_submit(&ram->disk, &request), OK);
    assert_int_equal(disk_wait(&ram->disk, &request), OK);
    assert_int_equal(disk_read(&ram->disk, 3, back, sizeof back), OK);
    assert_memory_equal(back, bytes, sizeof bytes);
}

static void disk_read__larger_than_a_request__is_split(void **state)
{
    struct ram_disk *ram = *state;
    size_t size = 2 * ram->disk.max_bytes + 3 * SECTOR_SIZE;
    u8 *data = malloc(size), *back = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (u8)(i / SECTOR_SIZE);
    assert_int_equal(disk_write(&ram->disk, 5, data, size), OK);
    assert_int_equal(disk_read(&ram->disk, 5, back, size), OK);
    assert_memory_equal(back, data, size);
    assert_int_equal(ram->disk.statistics.writes, 3);
    assert_int_equal(ram->disk.statistics.bytes_written, size);
    assert_int_equal(ram->disk.statistics.reads, 3);
    assert_int_equal(ram->disk.statistics.bytes_read, size);
    free(data);
    free(back);
}

static void disk_write__a_piece_fails__stops_there(void **state)
{
    struct ram_disk *ram = *state;
    size_t size = 3 * ram->disk.max_bytes;
    u8 *data = malloc(size);
    memset(data, 1, size);
    ram_disk_fail(ram, DISK_WRITE, 2, false);
    assert_int_equal(disk_write(&ram->disk, 0, data, size), ERR_IO);
    assert_int_equal(ram->disk.statistics.writes, 2);
    assert_int_equal(ram->bytes[2 * ram->disk.max_bytes], 0);
    free(data);
}

static void disk_flush__requests_in_flight__waits_for_them_first(void **state)
{
    struct ram_disk *ram = *state;
    u8 sectors[4][SECTOR_SIZE];
    struct disk_segment segments[4];
    struct disk_request requests[4];
    memset(sectors, 9, sizeof sectors);
    ram->order_seed = 3;
    for (size_t i = 0; i < 4; i++) {
        segments[i] = (struct disk_segment){ sectors[i], SECTOR_SIZE };
        requests[i] = (struct disk_request){ .operation = DISK_WRITE,
                                             .sector = 10 * i,
                                             .segments = &segments[i],
                                             .segment_count = 1 };
        assert_int_equal(disk_submit(&ram->disk, &requests[i]), OK);
    }
    assert_int_equal(ram->disk.in_flight, 4);
    assert_int_equal(disk_flush(&ram->disk), OK); /* D3, or the disk stops the program */
    for (size_t i = 0; i < 4; i++)
        assert_true(requests[i].done);
    assert_int_equal(ram->disk.in_flight, 0);
    assert_int_equal(ram->disk.statistics.flushes, 1);
}

static void disk_flush__device_fails__is_no_success(void **state)
{
    struct ram_disk *ram = *state;
    ram_disk_fail(ram, DISK_FLUSH, 1, false);
    assert_int_equal(disk_flush(&ram->disk), ERR_IO);
    assert_int_equal(disk_flush(&ram->disk), OK);
}

static enum status refuse(struct disk *disk, struct disk_request *request)
{
    (void)disk;
    (void)request;
    return ERR_IO;
}

static void disk_submit__driver_refuses__not_in_flight(void **state)
{
    struct ram_disk *ram = *state;
    struct disk_operations operations = *ram->disk.operations;
    operations.submit = refuse;
    ram->disk.operations = &operations;
    assert_int_equal(submit(ram, DISK_READ, 0, SECTOR_SIZE), ERR_IO);
    assert_int_equal(ram->disk.in_flight, 0);
    assert_int_equal(disk_flush(&ram->disk), ERR_IO);
    assert_int_equal(ram->disk.in_flight, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(disk_submit__outside_the_disk__is_refused),
        TEST(disk_submit__broken_or_excessive_size__is_refused),
        TEST(disk_write__read_only_disk__is_refused),
        TEST(disk_submit__segments_across_pages__count_for_each_page),
        TEST(disk_submit__segments_of_odd_lengths__one_run_of_sectors),
        TEST(disk_read__larger_than_a_request__is_split),
        TEST(disk_write__a_piece_fails__stops_there),
        TEST(disk_flush__requests_in_flight__waits_for_them_first),
        TEST(disk_flush__device_fails__is_no_success),
        TEST(disk_submit__driver_refuses__not_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
