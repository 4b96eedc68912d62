/* The data queue under disks with every kind of limit: content, overlaps, errors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/checked.h"
#include "kernel/fs/ext4/data_queue.h"
#include "tests/support/ram_disk.h"

enum { DISK_BYTES = 4 * MIB, SOURCE_BYTES = 512 * KIB };

static u8 source[SOURCE_BYTES];
static u8 model[DISK_BYTES];

static void fill_source(u64 seed)
{
    for (size_t i = 0; i < sizeof source; i++)
        source[i] = (u8)random_next(&seed);
}

static void put(struct ext4_data_queue *queue, u64 position, const u8 *data, size_t size,
                bool borrow)
{
    assert_int_equal(borrow ? ext4_data_queue_borrow(queue, position, data, size)
                            : ext4_data_queue_copy(queue, position, data, size),
                     OK);
    if (data)
        memcpy(model + position, data, size);
    else
        memset(model + position, 0, size);
}

/* Something like a file: head, body and padding to the end of a 1 KiB block. */
static u64 put_file(struct ext4_data_queue *queue, u64 position, u64 *seed)
{
    size_t head = random_next(seed) % 40;
    size_t body = random_next(seed) % (random_next(seed) % 20 == 0 ? 300000 : 6000);
    size_t padding = (1024 - (head + body) % 1024) % 1024;
    const u8 *from = source + random_next(seed) % (SOURCE_BYTES - 300000);
    put(queue, position, source + random_next(seed) % 1000, head, false);
    put(queue, position + head, from, body, random_next(seed) % 4 != 0);
    put(queue, position + head + body, NULL, padding, false);
    return position + head + body + padding;
}

static void
ext4_data_queue_drain__any_sequence_any_limits__writes_every_byte(void **state)
{
    (void)state;
    static const size_t pieces[] = { 7, 8, 9, 14, 64, 254, 1022 };
    static const size_t bytes[] = { 512, 4096, 65536, 4 * MIB };
    for (u64 round = 0; round < 3 * ARRAY_LENGTH(pieces) * ARRAY_LENGTH(bytes); round++) {
        struct ram_disk ram;
        struct ext4_data_queue *queue;
        u64 seed = round + 1;
        fill_source(seed);
        memset(model, 0, sizeof model);
        ram_disk_open(&ram, DISK_BYTES / SECTOR_SIZE);
        ram.order_seed = seed;
        ram.disk.max_pieces = pieces[round % ARRAY_LENGTH(pieces)];
        ram.disk.max_bytes =
            min_size(bytes[round / ARRAY_LENGTH(pieces) % ARRAY_LENGTH(bytes)],
                     (ram.disk.max_pieces - 6) * PAGE_SIZE);
        assert_int_equal(ext4_data_queue_open(&ram.disk, &queue), OK);
        u64 position = 0;
        for (int i = 0; i < 300; i++) {
            if (random_next(&seed) % 10 == 0 || position > DISK_BYTES - 310000)
                position = random_next(&seed) % ((DISK_BYTES - 310000) / 1024) * 1024;
            position = put_file(queue, position, &seed);
        }
        assert_int_equal(ext4_data_queue_drain(queue), OK);
        assert_true(ext4_data_queue_is_idle(queue));
        assert_memory_equal(ram.bytes, model, sizeof model);
        ext4_data_queue_close(queue);
        ram_disk_close(&ram);
    }
}

static void ext4_data_queue_borrow__files_of_a_page__take_two_segments_each(void **state)
{
    (void)state;
    struct ram_disk ram;
    struct ext4_data_queue *queue;
    ram_disk_open(&ram, DISK_BYTES / SECTOR_SIZE);
    ram.disk.max_pieces = 1022;
    ram.disk.max_bytes = 4 * MIB;
    assert_int_equal(ext4_data_queue_open(&ram.disk, &queue), OK);
    for (u64 i = 0; i < 500; i++) {
        assert_int_equal(ext4_data_queue_copy(queue, i * 8192, source, 6), OK);
        assert_int_equal(ext4_data_queue_borrow(queue, i * 8192 + 6, source, 4096), OK);
        assert_int_equal(ext4_data_queue_copy(queue, i * 8192 + 4102, NULL, 4090), OK);
    }
    assert_int_equal(ext4_data_queue_drain(queue), OK);
    assert_in_range(ram.disk.statistics.writes, 1, 4);
    ext4_data_queue_close(queue);
    ram_disk_close(&ram);
}

static void ext4_data_queue_drain__failed_write__is_told_until_reset(void **state)
{
    (void)state;
    struct ram_disk ram;
    struct ext4_data_queue *queue;
    ram_disk_open(&ram, DISK_BYTES / SECTOR_SIZE);
    assert_int_equal(ext4_data_queue_open(&ram.disk, &queue), OK);
    for (u64 i = 0; i < 10; i++) {
        ram_disk_fail(&ram, DISK_WRITE, 2, false);
        for (u64 at = 0; at < 4; at++)
            (void)!ext4_data_queue_copy(queue, at * 8192, source, 4096);
        assert_int_equal(ext4_data_queue_drain(queue), ERR_IO);
        assert_int_equal(ext4_data_queue_drain(queue), ERR_IO);
        ext4_data_queue_reset(queue);
        assert_int_equal(ext4_data_queue_drain(queue), OK);
    }
    ext4_data_queue_close(queue);
    ram_disk_close(&ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            ext4_data_queue_drain__any_sequence_any_limits__writes_every_byte),
        cmocka_unit_test(ext4_data_queue_borrow__files_of_a_page__take_two_segments_each),
        cmocka_unit_test(ext4_data_queue_drain__failed_write__is_told_until_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
