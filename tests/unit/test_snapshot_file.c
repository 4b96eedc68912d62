#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/snapshot_file.h"

static void snapshot_file_header_encode__a_header__has_the_documented_bytes(void **state)
{
    (void)state;
    static const u8 expected[] = { 2, 0x44, 0x33, 0x22, 0x11, 7 };
    u8 raw[SNAPSHOT_FILE_HEADER_SIZE + 1] = { [6] = 0xEE };

    snapshot_file_header_encode(&(struct snapshot_file_header){ 0x11223344, 7 }, raw);
    assert_memory_equal(raw, expected, sizeof expected);
    assert_int_equal(raw[SNAPSHOT_FILE_HEADER_SIZE], 0xEE);
    assert_int_equal(raw[SNAPSHOT_FILE_RC_OFFSET], 7);
}

static void snapshot_file_header_decode__every_truncation__is_refused(void **state)
{
    (void)state;
    u8 raw[SNAPSHOT_FILE_HEADER_SIZE];
    struct snapshot_file_header header = { 1, 1 };

    snapshot_file_header_encode(&(struct snapshot_file_header){ 5, 5 }, raw);
    for (size_t size = 0; size < sizeof raw; size++)
        assert_int_equal(snapshot_file_header_decode(raw, size, &header), ERR_CORRUPT);
    assert_int_equal(header.crc, 1);
    assert_int_equal(snapshot_file_header_decode(raw, sizeof raw, &header), OK);
    assert_int_equal(header.crc, 5);
}

static void snapshot_file_header_decode__every_flipped_bit__is_seen(void **state)
{
    (void)state;
    u8 raw[SNAPSHOT_FILE_HEADER_SIZE];
    struct snapshot_file_header original = { 0xDEADBEEF, 3 }, header;

    snapshot_file_header_encode(&original, raw);
    for (size_t bit = 0; bit < 8 * sizeof raw; bit++) {
        raw[bit / 8] ^= (u8)(1 << bit % 8);
        enum status status = snapshot_file_header_decode(raw, sizeof raw, &header);
        if (bit < 8)
            assert_int_equal(status, ERR_UNSUPPORTED);
        else
            assert_true(status == OK &&
                        (header.crc != original.crc || header.rc != original.rc));
        raw[bit / 8] ^= (u8)(1 << bit % 8);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapshot_file_header_encode__a_header__has_the_documented_bytes),
        cmocka_unit_test(snapshot_file_header_decode__every_truncation__is_refused),
        cmocka_unit_test(snapshot_file_header_decode__every_flipped_bit__is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
