/* format.h against the C library's snprintf(), and the rest of base/text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/base/format.h"
#include "kernel/base/string.h"

#define ASSERT_SAME(...)                                                                 \
    do {                                                                                 \
        char ours[128], theirs[128];                                                     \
        size_t length = format_text(ours, sizeof ours, __VA_ARGS__);                     \
        assert_int_equal(length, snprintf(theirs, sizeof theirs, __VA_ARGS__));          \
        assert_string_equal(ours, theirs);                                               \
    } while (0)

static void format_text__numbers__match_the_c_library(void **state)
{
    static const u64 values[] = { 0,          1,          9,          10,
                                  255,        4096,       0x7fffffff, 0x80000000,
                                  UINT32_MAX, 1ULL << 40, INT64_MAX,  1ULL << 63,
                                  UINT64_MAX };
    (void)state;
    for (size_t at = 0; at < ARRAY_LENGTH(values); at++) {
        u64 value = values[at];
        ASSERT_SAME("%lu|%20lu|%-20lu|%020lu|%.7lu", value, value, value, value, value);
        ASSERT_SAME("%ld|%20ld|%-20ld|%020ld|%.7ld", (i64)value, (i64)value, (i64)value,
                    (i64)value, (i64)value);
        ASSERT_SAME("%lx|%#lx|%lX|%#018lx|%16lx", value, value, value, value, value);
        ASSERT_SAME("%u|%d|%x|%#X", (u32)value, (i32)value, (u32)value, (u32)value);
        ASSERT_SAME("%hu|%hd|%hhu|%hhx", (u16)value, (i16)value, (u8)value, (u8)value);
        ASSERT_SAME("%zu|%llu|%*u|%-*u", (size_t)value, (unsigned long long)value, 12,
                    (u32)value, 12, (u32)value);
    }
}

static void format_text__strings__match_the_c_library(void **state)
{
    (void)state;
    ASSERT_SAME("%s|%10s|%-10s|%.2s|%10.3s|%-10.3s|%.*s", "hello", "hello", "hello",
                "hello", "hello", "hello", 4, "hello");
    ASSERT_SAME("%c|%5c|%-5c|%%|100%%", 'a', 'b', 'c');
    ASSERT_SAME("%p", (void *)0x1234);
}

static void format_text__any_size__terminates_inside(void **state)
{
    char to[16];

    (void)state;
    for (size_t size = 0; size < sizeof to; size++) {
        memset(to, '#', sizeof to);
        assert_int_equal(format_text(to, size, "%s", "0123456789abcdefgh"), 18);
        if (size > 0)
            assert_int_equal(strlen(to), size - 1);
        assert_int_equal(to[size], '#');
    }
}

static void text_to_u64__numbers__are_read_whole(void **state)
{
    u64 value = 0;

    (void)state;
    assert_true(text_to_u64("18446744073709551615", &value));
    assert_true(value == UINT64_MAX);
    assert_true(text_to_u64("0xfFfF", &value));
    assert_int_equal(value, 0xffff);

    static const char *const bad[] = {
        "", "0x", "12a", "-1", " 1", "18446744073709551616", "0x10000000000000000", "1 "
    };
    for (size_t at = 0; at < ARRAY_LENGTH(bad); at++)
        assert_false(text_to_u64(bad[at], &value));
    assert_int_equal(value, 0xffff);
}

static void text_copy__too_long__leaves_nothing(void **state)
{
    char to[4] = "abc";

    (void)state;
    assert_false(text_copy(to, sizeof to, "four"));
    assert_string_equal(to, "");
    assert_true(text_copy(to, sizeof to, "one"));
    assert_string_equal(to, "one");
}

static void memory_is_zero__one_byte_anywhere__is_seen(void **state)
{
    u8 memory[67] = { 0 };

    (void)state;
    assert_true(memory_is_zero(memory, 0));
    assert_true(memory_is_zero(memory, sizeof memory));
    for (size_t at = 0; at < sizeof memory; at++) {
        memory[at] = 1;
        assert_false(memory_is_zero(memory, sizeof memory));
        memory[at] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format_text__numbers__match_the_c_library),
        cmocka_unit_test(format_text__strings__match_the_c_library),
        cmocka_unit_test(format_text__any_size__terminates_inside),
        cmocka_unit_test(text_to_u64__numbers__are_read_whole),
        cmocka_unit_test(text_copy__too_long__leaves_nothing),
        cmocka_unit_test(memory_is_zero__one_byte_anywhere__is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
