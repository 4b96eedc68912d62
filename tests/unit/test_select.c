/*
 * Which generation somebody means, and how generations look as lines of a table.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "snapper/generation_text.h"
#include "snapper/select.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { SECOND = 1000000, NAMES = 3 };

static struct fixture fixture;
static struct generation_name names[NAMES];

/* Generations of 14:00:00, 14:00:07 and 15:00:00 on 2026-11-21. */
static int start(void **state)
{
    static const u64 times[NAMES] = { 1795269600, 1795269607, 1795273200 };
    struct snapper_commit_report report;

    (void)state;
    fixture_open(&fixture, NULL, 1);
    for (size_t i = 0; i < NAMES; i++) {
        port_host_set_time(times[i] * SECOND);
        names[i] = commit_pages(&fixture, 1, 2, PAGE_SIZE, i, &report);
    }
    port_host_clear_log();
    return 0;
}

static int start_empty(void **state)
{
    (void)state;
    fixture_open(&fixture, NULL, 1);
    port_host_clear_log();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    fixture_close(&fixture);
    port_host_set_time(0);
    return 0;
}

static void assert_selects(const char *text, size_t index)
{
    struct generation_name name;

    assert_int_equal(snapper_select(fixture.snapper, text, &name), OK);
    assert_string_equal(name.text, names[index].text);
}

/* With a line that says why, and the result untouched. */
static void assert_refuses(const char *text, enum status expected)
{
    struct generation_name name = { .text = "untouched" };

    port_host_clear_log();
    assert_int_equal(snapper_select(fixture.snapper, text, &name), expected);
    assert_string_equal(name.text, "untouched");
    assert_true(port_host_logged("snapper: "));
}

static void snapper_select__words_and_names__find_their_generation(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++)
        assert_selects(names[i].text, i);
    assert_selects("latest", 2);
    assert_selects("latest~0", 2);
    assert_selects("latest~1", 1);
    assert_selects("latest~2", 0);
    assert_selects("oldest", 0);
    assert_selects("2026-11-21T15", 2);
    assert_selects("2026-11-21T14:00:07", 1);
}

static void snapper_select__beginning_of_several__is_refused(void **state)
{
    (void)state;
    assert_refuses("2026-11-21T14", ERR_INVALID_ARGUMENT);
    assert_refuses("2", ERR_INVALID_ARGUMENT);
}

static void snapper_select__none_there__is_not_found(void **state)
{
    (void)state;
    assert_refuses("latest~3", ERR_NOT_FOUND);
    assert_refuses("latest~0x1", ERR_INVALID_ARGUMENT);
    assert_refuses("latest~18446744073709551615", ERR_NOT_FOUND);
    assert_refuses("1999", ERR_NOT_FOUND);
    assert_refuses("oldes", ERR_NOT_FOUND);
}

static void snapper_select__other_forms__are_refused(void **state)
{
    (void)state;
    assert_refuses("", ERR_INVALID_ARGUMENT);
    assert_refuses("latest~", ERR_INVALID_ARGUMENT);
    assert_refuses("latest~x", ERR_INVALID_ARGUMENT);
    assert_refuses("latest~-1", ERR_INVALID_ARGUMENT);
    assert_refuses("latest~18446744073709551616", ERR_INVALID_ARGUMENT);
    assert_refuses("latest1", ERR_INVALID_ARGUMENT);
}

static void snapper_select__no_generations__is_not_found(void **state)
{
    (void)state;
    assert_refuses("latest", ERR_NOT_FOUND);
    assert_refuses("oldest", ERR_NOT_FOUND);
    assert_refuses("2", ERR_NOT_FOUND);
}

/* --- lines --- */

static void assert_age(u64 seconds, const char *expected)
{
    char text[8];

    age_text(seconds * SECOND, text, sizeof text);
    assert_string_equal(text, expected);
}

static void age_text__of_every_length__in_the_unit_that_says_most(void **state)
{
    (void)state;
    assert_age(0, "0 s");
    assert_age(119, "119 s");
    assert_age(120, "2 min");
    assert_age(7199, "119 min");
    assert_age(7200, "2 h");
    assert_age(172799, "47 h");
    assert_age(172800, "2 d");
    assert_age(86400000, "1000 d");
}

static void assert_size(u64 bytes, const char *expected)
{
    char text[24];

    size_text(bytes, text, sizeof text);
    assert_string_equal(text, expected);
}

static void size_text__of_every_length__in_the_unit_that_says_most(void **state)
{
    (void)state;
    assert_size(0, "0 B");
    assert_size(10 * KIB - 1, "10239 B");
    assert_size(10 * KIB, "10.0 KiB");
    assert_size(1536 * KIB, "1.5 MiB");
    assert_size(MIB - 1, "1023.9 KiB");
    assert_size(MIB, "1.0 MiB");
    assert_size(GIB, "1.0 GiB");
    assert_size(1ULL << 50, "1024.0 TiB");
    assert_size(1ULL << 62, "4194304.0 TiB");
    assert_size(UINT64_MAX, "16777215.9 TiB");
}

static struct snapper_generation_info info_of(size_t index)
{
    struct snapper_generation_info info;

    assert_int_equal(snapper_generation_info(fixture.snapper, index, &info), OK);
    return info;
}

static void generation_line__fields__stand_under_their_headings(void **state)
{
    char heading[GENERATION_LINE_MAX], line[GENERATION_LINE_MAX];
    struct snapper_generation_info info = info_of(1);

    (void)state;
    generation_heading(heading, sizeof heading);
    generation_line(&info, NULL, info.time + 90 * SECOND, line, sizeof line);
    assert_int_equal(strncmp(line, names[1].text, strlen(names[1].text)), 0);
    assert_ptr_equal(strstr(line, "90 s") + 4 - line,
                     strstr(heading, "age") + 3 - heading);
    assert_ptr_equal(strstr(line, names[0].text) - line,
                     strstr(heading, "parent") - heading);
    assert_non_null(strstr(line, " no "));
}

static void generation_line__first_or_from_the_future__has_dashes(void **state)
{
    char line[GENERATION_LINE_MAX];
    struct snapper_generation_info info = info_of(0);

    (void)state;
    generation_line(&info, NULL, info.time - 1, line, sizeof line);
    const char *dash = strchr(line + strlen(names[0].text), '-');
    assert_non_null(dash);
    assert_non_null(strchr(dash + 1, '-'));
    assert_null(strstr(line, "2026-11-21T14:00:07"));
}

static void generation_line__archive_unreadable__says_so(void **state)
{
    char line[GENERATION_LINE_MAX];
    struct snapper_generation_info info = info_of(0);

    (void)state;
    info.status = ERR_CORRUPT;
    generation_line(&info, NULL, info.time, line, sizeof line);
    assert_non_null(strstr(line, status_text(ERR_CORRUPT)));
    assert_non_null(strstr(line, "?"));
}

static void generation_line__longest_description__fits(void **state)
{
    char line[GENERATION_LINE_MAX];
    struct snapper_generation_info info = info_of(0);

    (void)state;
    memset(info.description, 'd', SNAPPER_DESCRIPTION_MAX);
    info.description[SNAPPER_DESCRIPTION_MAX] = '\0';
    info.parent = info.name;
    info.objects = info.files_written = UINT64_MAX;
    info.archive_bytes = UINT32_MAX;
    info.pinned = true;
    struct snapper_usage usage = { .exclusive_bytes = UINT64_MAX,
                                   .shared_bytes = UINT64_MAX };
    generation_line(&info, &usage, UINT64_MAX, line, sizeof line);
    assert_string_equal(line + strlen(line) - SNAPPER_DESCRIPTION_MAX, info.description);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            snapper_select__words_and_names__find_their_generation, start, stop),
        cmocka_unit_test_setup_teardown(snapper_select__beginning_of_several__is_refused,
                                        start, stop),
        cmocka_unit_test_setup_teardown(snapper_select__none_there__is_not_found, start,
                                        stop),
        cmocka_unit_test_setup_teardown(snapper_select__other_forms__are_refused, start,
                                        stop),
        cmocka_unit_test_setup_teardown(snapper_select__no_generations__is_not_found,
                                        start_empty, stop),
        cmocka_unit_test(age_text__of_every_length__in_the_unit_that_says_most),
        cmocka_unit_test(size_text__of_every_length__in_the_unit_that_says_most),
        cmocka_unit_test_setup_teardown(
            generation_line__fields__stand_under_their_headings, start, stop),
        cmocka_unit_test_setup_teardown(
            generation_line__first_or_from_the_future__has_dashes, start, stop),
        cmocka_unit_test_setup_teardown(generation_line__archive_unreadable__says_so,
                                        start, stop),
        cmocka_unit_test_setup_teardown(generation_line__longest_description__fits, start,
                                        stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
