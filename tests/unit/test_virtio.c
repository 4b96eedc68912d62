/*
 * The virtio block driver and PCI, on the host, against a device that tells the lies that a test has it
 * tell.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/virtio_blk.h"
#include "tests/machine/machine.h"
#include "tests/support/port_host.h"

enum { EXACTLY = 3, ALWAYS = -1 };

static struct disk *disk;

static enum status open_with(const struct lie *lies, size_t count)
{
    port_host_clear_log();
    machine_start(lies, count);
    return virtio_blk_open(&disk);
}

static int tear_down(void **state)
{
    (void)state;
    machine_stop();
    return 0;
}

static void virtio_blk__device_is_honest__reads_what_was_written(void **state)
{
    (void)state;
    static u8 written[20 * SECTOR_SIZE], found[20 * SECTOR_SIZE];

    memset(written, 'w', sizeof written);
    assert_int_equal(open_with(NULL, 0), OK);
    assert_int_equal(disk->sector_count, MACHINE_SECTORS);
    assert_int_equal(disk_write(disk, 7, written, sizeof written), OK);
    assert_int_equal(disk_flush(disk), OK);
    assert_int_equal(disk_read(disk, 7, found, sizeof found), OK);
    assert_memory_equal(found, written, sizeof found);
    assert_false(machine_has_lied());
}

/* Two less than one are many: tables longer than the memory for them were handed over. */
static void virtio_blk_open__queue_of_one__is_refused(void **state)
{
    (void)state;
    const struct lie lies[] = { { LIE_REGISTER, 24, 1, EXACTLY, 1 },
                                { LIE_CONFIG, 12, 1, EXACTLY, UINT32_MAX } };

    assert_int_equal(open_with(lies, ARRAY_LENGTH(lies)), ERR_UNSUPPORTED);
    assert_true(port_host_logged("too few"));
}

static void virtio_blk_open__capabilities_lead_in_a_circle__is_refused(void **state)
{
    (void)state;
    /* The last one leads to the first, which is none that matters. */
    const struct lie lies[] = { { LIE_PCI, 0x40, (u64)ALWAYS, EXACTLY, 0x05144009 } };

    assert_int_equal(open_with(lies, 1), ERR_UNSUPPORTED);
    assert_true(port_host_logged("no usable registers"));
}

static void virtio_blk_open__notify_offset_outside_its_registers__is_refused(void **state)
{
    (void)state;
    const struct lie lies[] = { { LIE_REGISTER, 30, 1, EXACTLY, 0x7FFF } };

    assert_int_equal(open_with(lies, 1), ERR_CORRUPT);
}

static void disk_read__another_slot_is_answered__disk_is_out_of_use(void **state)
{
    (void)state;
    static u8 data[SECTOR_SIZE];
    /* The first request, manner 2: as another, which is not in use. */
    const struct lie lies[] = { { LIE_COMPLETION, 0, 1, 2, 9 } };

    assert_int_equal(open_with(lies, 1), OK);
    assert_int_equal(disk_read(disk, 0, data, sizeof data), ERR_IO);
    assert_true(port_host_logged("never got"));
    assert_int_equal(disk_read(disk, 0, data, sizeof data), ERR_IO);
    assert_int_equal(disk->in_flight, 0);
}

static void disk_read__no_answer__ends_after_two_minutes(void **state)
{
    (void)state;
    static u8 data[SECTOR_SIZE];
    const struct lie lies[] = { { LIE_COMPLETION, 0, 1, 0, 0 } };

    assert_int_equal(open_with(lies, 1), OK);
    assert_int_equal(disk_read(disk, 0, data, sizeof data), ERR_IO);
    assert_true(port_host_logged("no answer"));
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(virtio_blk__device_is_honest__reads_what_was_written),
        TEST(virtio_blk_open__queue_of_one__is_refused),
        TEST(virtio_blk_open__capabilities_lead_in_a_circle__is_refused),
        TEST(virtio_blk_open__notify_offset_outside_its_registers__is_refused),
        TEST(disk_read__another_slot_is_answered__disk_is_out_of_use),
        TEST(disk_read__no_answer__ends_after_two_minutes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
