/* What programs write and read: rings that survive, and what is refused of a restored one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/proc/terminal.h"

static struct terminal terminal;

static int given_a_terminal(void **state)
{
    (void)state;
    terminal_initialize(&terminal);
    terminal_use(&terminal);
    return 0;
}

static void write_text(const char *text)
{
    terminal_write(text, strlen(text));
}

static void show_all(void)
{
    char text[TERMINAL_SCREEN_SIZE];

    terminal_show(terminal_pending(text, sizeof text));
}

static void assert_pending(const char *expected)
{
    char text[TERMINAL_SCREEN_SIZE + 1];

    text[terminal_pending(text, TERMINAL_SCREEN_SIZE)] = '\0';
    assert_string_equal(text, expected);
}

static void terminal_pending__output__is_taken_once_shown(void **state)
{
    (void)state;
    write_text("one ");
    write_text("two");
    assert_pending("one two");
    terminal_show(4);
    assert_pending("two");
    terminal_show(3);
    assert_pending("");
}

static void terminal_room__pending_output__takes_it_until_shown(void **state)
{
    char block[TERMINAL_SCREEN_SIZE];

    (void)state;
    memset(block, 'x', sizeof block);
    terminal_write(block, 1000);
    assert_int_equal(terminal_room(), TERMINAL_SCREEN_SIZE - 1000);
    terminal_write(block, terminal_room());
    assert_int_equal(terminal_room(), 0);
    terminal_show(TERMINAL_SCREEN_SIZE);
    assert_int_equal(terminal_room(), TERMINAL_SCREEN_SIZE);
}

static void terminal_redraw__all_kept__is_shown_again(void **state)
{
    (void)state;
    write_text("first\nsecond\nhalf a");
    show_all();
    terminal_redraw();
    assert_pending("first\nsecond\nhalf a");
}

static void terminal_redraw__oldest_line_cut_off__begins_with_a_whole_one(void **state)
{
    (void)state;
    for (int i = 0; i < TERMINAL_SCREEN_SIZE / 8; i++) {
        write_text("0123456\n");
        show_all();
    }
    write_text("end\n");
    show_all();
    terminal_redraw();

    char text[TERMINAL_SCREEN_SIZE];
    size_t size = terminal_pending(text, sizeof text);
    assert_int_equal(size, TERMINAL_SCREEN_SIZE - 8 + 4);
    assert_memory_equal(text, "0123456\n", 8);
    assert_memory_equal(text + size - 4, "end\n", 4);
}

static void terminal_redraw__nothing_shown_yet__nothing_is_lost(void **state)
{
    (void)state;
    write_text("pending");
    terminal_redraw();
    assert_pending("pending");
}

static void terminal_line__shown_since_the_newline__is_the_prompt(void **state)
{
    char line[8];

    (void)state;
    write_text("x\nlisp> ");
    assert_int_equal(terminal_line(line, sizeof line), 0);
    show_all();
    assert_int_equal(terminal_line(line, sizeof line), 6);
    assert_memory_equal(line, "lisp> ", 6);
    write_text("more than eight");
    show_all();
    assert_int_equal(terminal_line(line, sizeof line), 8);
    assert_memory_equal(line, "an eight", 8);
}

enum { READER = 7, OTHER = 8 };

static void write_as(u64 writer, const char *text)
{
    assert_true(terminal_write_as(writer, READER, text, strlen(text)));
}

static void terminal_write_as__beside_a_prompt__stands_above_it(void **state)
{
    char line[16];

    (void)state;
    write_as(READER, "1\nlisp> ");
    show_all();
    write_as(OTHER, "number 1\n");
    assert_pending("\r\x1b[Knumber 1\nlisp> ");
    show_all();
    assert_int_equal(terminal_line(line, sizeof line), 6);
    assert_memory_equal(line, "lisp> ", 6);
    write_as(OTHER, "half");
    assert_pending("\r\x1b[Khalf\nlisp> ");
    show_all();
    write_as(READER, "42\n");
    assert_pending("42\n");
}

static void terminal_write_as__nobody_at_a_prompt__is_appended(void **state)
{
    (void)state;
    write_as(OTHER, "a");
    write_as(OTHER, "b\n");
    write_as(READER, "whole\n");
    write_as(OTHER, "c");
    write_as(READER, "d");
    assert_true(terminal_write_as(OTHER, 0, "e", 1));
    assert_true(terminal_write_as(OTHER, READER, "", 0));
    assert_pending("ab\nwhole\ncde");
}

static void terminal_write_as__line_longer_than_the_screen__is_appended(void **state)
{
    char text[TERMINAL_COLUMNS + 1];

    (void)state;
    memset(text, 'x', TERMINAL_COLUMNS);
    text[TERMINAL_COLUMNS] = '\0';
    write_as(READER, text);
    show_all();
    write_as(OTHER, "y\n");
    assert_pending("y\n");
}

static void terminal_write_as__no_room__writes_nothing(void **state)
{
    char text[TERMINAL_SCREEN_SIZE];

    (void)state;
    memset(text, 'x', sizeof text);
    text[sizeof text - 20] = '\n';
    assert_true(terminal_write_as(READER, READER, text, sizeof text - 12));
    assert_false(terminal_write_as(OTHER, READER, "y\n", 2));
    assert_false(terminal_write_as(READER, READER, text, 13));
    assert_int_equal(terminal_room(), 12);
    assert_true(terminal_write_as(READER, READER, text, 12));
}

/* --- output=commit --- */

static void terminal_hold__output__waits_for_its_generation(void **state)
{
    (void)state;
    write_text("before ");
    terminal_hold();
    assert_false(terminal_is_held());
    write_text("one ");
    assert_true(terminal_is_held());
    assert_pending("before ");
    terminal_note_line(0);
    write_text("two");
    assert_pending("before ");
    terminal_note_made(0);
    assert_pending("before ");
    terminal_note_made(1);
    assert_pending("before one ");
    terminal_note_line(1);
    terminal_note_made(2);
    assert_pending("before one two");
    assert_false(terminal_is_held());
}

static void terminal_hold__a_generation_fails__output_waits_for_the_next(void **state)
{
    (void)state;
    terminal_hold();
    write_text("one ");
    terminal_note_line(0);
    write_text("two ");
    terminal_note_line(0);
    write_text("three");
    assert_pending("");
    terminal_note_made(1);
    assert_pending("one two ");
}

static void terminal_hold__two_generations_at_once__neither_is_missed(void **state)
{
    (void)state;
    terminal_hold();
    write_text("one ");
    terminal_note_line(0);
    write_text("two ");
    terminal_note_line(1); /* the first was made, the second fails */
    terminal_note_made(1);
    assert_pending("one ");
}

static void terminal_hold__what_was_shown__is_never_pending_again(void **state)
{
    (void)state;
    terminal_hold();
    write_text("typed\n");
    terminal_show(6);
    assert_false(terminal_is_held());
    write_text("answer\n");
    assert_pending("");
    assert_true(terminal_is_held());
}

static void terminal_input__lines__are_taken_one_by_one(void **state)
{
    char text[16];

    (void)state;
    assert_true(terminal_put_input("one", 3));
    assert_int_equal(terminal_input_size(TERMINAL_LINE), 0);
    assert_int_equal(terminal_input_size(TERMINAL_KEYS), 3);
    assert_true(terminal_put_input("\ntwo\n", 5));
    assert_int_equal(terminal_input_size(TERMINAL_LINE), 4);
    terminal_take_input(text, 4);
    assert_memory_equal(text, "one\n", 4);
    assert_int_equal(terminal_input_size(TERMINAL_LINE), 4);
    terminal_drop_input();
    assert_int_equal(terminal_input_size(TERMINAL_KEYS), 0);
}

static void terminal_input__more_than_fits__is_refused_whole(void **state)
{
    char text[TERMINAL_INPUT_SIZE];

    (void)state;
    memset(text, 'x', sizeof text);
    assert_true(terminal_put_input(text, sizeof text - 1));
    assert_false(terminal_put_input("ab", 2));
    assert_true(terminal_put_input("a", 1));
    terminal_take_input(text, 1000);
    assert_true(terminal_put_input("around the end", 14));
    assert_int_equal(terminal_input_size(TERMINAL_KEYS), TERMINAL_INPUT_SIZE - 1000 + 14);
}

static void terminal_check__counts_that_cannot_be__are_refused(void **state)
{
    struct terminal *saved = &terminal;

    (void)state;
    assert_int_equal(terminal_check(saved), OK);
    saved->shown = 1;
    assert_int_equal(terminal_check(saved), ERR_CORRUPT);
    saved->written = 2 + TERMINAL_SCREEN_SIZE;
    assert_int_equal(terminal_check(saved), ERR_CORRUPT);
    saved->written--;
    assert_int_equal(terminal_check(saved), OK);
    saved->input_first = TERMINAL_INPUT_SIZE;
    assert_int_equal(terminal_check(saved), ERR_CORRUPT);
    saved->input_first = 0;
    saved->input_count = TERMINAL_INPUT_SIZE + 1;
    assert_int_equal(terminal_check(saved), ERR_CORRUPT);
}

int main(void)
{
#define TERMINAL_TEST(test) cmocka_unit_test_setup(test, given_a_terminal)
    const struct CMUnitTest tests[] = {
        TERMINAL_TEST(terminal_pending__output__is_taken_once_shown),
        TERMINAL_TEST(terminal_room__pending_output__takes_it_until_shown),
        TERMINAL_TEST(terminal_redraw__all_kept__is_shown_again),
        TERMINAL_TEST(terminal_redraw__oldest_line_cut_off__begins_with_a_whole_one),
        TERMINAL_TEST(terminal_redraw__nothing_shown_yet__nothing_is_lost),
        TERMINAL_TEST(terminal_line__shown_since_the_newline__is_the_prompt),
        TERMINAL_TEST(terminal_write_as__beside_a_prompt__stands_above_it),
        TERMINAL_TEST(terminal_write_as__nobody_at_a_prompt__is_appended),
        TERMINAL_TEST(terminal_write_as__line_longer_than_the_screen__is_appended),
        TERMINAL_TEST(terminal_write_as__no_room__writes_nothing),
        TERMINAL_TEST(terminal_hold__output__waits_for_its_generation),
        TERMINAL_TEST(terminal_hold__a_generation_fails__output_waits_for_the_next),
        TERMINAL_TEST(terminal_hold__two_generations_at_once__neither_is_missed),
        TERMINAL_TEST(terminal_hold__what_was_shown__is_never_pending_again),
        TERMINAL_TEST(terminal_input__lines__are_taken_one_by_one),
        TERMINAL_TEST(terminal_input__more_than_fits__is_refused_whole),
        TERMINAL_TEST(terminal_check__counts_that_cannot_be__are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
