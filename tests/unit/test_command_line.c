#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/command_line.h"
#include "kernel/base/string.h"

/* The items of `line`, each as [key] or [key=value]. */
static const char *parsed(const char *line)
{
    static char text[4096];
    struct command_line_item item;
    size_t cursor = 0, length = 0;

    text[0] = 0;
    while (command_line_next(line, &cursor, &item)) {
        const char *pieces[] = { "[", item.key, item.has_value ? "=" : "", item.value,
                                 item.cut_off ? "...]" : "]" };
        for (size_t i = 0; i < 5; i++) {
            assert_true(length + strlen(pieces[i]) < sizeof text);
            memcpy(text + length, pieces[i], strlen(pieces[i]) + 1);
            length += strlen(pieces[i]);
        }
    }
    return text;
}

static void command_line_next__words_and_pairs__are_separated(void **state)
{
    (void)state;
    assert_string_equal(parsed("fresh interval=0.5  a= "), "[fresh][interval=0.5][a=]");
    assert_string_equal(parsed(""), "");
    assert_string_equal(parsed(" \t "), "");
    assert_string_equal(parsed("a=b=c"), "[a=b=c]");
}

static void command_line_next__quotes__keep_spaces(void **state)
{
    (void)state;
    assert_string_equal(parsed("run=\"a b; c\" x"), "[run=a b; c][x]");
    assert_string_equal(parsed("\"run=a b; c\" x"), "[run=a b; c][x]");
    assert_string_equal(parsed("run=\"a \\\"b\\\" \\\\\" x"), "[run=a \"b\" \\][x]");
    assert_string_equal(parsed("run=a\\nb"), "[run=a\\nb]");
    assert_string_equal(parsed("run=\"\""), "[run=]");
}

static void command_line_next__unclosed_quote__ends_with_the_line(void **state)
{
    (void)state;
    assert_string_equal(parsed("run=\"a b"), "[run=a b]");
    assert_string_equal(parsed("a \""), "[a][]");
    assert_string_equal(parsed("a\\"), "[a\\]");
}

static void command_line_next__kernel_path__is_skipped_only_in_front(void **state)
{
    (void)state;
    assert_string_equal(parsed("build/kernel.elf fresh"), "[fresh]");
    assert_string_equal(parsed("kernel.elf fresh"), "[fresh]");
    assert_string_equal(parsed("/boot/k"), "");
    assert_string_equal(parsed("fresh a/b x.elf"), "[fresh][a/b][x.elf]");
    assert_string_equal(parsed("run=/a"), "[run=/a]");
    assert_string_equal(parsed("a/b c/d"), "[c/d]");
    assert_string_equal(parsed("elf"), "[elf]");
}

static void command_line_next__too_long__is_cut_and_said(void **state)
{
    (void)state;
    char line[3000];
    struct command_line_item item;
    size_t cursor = 0;

    memset(line, 'k', sizeof line - 1);
    line[sizeof line - 1] = 0;
    assert_true(command_line_next(line, &cursor, &item));
    assert_true(item.cut_off);
    assert_int_equal(strlen(item.key), COMMAND_LINE_KEY_MAX);
    assert_false(command_line_next(line, &cursor, &item));

    cursor = 0;
    line[1] = '=';
    assert_true(command_line_next(line, &cursor, &item));
    assert_true(item.cut_off);
    assert_int_equal(strlen(item.value), COMMAND_LINE_VALUE_MAX);
}

static void command_line_get__repeated_key__takes_the_last(void **state)
{
    (void)state;
    char value[8];

    assert_true(command_line_get("a=1 b=2 a=3", "a", value, sizeof value));
    assert_string_equal(value, "3");
}

static void command_line_get__absent_or_too_long__leaves_the_value(void **state)
{
    (void)state;
    char value[4] = "old";

    assert_false(command_line_get("a=1234 b", "a", value, sizeof value));
    assert_false(command_line_get("a=1234 b", "b", value, sizeof value));
    assert_false(command_line_get("a=1234 b", "c", value, sizeof value));
    assert_string_equal(value, "old");
    assert_true(command_line_get("a=123", "a", value, sizeof value));
}

static void command_line_has__only_words_without_value__count(void **state)
{
    (void)state;
    assert_true(command_line_has("k.elf fresh", "fresh"));
    assert_false(command_line_has("fresh=1", "fresh"));
    assert_false(command_line_has("refresh", "fresh"));
    assert_false(command_line_has("run=\"x fresh\"", "fresh"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line_next__words_and_pairs__are_separated),
        cmocka_unit_test(command_line_next__quotes__keep_spaces),
        cmocka_unit_test(command_line_next__unclosed_quote__ends_with_the_line),
        cmocka_unit_test(command_line_next__kernel_path__is_skipped_only_in_front),
        cmocka_unit_test(command_line_next__too_long__is_cut_and_said),
        cmocka_unit_test(command_line_get__repeated_key__takes_the_last),
        cmocka_unit_test(command_line_get__absent_or_too_long__leaves_the_value),
        cmocka_unit_test(command_line_has__only_words_without_value__count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
