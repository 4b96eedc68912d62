/* The decoder needs nothing of the kernel, so it is compiled right into its test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "boot/boot_info.c"

enum { INFO_AT = 64, LINE_AT = 256, MAP_AT = 512, MEMORY_SIZE = 4096, DESCRIBED = 640 };

static u8 memory[MEMORY_SIZE];
static struct boot_info info;

static void add_entry(u32 *at, u64 base, u64 length, u32 type)
{
    put_le32(memory + *at, 20);
    put_le64(memory + *at + 4, base);
    put_le64(memory + *at + 12, length);
    put_le32(memory + *at + 20, type);
    *at += 24;
}

static int given_a_valid_description(void **state)
{
    (void)state;
    u32 at = MAP_AT;

    memset(memory, 0, sizeof memory);
    add_entry(&at, 0, 0x9fc00, 1);
    add_entry(&at, 0x9fc00, 0x400, 2);
    add_entry(&at, 0x100000, 0x7ee0000, 1);
    put_le32(memory + INFO_AT, FLAG_MEMORY_SIZES | FLAG_COMMAND_LINE | FLAG_MEMORY_MAP);
    put_le32(memory + INFO_AT + MEMORY_UPPER_AT, 1024);
    put_le32(memory + INFO_AT + COMMAND_LINE_AT, LINE_AT);
    put_le32(memory + INFO_AT + MAP_LENGTH_AT, at - MAP_AT);
    put_le32(memory + INFO_AT + MAP_ADDRESS_AT, MAP_AT);
    memcpy(memory + LINE_AT, "k.elf fresh", 12);
    return 0;
}

static enum status decode(void)
{
    return boot_info_decode(memory, sizeof memory, INFO_AT, &info);
}

static void boot_info_decode__valid__copies_map_and_line(void **state)
{
    (void)state;
    assert_int_equal(decode(), OK);
    assert_int_equal(info.range_count, 3);
    assert_int_equal(info.ranges[2].base, 0x100000);
    assert_int_equal(info.ranges[2].size, 0x7ee0000);
    assert_true(info.ranges[2].usable);
    assert_false(info.ranges[1].usable);
    assert_string_equal(info.command_line, "k.elf fresh");
    assert_int_equal(info.ranges_refused, 0);
    assert_false(info.map_cut_short);
}

static void boot_info_decode__information_out_of_reach__is_corrupt(void **state)
{
    (void)state;
    for (u64 at = MEMORY_SIZE - INFORMATION_SIZE + 1; at < MEMORY_SIZE + 10; at++)
        assert_int_equal(boot_info_decode(memory, MEMORY_SIZE, at, &info), ERR_CORRUPT);
    assert_int_equal(boot_info_decode(memory, MEMORY_SIZE, UINT32_MAX, &info),
                     ERR_CORRUPT);
}

static void boot_info_decode__entry_size_zero_or_huge__cuts_the_map(void **state)
{
    (void)state;
    const u32 sizes[] = { 0, 19, 100, UINT32_MAX - 3, UINT32_MAX };

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        put_le32(memory + MAP_AT + 24, sizes[i]);
        assert_int_equal(decode(), OK);
        assert_int_equal(info.range_count, 1);
        assert_true(info.map_cut_short);
    }
}

static void boot_info_decode__longer_entries__are_stepped_over(void **state)
{
    (void)state;
    put_le32(memory + MAP_AT, 44); /* swallows the second entry */
    assert_int_equal(decode(), OK);
    assert_int_equal(info.range_count, 2);
    assert_int_equal(info.ranges[1].base, 0x100000);
}

static void boot_info_decode__map_length_huge__falls_back_to_sizes(void **state)
{
    (void)state;
    put_le32(memory + INFO_AT + MAP_LENGTH_AT, UINT32_MAX);
    assert_int_equal(decode(), OK);
    assert_int_equal(info.range_count, 1);
    assert_int_equal(info.ranges[0].base, MIB);
    assert_int_equal(info.ranges[0].size, MIB);
}

static void boot_info_decode__absurd_ranges__are_refused(void **state)
{
    (void)state;
    put_le64(memory + MAP_AT + 4, UINT64_MAX - 10);
    put_le64(memory + MAP_AT + 24 + 12, 0);
    assert_int_equal(decode(), OK);
    assert_int_equal(info.range_count, 1);
    assert_int_equal(info.ranges_refused, 2);
}

static void boot_info_decode__too_many_ranges__keeps_the_first(void **state)
{
    (void)state;
    u32 at = MAP_AT;

    for (int i = 0; i < BOOT_RANGES_MAX + 5; i++)
        add_entry(&at, (u64)i * MIB, MIB, 1);
    put_le32(memory + INFO_AT + MAP_LENGTH_AT, at - MAP_AT);
    assert_int_equal(decode(), OK);
    assert_int_equal(info.range_count, BOOT_RANGES_MAX);
    assert_int_equal(info.ranges_refused, 5);
}

static void boot_info_decode__no_memory_named__is_corrupt(void **state)
{
    (void)state;
    put_le32(memory + INFO_AT, FLAG_COMMAND_LINE);
    assert_int_equal(decode(), ERR_CORRUPT);
}

static void boot_info_decode__line_without_end__is_lost(void **state)
{
    (void)state;
    memset(memory + MEMORY_SIZE - 20, 'x', 20);
    put_le32(memory + INFO_AT + COMMAND_LINE_AT, MEMORY_SIZE - 20);
    assert_int_equal(decode(), OK);
    assert_true(info.command_line_lost);
    assert_string_equal(info.command_line, "");

    put_le32(memory + INFO_AT + COMMAND_LINE_AT, UINT32_MAX);
    assert_int_equal(decode(), OK);
    assert_true(info.command_line_lost);
}

static void boot_info_decode__line_too_long__is_lost(void **state)
{
    (void)state;
    memset(memory + 2048, 'x', BOOT_COMMAND_LINE_MAX);
    put_le32(memory + INFO_AT + COMMAND_LINE_AT, 2048);
    assert_int_equal(decode(), OK);
    assert_true(info.command_line_lost);

    memory[2048 + BOOT_COMMAND_LINE_MAX - 1] = 0;
    assert_int_equal(decode(), OK);
    assert_int_equal(strlen(info.command_line), BOOT_COMMAND_LINE_MAX - 1);
}

/* Whatever single bit is wrong: bounded, inside, and no range that wraps around. */
static void boot_info_decode__every_bit_flip__stays_inside(void **state)
{
    (void)state;
    u8 *exact = malloc(DESCRIBED);
    assert_non_null(exact);

    for (u32 bit = INFO_AT * 8; bit < DESCRIBED * 8; bit++) {
        memcpy(exact, memory, DESCRIBED);
        exact[bit / 8] ^= (u8)(1 << bit % 8);
        if (boot_info_decode(exact, DESCRIBED, INFO_AT, &info) != OK)
            continue;
        for (size_t i = 0; i < info.range_count; i++) {
            u64 end;
            assert_true(info.ranges[i].size > 0);
            assert_true(checked_add(info.ranges[i].base, info.ranges[i].size, &end));
        }
    }
    free(exact);
}

#define TEST(function) cmocka_unit_test_setup(function, given_a_valid_description)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(boot_info_decode__valid__copies_map_and_line),
        TEST(boot_info_decode__information_out_of_reach__is_corrupt),
        TEST(boot_info_decode__entry_size_zero_or_huge__cuts_the_map),
        TEST(boot_info_decode__longer_entries__are_stepped_over),
        TEST(boot_info_decode__map_length_huge__falls_back_to_sizes),
        TEST(boot_info_decode__absurd_ranges__are_refused),
        TEST(boot_info_decode__too_many_ranges__keeps_the_first),
        TEST(boot_info_decode__no_memory_named__is_corrupt),
        TEST(boot_info_decode__line_without_end__is_lost),
        TEST(boot_info_decode__line_too_long__is_lost),
        TEST(boot_info_decode__every_bit_flip__stays_inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
