/*
 * The line being typed and the history, key by key, and the look over what a generation held of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/shell/shell_state.h"
#include "tests/support/port_host.h"

#define UP "\x1b[A"
#define DOWN "\x1b[B"
#define RIGHT "\x1b[C"
#define LEFT "\x1b[D"
#define HOME "\x1b[H"
#define END "\x1b[F"
#define REMOVE "\x1b[3~"

static struct shell_state shell;

static int start(void **state)
{
    (void)state;
    shell_state_initialize(&shell);
    port_host_clear_log();
    return 0;
}

static enum line_event type(const char *keys)
{
    enum line_event event = LINE_NOTHING;

    for (; *keys; keys++)
        event = line_editor_feed(&shell.editor, &shell.history, *keys);
    return event;
}

/* `expected` has a bar where the cursor is. */
static void assert_line(const char *expected)
{
    char shown[LINE_MAX + 2];

    snprintf(shown, sizeof shown, "%.*s|%s", (int)shell.editor.cursor, shell.editor.text,
             shell.editor.text + shell.editor.cursor);
    assert_string_equal(shown, expected);
    assert_int_equal(shell.editor.length, strlen(shell.editor.text));
}

static void line_editor_feed__text__is_appended(void **state)
{
    (void)state;
    assert_int_equal(type("mem fill"), LINE_APPENDED);
    assert_line("mem fill|");
}

static void line_editor_feed__text_in_the_middle__pushes_the_rest(void **state)
{
    (void)state;
    assert_int_equal(type("md" LEFT "e" LEFT LEFT LEFT LEFT "x"), LINE_CHANGED);
    assert_line("x|med");
}

static void line_editor_feed__every_editing_key__does_its_work(void **state)
{
    static const struct {
        const char *keys, *line;
        enum line_event event;
    } cases[] = {
        { "\x7f", "|", LINE_NOTHING },
        { "ab\x7f", "a|", LINE_CHANGED },
        { "ab\b", "a|", LINE_CHANGED },
        { "ab" LEFT "\b", "|b", LINE_CHANGED },
        { "ab" LEFT REMOVE, "a|", LINE_CHANGED },
        { "ab" REMOVE, "ab|", LINE_NOTHING },
        { "ab\x02\x04", "a|", LINE_CHANGED },
        { "ab\x04", "ab|", LINE_NOTHING },
        { "ab" HOME, "|ab", LINE_CHANGED },
        { "ab\x01", "|ab", LINE_CHANGED },
        { "ab\x1b[1~", "|ab", LINE_CHANGED },
        { "ab\x1b[7~", "|ab", LINE_CHANGED },
        { "ab\x1bOH", "|ab", LINE_CHANGED },
        { "ab" HOME LEFT, "|ab", LINE_NOTHING },
        { "ab" RIGHT, "ab|", LINE_NOTHING },
        { "ab" HOME END, "ab|", LINE_CHANGED },
        { "ab\x01\x05", "ab|", LINE_CHANGED },
        { "ab\x01\x1b[4~", "ab|", LINE_CHANGED },
        { "ab\x01\x1b[8~", "ab|", LINE_CHANGED },
        { "ab\x01\x06", "a|b", LINE_CHANGED },
        { "ab\x01" RIGHT, "a|b", LINE_CHANGED },
        { "abc\x02\x02\x0b", "a|", LINE_CHANGED },
        { "abc\x02\x15", "|c", LINE_CHANGED },
        { "abc\x01\x15", "|abc", LINE_NOTHING },
        { "one two  \x17", "one |", LINE_CHANGED },
        { "one two\x02\x17", "one |o", LINE_CHANGED },
        { "   \x17", "|", LINE_CHANGED },
        { "ab\x0c", "ab|", LINE_CLEAR_SCREEN },
        { "ab\x03", "ab|", LINE_CANCELLED },
        { "ab\r", "ab|", LINE_FINISHED },
        { "ab\n", "ab|", LINE_FINISHED },
        { "ab\t", "ab|", LINE_NOTHING },
        { "ab\xc3\xa4", "ab|", LINE_NOTHING },
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        start(state);
        assert_int_equal(type(cases[i].keys), cases[i].event);
        assert_line(cases[i].line);
    }
}

static void line_editor_feed__unknown_escapes__are_swallowed(void **state)
{
    static const char *const sequences[] = { "\x1b[2~", "\x1b[1;5X", "\x1b[999999999999~",
                                             "\x1bx",   "\x1b[Z",    "\x1b[15~" };

    for (size_t i = 0; i < sizeof sequences / sizeof *sequences; i++) {
        start(state);
        type("ab");
        assert_int_equal(type(sequences[i]), LINE_NOTHING);
        assert_int_equal(type("c"), LINE_APPENDED);
        assert_line("abc|");
    }
}

static void line_editor_feed__control_key_within_an_escape__is_not_swallowed(void **state)
{
    (void)state;
    assert_int_equal(type("ab\x1b[\r"), LINE_FINISHED);
    assert_int_equal(type("\x1b\x03"), LINE_CANCELLED);
    assert_int_equal(type("\x1b[1;\b"), LINE_CHANGED);
    assert_int_equal(type("\x1b[\x1b[D"), LINE_CHANGED);
    assert_line("|a");
}

/* The power went between two bytes of a key. */
static void
line_editor_drop_key__half_of_an_escape_came__the_next_key_counts(void **state)
{
    static const char *const halves[] = { "\x1b", "\x1b[", "\x1b[1", "\x1bO" };

    for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
        start(state);
        type("ab");
        type(halves[i]);
        line_editor_drop_key(&shell.editor);
        assert_int_equal(type("D"), LINE_APPENDED);
        assert_line("abD|");
        assert_int_equal(type("\x1b[~"), LINE_NOTHING);
    }
}

static void line_editor_feed__line_full__takes_no_more(void **state)
{
    (void)state;
    for (int i = 0; i < LINE_MAX; i++)
        assert_int_equal(type("x"), LINE_APPENDED);
    assert_int_equal(type("y"), LINE_NOTHING);
    assert_int_equal(shell.editor.length, LINE_MAX);
    assert_int_equal(type(HOME "y"), LINE_NOTHING);
    assert_int_equal(shell.editor.text[LINE_MAX - 1], 'x');
    assert_int_equal(shell.editor.text[LINE_MAX], 0);
}

static void line_editor_feed__history_keys__walk_and_come_back(void **state)
{
    (void)state;
    history_add(&shell.history, "first");
    history_add(&shell.history, "second");
    type("typ" LEFT);

    assert_int_equal(type(UP), LINE_CHANGED);
    assert_line("second|");
    assert_int_equal(type("\x10"), LINE_CHANGED);
    assert_line("first|");
    assert_int_equal(type(UP), LINE_NOTHING);
    assert_line("first|");
    assert_int_equal(type(DOWN), LINE_CHANGED);
    assert_line("second|");
    assert_int_equal(type("\x0e"), LINE_CHANGED);
    assert_line("typ|");
    assert_int_equal(type(DOWN), LINE_NOTHING);
}

static void line_editor_feed__history_empty__changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(type("ab" UP), LINE_NOTHING);
    assert_line("ab|");
}

static void history_add__empty_or_repeated__is_not_kept(void **state)
{
    (void)state;
    history_add(&shell.history, "");
    history_add(&shell.history, "a");
    history_add(&shell.history, "a");
    assert_int_equal(shell.history.count, 1);
    history_add(&shell.history, "b");
    history_add(&shell.history, "a");
    assert_int_equal(shell.history.count, 3);
}

static void history_add__more_than_fit__keeps_the_newest(void **state)
{
    char line[16];

    (void)state;
    for (int i = 0; i < HISTORY_MAX + 5; i++) {
        snprintf(line, sizeof line, "%d", i);
        history_add(&shell.history, line);
    }
    assert_string_equal(history_line(&shell.history, 1), line);
    assert_string_equal(history_line(&shell.history, HISTORY_MAX), "5");
    assert_null(history_line(&shell.history, HISTORY_MAX + 1));
    assert_null(history_line(&shell.history, 0));
}

/* Whatever is typed: the invariants hold, and what holds them is accepted after a resume. */
static void line_editor_feed__random_keys__state_stays_valid(void **state)
{
    static const char *const keys[] = { UP,     DOWN,   LEFT,   RIGHT,  HOME,   END,
                                        REMOVE, "\x17", "\x0b", "\x15", "\x04", "\x7f",
                                        "ab ",  "\x1b", "[",    "~",    "9",    "\r" };
    unsigned seed = 1;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245u + 12345u;
        const char *key = keys[seed / 65536 % (sizeof keys / sizeof *keys)];
        if (type(key) == LINE_FINISHED) {
            history_add(&shell.history, shell.editor.text);
            line_editor_reset(&shell.editor);
        }
        assert_int_equal(shell_state_validate(&shell), OK);
        assert_int_equal(shell.editor.length, strlen(shell.editor.text));
    }
    assert_int_equal(shell.history.count, HISTORY_MAX);
}

static void spoil_length(void)
{
    shell.editor.length = LINE_MAX + 1;
}
static void spoil_length_shorter(void)
{
    shell.editor.length--;
}
static void spoil_cursor(void)
{
    shell.editor.cursor = shell.editor.length + 1;
}
static void spoil_cursor_negative(void)
{
    shell.editor.cursor = UINT32_MAX;
}
static void spoil_text(void)
{
    shell.editor.text[1] = '\n';
}
static void spoil_text_end(void)
{
    memset(shell.editor.text, 'x', LINE_MAX + 1);
}
static void spoil_typed_end(void)
{
    memset(shell.editor.typed, 'x', LINE_MAX + 1);
}
static void spoil_back(void)
{
    shell.editor.back = shell.history.count + 1;
}
static void spoil_count(void)
{
    shell.history.count = HISTORY_MAX + 1;
}
static void spoil_next(void)
{
    shell.history.next = HISTORY_MAX;
}
static void spoil_line(void)
{
    memset(shell.history.lines[0], 'x', LINE_MAX + 1);
}
static void spoil_line_control(void)
{
    shell.history.lines[1][0] = '\x1b';
}
static void spoil_running(void)
{
    memset(shell.running, 'x', LINE_MAX + 1);
}

static void shell_state_validate__every_field_spoilt__is_refused_and_named(void **state)
{
    static void (*const spoil[])(void) = {
        spoil_length,  spoil_length_shorter, spoil_cursor,    spoil_cursor_negative,
        spoil_text,    spoil_text_end,       spoil_typed_end, spoil_back,
        spoil_count,   spoil_next,           spoil_line,      spoil_line_control,
        spoil_running,
    };

    for (size_t i = 0; i < sizeof spoil / sizeof *spoil; i++) {
        start(state);
        history_add(&shell.history, "first");
        history_add(&shell.history, "second");
        type("typed" UP);
        assert_int_equal(shell_state_validate(&shell), OK);
        spoil[i]();
        assert_int_equal(shell_state_validate(&shell), ERR_CORRUPT);
        assert_true(port_host_logged("shell: saved state"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(line_editor_feed__text__is_appended, start),
        cmocka_unit_test_setup(line_editor_feed__text_in_the_middle__pushes_the_rest,
                               start),
        cmocka_unit_test_setup(line_editor_feed__every_editing_key__does_its_work, start),
        cmocka_unit_test_setup(line_editor_feed__unknown_escapes__are_swallowed, start),
        cmocka_unit_test_setup(
            line_editor_feed__control_key_within_an_escape__is_not_swallowed, start),
        cmocka_unit_test_setup(
            line_editor_drop_key__half_of_an_escape_came__the_next_key_counts, start),
        cmocka_unit_test_setup(line_editor_feed__line_full__takes_no_more, start),
        cmocka_unit_test_setup(line_editor_feed__history_keys__walk_and_come_back, start),
        cmocka_unit_test_setup(line_editor_feed__history_empty__changes_nothing, start),
        cmocka_unit_test_setup(line_editor_feed__random_keys__state_stays_valid, start),
        cmocka_unit_test_setup(history_add__empty_or_repeated__is_not_kept, start),
        cmocka_unit_test_setup(history_add__more_than_fit__keeps_the_newest, start),
        cmocka_unit_test_setup(
            shell_state_validate__every_field_spoilt__is_refused_and_named, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
