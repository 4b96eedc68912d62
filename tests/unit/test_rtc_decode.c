/*
 * The battery clock's registers, against the C library's calendar.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "drivers/rtc.h"

enum { BINARY = 1 << 2, HOURS_24 = 1 << 1, AFTERNOON = 1 << 7 };

static u8 bcd(int value)
{
    return (u8)(value / 10 << 4 | value % 10);
}

/* The registers of a clock in each of its four modes at this moment. */
static struct rtc_registers registers_at(time_t when, u8 mode)
{
    struct tm moment;
    gmtime_r(&when, &moment);
    int hour = moment.tm_hour;

    if (!(mode & HOURS_24))
        hour = hour % 12 ? hour % 12 : 12;
    int fields[] = { moment.tm_sec,
                     moment.tm_min,
                     hour,
                     moment.tm_mday,
                     moment.tm_mon + 1,
                     moment.tm_year % 100,
                     (moment.tm_year + 1900) / 100 };
    u8 raw[7];
    for (int i = 0; i < 7; i++)
        raw[i] = mode & BINARY ? (u8)fields[i] : bcd(fields[i]);
    if (!(mode & HOURS_24) && moment.tm_hour >= 12)
        raw[2] |= AFTERNOON;
    return (struct rtc_registers){ raw[0], raw[1], raw[2], raw[3],
                                   raw[4], raw[5], raw[6], mode };
}

static const u8 modes[] = { 0, BINARY, HOURS_24, BINARY | HOURS_24 };

static void rtc_decode__130_years_in_each_mode__is_the_librarys_time(void **state)
{
    (void)state;
    /* Steps of 5 days and some: all hours, all days, all months, leap years of every kind. */
    for (time_t when = 0; when < 4102444800 + 700 * 86400; when += 5 * 86400 + 3701)
        for (size_t i = 0; i < sizeof modes; i++) {
            struct rtc_registers registers = registers_at(when, modes[i]);
            u64 microseconds = 0;
            assert_int_equal(rtc_decode(&registers, &microseconds), OK);
            assert_int_equal(microseconds, (u64)when * 1000000);
        }
}

static void rtc_decode__noon_and_midnight_of_12_hours__are_told_apart(void **state)
{
    struct rtc_registers midnight = { 0, 0, 0x12, 1, 1, 0x26, 0x20, 0 };
    struct rtc_registers noon = { 0, 0, 0x12 | AFTERNOON, 1, 1, 0x26, 0x20, 0 };
    u64 first, second;

    (void)state;
    assert_int_equal(rtc_decode(&midnight, &first), OK);
    assert_int_equal(rtc_decode(&noon, &second), OK);
    assert_int_equal(second - first, 12ULL * 3600 * 1000000);
}

static void rtc_decode__century_unknown__is_this_one(void **state)
{
    static const u8 wrong[] = { 0, 0xff, 0x99, 0x0a };
    struct rtc_registers registers = { 0, 0, 0, 1, 1, 0x26, 0x20, HOURS_24 };
    u64 right, found;

    (void)state;
    assert_int_equal(rtc_decode(&registers, &right), OK);
    for (size_t i = 0; i < sizeof wrong; i++) {
        registers.century = wrong[i];
        assert_int_equal(rtc_decode(&registers, &found), OK);
        assert_int_equal(found, right);
    }
}

static void rtc_decode__no_such_date__is_refused(void **state)
{
    static const struct rtc_registers wrong[] = {
        { 0x60, 0, 0, 1, 1, 0x26, 0x20, HOURS_24 },
        { 0x0a, 0, 0, 1, 1, 0x26, 0x20, HOURS_24 },
        { 0, 0x60, 0, 1, 1, 0x26, 0x20, HOURS_24 },
        { 0, 0, 0x24, 1, 1, 0x26, 0x20, HOURS_24 },
        { 0, 0, 0xff, 1, 1, 0x26, 0x20, HOURS_24 },
        { 0, 0, 0x00, 1, 1, 0x26, 0x20, 0 },
        { 0, 0, 0x13, 1, 1, 0x26, 0x20, 0 },
        { 0, 0, 0, 0, 1, 0x26, 0x20, HOURS_24 },
        { 0, 0, 0, 0x32, 1, 0x26, 0x20, HOURS_24 },
        { 0, 0, 0, 0x31, 4, 0x26, 0x20, HOURS_24 },
        { 0, 0, 0, 0x29, 2, 0x26, 0x20, HOURS_24 },
        { 0, 0, 0, 0x29, 2, 0x00, 0x21, HOURS_24 },
        { 0, 0, 0, 1, 0, 0x26, 0x20, HOURS_24 },
        { 0, 0, 0, 1, 0x13, 0x26, 0x20, HOURS_24 },
        { 0, 0, 0, 1, 1, 0xa0, 0x20, HOURS_24 },
        { 0, 0, 0, 1, 1, 0x69, 0x19, HOURS_24 },
        { 0, 0, 0, 1, 1, 100, 20, HOURS_24 | BINARY },
        { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
        { 0, 0, 0, 0, 0, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        u64 untouched = 42;
        assert_int_equal(rtc_decode(&wrong[i], &untouched), ERR_CORRUPT);
        assert_int_equal(untouched, 42);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rtc_decode__130_years_in_each_mode__is_the_librarys_time),
        cmocka_unit_test(rtc_decode__noon_and_midnight_of_12_hours__are_told_apart),
        cmocka_unit_test(rtc_decode__century_unknown__is_this_one),
        cmocka_unit_test(rtc_decode__no_such_date__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
