/*
 * From the clock's registers to a time. Apart from the port access, so that it is tested on the host.
 */
#include "drivers/rtc.h"

enum { BINARY = 1 << 2, HOURS_24 = 1 << 1, AFTERNOON = 1 << 7 };
enum { FIRST_YEAR = 1970, SECONDS_PER_DAY = 86400, CENTURY_UNKNOWN = 20 };

static bool from_bcd(u8 *value)
{
    if (*value >> 4 > 9 || (*value & 15) > 9)
        return false;
    *value = (u8)((*value >> 4) * 10 + (*value & 15));
    return true;
}

static bool to_binary(struct rtc_registers *r)
{
    if (r->status_b & BINARY)
        return true;
    /* Not every machine has a century there. */
    if (!from_bcd(&r->century))
        r->century = CENTURY_UNKNOWN;
    return from_bcd(&r->second) && from_bcd(&r->minute) && from_bcd(&r->hour) &&
           from_bcd(&r->day) && from_bcd(&r->month) && from_bcd(&r->year);
}

static bool is_leap(u32 year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static u32 days_in_month(u32 year, u32 month)
{
    static const u8 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

static u64 days_before_year(u32 year)
{
    u32 past = year - 1;

    return (u64)past * 365 + past / 4 - past / 100 + past / 400;
}

enum status rtc_decode(const struct rtc_registers *registers, u64 *microseconds)
{
    struct rtc_registers r = *registers;
    bool afternoon = !(r.status_b & HOURS_24) && r.hour & AFTERNOON;

    if (!(r.status_b & HOURS_24))
        r.hour &= (u8)~AFTERNOON;
    if (!to_binary(&r))
        return ERR_CORRUPT;
    if (!(r.status_b & HOURS_24)) {
        if (r.hour < 1 || r.hour > 12)
            return ERR_CORRUPT;
        r.hour = (u8)(r.hour % 12 + (afternoon ? 12 : 0));
    }
    if (r.century < 19 || r.century > 21)
        r.century = CENTURY_UNKNOWN;

    u32 year = r.century * 100u + r.year;
    if (year < FIRST_YEAR || r.year > 99 || r.month < 1 || r.month > 12 || r.day < 1 ||
        r.day > days_in_month(year, r.month) || r.hour > 23 || r.minute > 59 ||
        r.second > 59)
        return ERR_CORRUPT;

    u64 days = days_before_year(year) - days_before_year(FIRST_YEAR);
    for (u32 month = 1; month < r.month; month++)
        days += days_in_month(year, month);
    days += r.day - 1u;
    *microseconds =
        (days * SECONDS_PER_DAY + r.hour * 3600u + r.minute * 60u + r.second) * 1000000;
    return OK;
}
