/* The ring needs nothing of the kernel, so it is compiled right into its test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/log_ring.c"

static struct log_ring ring;
static char line[LOG_RING_LINE_MAX + 1];

static int given_an_empty_ring(void **state)
{
    (void)state;
    memset(&ring, 0, sizeof ring);
    return 0;
}

static void append_numbered(u32 number)
{
    char text[64];
    snprintf(text, sizeof text, "line %u", number);
    log_ring_append(&ring, text);
}

static void log_ring_next__empty__is_the_end(void **state)
{
    (void)state;
    u64 position = log_ring_last(&ring, 10);
    assert_false(log_ring_next(&ring, &position, line));
}

static void log_ring_last__fewer_than_asked__gives_all(void **state)
{
    (void)state;
    append_numbered(1);
    append_numbered(2);
    u64 position = log_ring_last(&ring, 10);
    assert_true(log_ring_next(&ring, &position, line));
    assert_string_equal(line, "line 1");
    assert_true(log_ring_next(&ring, &position, line));
    assert_string_equal(line, "line 2");
    assert_false(log_ring_next(&ring, &position, line));
}

static void log_ring_append__far_beyond_its_size__keeps_whole_newest_lines(void **state)
{
    (void)state;
    enum { LINES = 20000 };
    u64 position = 0;
    u32 number = 0, previous = 0, count = 0;

    for (u32 i = 0; i < LINES; i++)
        append_numbered(i);
    while (log_ring_next(&ring, &position, line)) {
        assert_int_equal(sscanf(line, "line %u", &number), 1);
        assert_true(count == 0 || number == previous + 1);
        previous = number;
        count++;
    }
    assert_int_equal(number, LINES - 1);
    assert_true(count > LOG_RING_SIZE / (int)sizeof "line 19999" - 2);

    position = log_ring_last(&ring, 3);
    assert_true(log_ring_next(&ring, &position, line));
    assert_string_equal(line, "line 19997");
}

static void log_ring_append__long_line_and_newline__are_tamed(void **state)
{
    (void)state;
    char text[1000];
    u64 position = 0;

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    text[3] = '\n';
    log_ring_append(&ring, text);
    assert_true(log_ring_next(&ring, &position, line));
    assert_int_equal(strlen(line), LOG_RING_LINE_MAX);
    assert_int_equal(line[3], ' ');
    assert_false(log_ring_next(&ring, &position, line));
}

#define TEST(function) cmocka_unit_test_setup(function, given_an_empty_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(log_ring_next__empty__is_the_end),
        TEST(log_ring_last__fewer_than_asked__gives_all),
        TEST(log_ring_append__far_beyond_its_size__keeps_whole_newest_lines),
        TEST(log_ring_append__long_line_and_newline__are_tamed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
