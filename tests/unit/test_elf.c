/* Programs' files, right and wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/endian.h"
#include "kernel/proc/abi.h"
#include "kernel/proc/elf.h"

enum { HEADERS = 64, HEADER = 56, CODE = 0, DATA = 1, FILE_SIZE = 0x3000 };

static u8 file[FILE_SIZE];

static void put_segment(int index, u32 flags, u64 address, u64 file_size, u64 memory_size)
{
    u8 *header = file + HEADERS + index * HEADER;

    put_le32(header, 1);
    put_le32(header + 4, flags);
    put_le64(header + 8, 0x1000 * (u64)(index + 1));
    put_le64(header + 16, address);
    put_le64(header + 32, file_size);
    put_le64(header + 40, memory_size);
    put_le64(header + 48, 0x1000);
}

/* Code at 0x401000, data with a zeroed rest at 0x402000. */
static int given_a_program(void **state)
{
    (void)state;
    memset(file, 0, sizeof file);
    memcpy(file,
           "\x7f"
           "ELF\x02\x01\x01",
           7);
    put_le16(file + 16, 2);
    put_le16(file + 18, 62);
    put_le64(file + 24, 0x401010);
    put_le64(file + 32, HEADERS);
    put_le16(file + 54, HEADER);
    put_le16(file + 56, 2);
    put_segment(CODE, 5, 0x401000, 0x800, 0x800);
    put_segment(DATA, 6, 0x402000, 0x100, 0x2345);
    return 0;
}

static u8 *header_of(int index)
{
    return file + HEADERS + index * HEADER;
}

static void assert_refused(enum status expected)
{
    struct elf_image image = {};

    assert_int_equal(elf_decode(file, sizeof file, &image), expected);
    assert_int_equal(image.segment_count, 0);
}

static void elf_decode__a_program__is_two_segments_and_an_entry(void **state)
{
    struct elf_image image;

    (void)state;
    assert_int_equal(elf_decode(file, sizeof file, &image), OK);
    assert_int_equal(image.segment_count, 2);
    assert_int_equal(image.entry, 0x401010);
    assert_int_equal(image.end, 0x405000);
    assert_true(image.segments[0].executable && !image.segments[0].writable);
    assert_true(!image.segments[1].executable && image.segments[1].writable);
    assert_int_equal(image.segments[1].file_offset, 0x2000);
    assert_int_equal(image.segments[1].file_size, 0x100);
    assert_int_equal(image.segments[1].size_bytes, 0x2345);
}

static void elf_decode__segments_of_other_types__are_passed_over(void **state)
{
    struct elf_image image;

    (void)state;
    put_le32(header_of(DATA), 4); /* a note */
    assert_int_equal(elf_decode(file, sizeof file, &image), OK);
    assert_int_equal(image.segment_count, 1);
}

static void elf_decode__every_truncation__is_refused(void **state)
{
    struct elf_image image;

    (void)state;
    for (size_t size = 0; size < 0x2100; size++)
        assert_int_equal(elf_decode(file, size, &image), ERR_CORRUPT);
    assert_int_equal(elf_decode(file, 0x2100, &image), OK);
}

static void elf_decode__another_machine_or_kind__is_unsupported(void **state)
{
    (void)state;
    put_le16(file + 18, 3);
    assert_refused(ERR_UNSUPPORTED);
    given_a_program(NULL);
    file[4] = 1;
    assert_refused(ERR_UNSUPPORTED);
    given_a_program(NULL);
    put_le16(file + 16, 3); /* position independent */
    assert_refused(ERR_UNSUPPORTED);
    given_a_program(NULL);
    put_le32(header_of(DATA), 3); /* wants an interpreter */
    assert_refused(ERR_UNSUPPORTED);
    given_a_program(NULL);
    put_le16(file + 56, 33);
    assert_refused(ERR_UNSUPPORTED);
}

static void elf_decode__writable_and_executable__is_refused(void **state)
{
    (void)state;
    put_le32(header_of(CODE) + 4, 7);
    assert_refused(ERR_CORRUPT);
}

static void elf_decode__segments_on_one_page_or_backwards__are_refused(void **state)
{
    (void)state;
    put_segment(CODE, 5, 0x401000, 0x800, 0x1001);
    assert_refused(ERR_CORRUPT);
    given_a_program(NULL);
    put_segment(DATA, 6, 0x400000, 0x100, 0x100);
    assert_refused(ERR_CORRUPT);
}

static void elf_decode__outside_of_a_programs_memory__is_refused(void **state)
{
    static const u64 places[] = { 0,
                                  USER_IMAGE_LOWEST - 0x1000,
                                  USER_STACK_LOWEST,
                                  0x800000000000,
                                  0xffffffff80000000,
                                  0xfffffffffffff000 };

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        given_a_program(NULL);
        put_segment(DATA, 6, places[i], 0x100, 0x2000);
        assert_refused(ERR_CORRUPT);
    }
    given_a_program(NULL);
    put_segment(DATA, 6, 0x402000, 0x100, UINT64_MAX);
    assert_refused(ERR_CORRUPT);
    given_a_program(NULL);
    put_segment(DATA, 6, USER_STACK_LOWEST - 0x1000, 0x100, 0x1001);
    assert_refused(ERR_CORRUPT);
}

static void elf_decode__file_part_outside_of_the_file__is_refused(void **state)
{
    (void)state;
    put_le64(header_of(DATA) + 8, UINT64_MAX - 0xfff);
    assert_refused(ERR_CORRUPT);
    given_a_program(NULL);
    put_segment(DATA, 6, 0x402000, 0x1001, 0x2000);
    assert_refused(ERR_CORRUPT);
    given_a_program(NULL);
    put_segment(DATA, 6, 0x402000, 0x200, 0x100); /* more than fits in memory */
    assert_refused(ERR_CORRUPT);
    given_a_program(NULL);
    put_le64(file + 32, UINT64_MAX - 8);
    assert_refused(ERR_CORRUPT);
}

static void elf_decode__entry_outside_of_code__is_refused(void **state)
{
    static const u64 entries[] = { 0, 0x400fff, 0x401800, 0x402000, UINT64_MAX };

    (void)state;
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
        put_le64(file + 24, entries[i]);
        assert_refused(ERR_CORRUPT);
    }
}

static void elf_decode__alignment__is_a_power_of_two_and_kept(void **state)
{
    (void)state;
    put_le64(header_of(DATA) + 48, 0x1800);
    assert_refused(ERR_CORRUPT);
    given_a_program(NULL);
    put_le64(header_of(DATA) + 16, 0x402008);
    assert_refused(ERR_CORRUPT);
}

static void elf_decode__no_segments__is_refused(void **state)
{
    (void)state;
    put_le16(file + 56, 0);
    assert_refused(ERR_CORRUPT);
}

int main(void)
{
#define PROGRAM_TEST(test) cmocka_unit_test_setup(test, given_a_program)
    const struct CMUnitTest tests[] = {
        PROGRAM_TEST(elf_decode__a_program__is_two_segments_and_an_entry),
        PROGRAM_TEST(elf_decode__segments_of_other_types__are_passed_over),
        PROGRAM_TEST(elf_decode__every_truncation__is_refused),
        PROGRAM_TEST(elf_decode__another_machine_or_kind__is_unsupported),
        PROGRAM_TEST(elf_decode__writable_and_executable__is_refused),
        PROGRAM_TEST(elf_decode__segments_on_one_page_or_backwards__are_refused),
        PROGRAM_TEST(elf_decode__outside_of_a_programs_memory__is_refused),
        PROGRAM_TEST(elf_decode__file_part_outside_of_the_file__is_refused),
        PROGRAM_TEST(elf_decode__entry_outside_of_code__is_refused),
        PROGRAM_TEST(elf_decode__alignment__is_a_power_of_two_and_kept),
        PROGRAM_TEST(elf_decode__no_segments__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
