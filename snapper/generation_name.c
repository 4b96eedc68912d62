#include "snapper/generation_name.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"

enum {
    DAYS_IN_ERA = 146097, /* 400 years of the Gregorian calendar */
    EPOCH_DAY = 719468,   /* 1970-01-01 in days since 0000-03-01 */
    LAST_YEAR = 9999,
};
#define MICROSECONDS_IN_DAY (86400ULL * 1000000)

struct date {
    u64 year;
    u64 month; /* 1 - 12 */
    u64 day;   /* 1 - 31 */
};

/* Years are counted from March, so that the leap day is the last one of its year. */
static struct date date_from_days(u64 days_since_1970)
{
    u64 days = days_since_1970 + EPOCH_DAY;
    u64 era = days / DAYS_IN_ERA;
    u64 day_of_era = days % DAYS_IN_ERA;
    u64 year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    u64 day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    u64 march_month = (5 * day_of_year + 2) / 153;
    u64 month = march_month < 10 ? march_month + 3 : march_month - 9;

    return (struct date){
        .year = era * 400 + year_of_era + (month <= 2),
        .month = month,
        .day = day_of_year - (153 * march_month + 2) / 5 + 1,
    };
}

static u64 days_from_date(struct date date)
{
    u64 year = date.year - (date.month <= 2);
    u64 era = year / 400;
    u64 year_of_era = year % 400;
    u64 march_month = date.month > 2 ? date.month - 3 : date.month + 9;
    u64 day_of_year = (153 * march_month + 2) / 5 + date.day - 1;
    u64 day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * DAYS_IN_ERA + day_of_era - EPOCH_DAY;
}

enum status generation_name_encode(u64 microseconds, struct generation_name *name)
{
    struct date date = date_from_days(microseconds / MICROSECONDS_IN_DAY);
    u64 rest = microseconds % MICROSECONDS_IN_DAY;
    u64 seconds = rest / 1000000;

    if (date.year > LAST_YEAR)
        return ERR_INVALID_ARGUMENT;
    format_text(name->text, sizeof name->text,
                "%04lu-%02lu-%02luT%02lu:%02lu:%02lu.%06luZ", date.year, date.month,
                date.day, seconds / 3600, seconds / 60 % 60, seconds % 60,
                rest % 1000000);
    return OK;
}

bool generation_name_decode(const char *text, u64 *microseconds)
{
    static const char pattern[] = "0000-00-00T00:00:00.000000Z";
    static const struct {
        u8 at, length;
    } fields[] = { { 0, 4 },  { 5, 2 },  { 8, 2 }, { 11, 2 },
                   { 14, 2 }, { 17, 2 }, { 20, 6 } };
    u64 value[ARRAY_LENGTH(fields)];

    if (strlen(text) != GENERATION_NAME_LENGTH)
        return false;
    for (size_t at = 0; at < GENERATION_NAME_LENGTH; at++)
        if (pattern[at] != '0' && text[at] != pattern[at])
            return false;
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++)
        if (!digits_to_u64(text + fields[i].at, fields[i].length, 10, &value[i]))
            return false;
    if (value[0] < 1970 || value[1] < 1 || value[1] > 12 || value[2] < 1 || value[2] > 31)
        return false;

    struct date date = { value[0], value[1], value[2] };
    u64 time = days_from_date(date) * MICROSECONDS_IN_DAY +
               (value[3] * 3600 + value[4] * 60 + value[5]) * 1000000 + value[6];
    struct generation_name again;

    /* The 30th of February and 25 o'clock come back as something else. */
    if (generation_name_encode(time, &again) != OK || !text_equal(again.text, text))
        return false;
    *microseconds = time;
    return true;
}

int generation_name_compare(const struct generation_name *a,
                            const struct generation_name *b)
{
    return strcmp(a->text, b->text);
}
