#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/generation_name.h"

#define LAST 253402300799999999ULL

static void assert_is_what_the_c_library_says(u64 microseconds)
{
    struct generation_name name;
    char expected[64];
    time_t seconds = (time_t)(microseconds / 1000000);
    struct tm date;
    u64 back;

    gmtime_r(&seconds, &date);
    size_t at = strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%S", &date);
    snprintf(expected + at, sizeof expected - at, ".%06uZ",
             (unsigned)(microseconds % 1000000));
    assert_int_equal(generation_name_encode(microseconds, &name), OK);
    assert_string_equal(name.text, expected);
    assert_int_equal(strlen(name.text), GENERATION_NAME_LENGTH);
    assert_true(generation_name_decode(name.text, &back));
    assert_int_equal(back, microseconds);
}

static void
generation_name_encode__every_day_to_9999__agrees_with_the_c_library(void **state)
{
    (void)state;
    for (u64 day = 0; day * 86400000000ULL <= LAST; day++)
        assert_is_what_the_c_library_says(day * 86400000000ULL +
                                          day * 7654321987ULL % 86400000000ULL);
    assert_is_what_the_c_library_says(0);
    assert_is_what_the_c_library_says(951782400000000ULL - 1); /* 2000-02-28 24:00 */
    assert_is_what_the_c_library_says(951782400000000ULL);
    assert_is_what_the_c_library_says(LAST);
}

static void generation_name_encode__beyond_9999__is_refused(void **state)
{
    (void)state;
    static const u64 times[] = { LAST + 1, 1ULL << 62, UINT64_MAX };
    struct generation_name name = { "kept" };

    for (size_t i = 0; i < ARRAY_LENGTH(times); i++)
        assert_int_equal(generation_name_encode(times[i], &name), ERR_INVALID_ARGUMENT);
    assert_string_equal(name.text, "kept");
}

static void generation_name_decode__what_is_no_such_time__is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "lost+found",
        "2025-06-15 15:06:40",         /* the original program */
        "2025-06-15 15:06:40.000000Z", /* a blank */
        "2025-06-15T15:06:40.000000",
        "2025-06-15T15:06:40.000000z",
        "2025-06-15T15:06:40.00000Z",
        "2025-06-15T15:06:40.0000000Z",
        "2025-06-15T15:06:40.000000Z ",
        "2025-02-29T00:00:00.000000Z",
        "1900-02-28T00:00:00.000000Z", /* before 1970 */
        "1969-12-31T23:59:59.999999Z",
        "2025-00-10T00:00:00.000000Z",
        "2025-13-10T00:00:00.000000Z",
        "2025-01-00T00:00:00.000000Z",
        "2025-04-31T00:00:00.000000Z",
        "2025-01-01T24:00:00.000000Z",
        "2025-01-01T00:60:00.000000Z",
        "2025-01-01T00:00:60.000000Z",
        "2025-01-01T00:00:00.-00001Z",
        "+025-01-01T00:00:00.000000Z",
        "2025-01-01T00:00:0x.000000Z",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        u64 time = 42;
        assert_false(generation_name_decode(texts[i], &time));
        assert_int_equal(time, 42);
    }
}

static void
generation_name_decode__any_changed_character__is_another_time_or_none(void **state)
{
    (void)state;
    static const char original[] = "2026-11-21T07:30:00.123456Z";
    u64 first, time;

    assert_true(generation_name_decode(original, &first));
    for (size_t at = 0; at < GENERATION_NAME_LENGTH; at++)
        for (int character = 1; character < 256; character++) {
            char text[sizeof original];
            struct generation_name name;
            memcpy(text, original, sizeof text);
            text[at] = (char)character;
            if (!generation_name_decode(text, &time))
                continue;
            assert_true((time == first) == (text[at] == original[at]));
            assert_int_equal(generation_name_encode(time, &name), OK);
            assert_string_equal(name.text, text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            generation_name_encode__every_day_to_9999__agrees_with_the_c_library),
        cmocka_unit_test(generation_name_encode__beyond_9999__is_refused),
        cmocka_unit_test(generation_name_decode__what_is_no_such_time__is_refused),
        cmocka_unit_test(
            generation_name_decode__any_changed_character__is_another_time_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
