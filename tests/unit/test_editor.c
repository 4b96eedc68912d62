/* The edit program's text and keys, against a plain string. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/user/logic/editor.h"
#include "kernel/user/user.h"
#include "tests/support/user_host.h"

enum { TEXT_MAX = 20000 };

static void feed(struct editor *editor, const char *keys)
{
    for (; *keys != '\0'; keys++)
        assert_true(editor_feed(editor, *keys) <= EDITOR_NOTHING);
}

static void assert_text(const struct editor *editor, const char *expected)
{
    char text[TEXT_MAX + 1];
    size_t length = text_buffer_length(&editor->text);

    assert_in_range(length, 0, TEXT_MAX);
    for (size_t at = 0; at < length; at++)
        text[at] = text_buffer_at(&editor->text, at);
    text[length] = '\0';
    assert_string_equal(text, expected);
}

static void assert_cursor(const struct editor *editor, size_t line, size_t column)
{
    struct text_place place = text_buffer_cursor(&editor->text);

    assert_int_equal(place.line, line);
    assert_int_equal(place.column, column);
}

struct case_of_keys {
    const char *keys, *text;
    size_t line, column;
};

static void editor_feed__keys__text_and_cursor(void **state)
{
    static const struct case_of_keys cases[] = {
        { "", "", 0, 0 },
        { "abc", "abc", 0, 3 },
        { "abc\rde", "abc\nde", 1, 2 },
        { "abc\x1b[D\x1b[DX", "aXbc", 0, 2 },
        { "ab\x7f\x08\x08z", "z", 0, 1 },
        { "abc\x01\x1b[3~", "bc", 0, 0 },
        { "abc\x1b[H\x1b[FZ", "abcZ", 0, 4 },
        { "abc\x1b[1~\x1b[4~Z", "abcZ", 0, 4 },
        { "one\rtwo\x1b[A\x0b", "onetwo", 0, 3 },
        { "abcd\re\rfghi\x1b[A\x1b[A!", "abcd!\ne\nfghi", 0, 5 },
        { "a\rb\x1b[A\x01\x0b\x0b", "b", 0, 0 },
        { "ab\x1b[99999999999zc", "abc", 0, 3 },
        { "ab\x1bOD.", "a.b", 0, 2 },
        { "a\x1b[A\x1b[A\x1b[B\x1b[C\x1b[C\x04", "a", 0, 1 },
    };

    (void)state;
    for (size_t at = 0; at < ARRAY_LENGTH(cases); at++) {
        struct editor editor;
        editor_init(&editor);
        feed(&editor, cases[at].keys);
        assert_text(&editor, cases[at].text);
        assert_cursor(&editor, cases[at].line, cases[at].column);
        text_buffer_free(&editor.text);
    }
}

/* What the keys must do, on a string. */
struct model {
    char text[TEXT_MAX + 1];
    size_t length, cursor;
};

static void model_feed(struct model *model, char key)
{
    char *at = model->text + model->cursor;
    size_t behind = model->length - model->cursor;

    if (key == 2) {
        model->cursor -= model->cursor > 0;
    } else if (key == 6) {
        model->cursor += model->cursor < model->length;
    } else if (key == 8) {
        if (model->cursor == 0)
            return;
        memmove(at - 1, at, behind + 1);
        model->cursor--, model->length--;
    } else if (key == 4) {
        if (behind == 0)
            return;
        memmove(at, at + 1, behind);
        model->length--;
    } else {
        memmove(at + 1, at, behind + 1);
        *at = key;
        model->cursor++, model->length++;
    }
}

static void editor_feed__random_keys__as_on_a_string(void **state)
{
    static const char keys[] = "\2\6\4\10\2\2\2\6\6\6abcdefgh\n";
    static struct model model;
    struct editor editor;
    u64 seed = 3;

    (void)state;
    memset(&model, 0, sizeof model);
    editor_init(&editor);
    for (int step = 0; step < TEXT_MAX; step++) {
        char key = keys[random_draw(&seed) % (sizeof keys - 1)];
        assert_int_equal(editor_feed(&editor, key), EDITOR_CHANGED);
        model_feed(&model, key);
        assert_int_equal(editor.text.start, model.cursor);
        if (step % 100 == 0)
            assert_text(&editor, model.text);
    }
    assert_true(model.length > 2000);
    assert_text(&editor, model.text);
    text_buffer_free(&editor.text);
}

static void text_buffer_scroll__cursor_leaves_the_window__window_follows(void **state)
{
    struct editor editor;
    char line[8];

    (void)state;
    editor_init(&editor);
    for (int number = 0; number < 9; number++)
        feed(&editor, "x\r");
    feed(&editor, "a long last line");
    text_buffer_scroll(&editor.text, 4);
    assert_int_equal(editor.text.top, 6);
    assert_true(text_buffer_line(&editor.text, 9, line, sizeof line));
    assert_string_equal(line, "a long ");
    assert_false(text_buffer_line(&editor.text, 10, line, sizeof line));
    assert_string_equal(line, "");
    for (int number = 0; number < 8; number++)
        feed(&editor, "\x1b[A");
    text_buffer_scroll(&editor.text, 4);
    assert_int_equal(editor.text.top, 1);
    text_buffer_free(&editor.text);
}

static void editor_feed__no_memory__says_so_and_keeps_the_text(void **state)
{
    struct editor editor;
    enum editor_event event;
    size_t typed = 0;

    (void)state;
    editor_init(&editor);
    user_host_limit(0);
    while ((event = editor_feed(&editor, 'a')) == EDITOR_CHANGED)
        typed++;
    assert_int_equal(event, EDITOR_NO_MEMORY);
    assert_int_equal(text_buffer_length(&editor.text), typed);
    text_buffer_free(&editor.text);
    user_host_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(editor_feed__keys__text_and_cursor),
        cmocka_unit_test(editor_feed__random_keys__as_on_a_string),
        cmocka_unit_test(text_buffer_scroll__cursor_leaves_the_window__window_follows),
        cmocka_unit_test(editor_feed__no_memory__says_so_and_keeps_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
