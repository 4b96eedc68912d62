#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/config.h"
#include "tests/support/port_host.h"

static struct snapper_config config;
static struct snapper_config_sources sources;

static int given_defaults(void **state)
{
    (void)state;
    config_defaults(&config, &sources);
    port_host_clear_log();
    return 0;
}

static u32 parse(const char *text)
{
    /* A copy of exactly this size, for the sanitizer: the text has no terminator. */
    size_t size = strlen(text);
    char *copy = malloc(size ? size : 1);
    memcpy(copy, text, size);
    u32 wrong = config_parse(&config, &sources, copy, size, "/snapper.conf");
    free(copy);
    return wrong;
}

static const char *value_of(const char *key)
{
    static char text[64];
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        if (text_equal(config_key_name(i), key)) {
            config_value_text(&config, i, text, sizeof text);
            return text;
        }
    fail_msg("no key %s", key);
    return NULL;
}

static void config_defaults__of_every_key__are_those_of_the_specification(void **state)
{
    (void)state;
    static const char *const expected[][2] = {
        { "verbose", "false" },   { "threshold", "100" },    { "integrity", "true" },
        { "redundancy", "3" },    { "copies", "2" },         { "interval", "0" },
        { "max_snapshots", "0" }, { "min_snapshots", "0" },  { "expiration", "0" },
        { "bufsize", "1048576" }, { "copy_budget", "1024" }, { "reserve", "5" },
        { "fallback", "3" },
    };
    assert_int_equal(ARRAY_LENGTH(expected), CONFIG_KEY_COUNT);
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        assert_string_equal(value_of(expected[i][0]), expected[i][1]);
}

static void config_parse__a_file_with_comments_and_blanks__is_taken(void **state)
{
    (void)state;
    assert_int_equal(parse("# how often\r\n"
                           "\t interval =  0.25 # four a second\n"
                           "\n"
                           "threshold=7\n"
                           "integrity = no"),
                     0);
    assert_int_equal(config.interval_microseconds, 250000);
    assert_string_equal(value_of("interval"), "0.250000");
    assert_int_equal(config.threshold, 7);
    assert_false(config.integrity);
    assert_int_equal(sources.of[1], CONFIG_FILE);
    assert_int_equal(sources.of[0], CONFIG_DEFAULT);
}

static void config_parse__what_makes_no_sense__is_named_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "treshold = 5",
        "threshold = ",
        "threshold = 0",
        "threshold = -1",
        "threshold = 5x",
        "threshold = 99999999999999999999",
        "redundancy = 256",
        "verbose = maybe",
        "interval = 1.",
        "interval = .5",
        "interval = 1.0000001",
        "interval = 1e9",
        "interval = 4294967296",
        "bufsize = 0",
        "reserve = 91",
        "threshold",
        "= 5",
        "copies = 256",
    };
    struct snapper_config before = config;

    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        port_host_clear_log();
        assert_int_equal(parse(lines[i]), 1);
        assert_true(port_host_logged("/snapper.conf line 1"));
        assert_memory_equal(&before, &config, sizeof config);
    }
    assert_int_equal(parse("\n\nno_such_key = 1\n"), 1);
    assert_true(port_host_logged("line 3"));
    assert_true(port_host_logged("no_such_key"));
}

static void config_set__from_the_command_line__says_where_it_came_from(void **state)
{
    (void)state;
    assert_int_equal(parse("copies = 4\n"), 0);
    assert_int_equal(config_set(&config, &sources, "copies", "9", CONFIG_COMMAND_LINE),
                     OK);
    assert_int_equal(config.copies, 9);
    assert_int_equal(sources.of[4], CONFIG_COMMAND_LINE);
    assert_int_equal(config_set(&config, &sources, "copy", "9", CONFIG_COMMAND_LINE),
                     ERR_NOT_FOUND);
    assert_int_equal(config_set(&config, &sources, "copies", "x", CONFIG_COMMAND_LINE),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(config.copies, 9);
}

static void config_parse__random_bytes__never_leaves_the_limits(void **state)
{
    (void)state;
    static const char alphabet[] =
        "threshold=interval 0123456789.#\n\r\t\0\xff-truefalse";
    u64 seed = 99;
    char text[120];

    print_message("seed %llu\n", (unsigned long long)seed);
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < sizeof text; i++) {
            seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
            text[i] = alphabet[(seed >> 33) % (sizeof alphabet - 1)];
        }
        (void)config_parse(&config, &sources, text, sizeof text, "random");
        assert_true(config.threshold >= 1 && config.bufsize >= 1);
        assert_true(config.reserve <= 90 && config.redundancy <= 255);
    }
}

static void config_parse__a_line_of_a_megabyte__is_one_complaint(void **state)
{
    (void)state;
    size_t size = 1 << 20;
    char *text = malloc(size);

    memset(text, 'x', size);
    assert_int_equal(config_parse(&config, &sources, text, size, "/snapper.conf"), 1);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(
            config_defaults__of_every_key__are_those_of_the_specification,
            given_defaults),
        cmocka_unit_test_setup(config_parse__a_file_with_comments_and_blanks__is_taken,
                               given_defaults),
        cmocka_unit_test_setup(
            config_parse__what_makes_no_sense__is_named_and_changes_nothing,
            given_defaults),
        cmocka_unit_test_setup(config_set__from_the_command_line__says_where_it_came_from,
                               given_defaults),
        cmocka_unit_test_setup(config_parse__random_bytes__never_leaves_the_limits,
                               given_defaults),
        cmocka_unit_test_setup(config_parse__a_line_of_a_megabyte__is_one_complaint,
                               given_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
