#include "kernel/shell/console.h"

#include "drivers/serial.h"
#include "kernel/arch/interrupts.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/persist/persist.h"
#include "kernel/proc/process.h"
#include "kernel/proc/terminal.h"

static const char prompt[] = "snapper> ";

static struct {
    const struct line_editor *editor; /* being typed, on the screen */
    enum console_reader reader;
    bool hold;
    size_t held_size;
    size_t held_lost;
    char held[4 * KIB];
} console;

void console_write(const char *text, size_t size)
{
    serial_write(text, size);
}

static void write_text(const char *text)
{
    console_write(text, strlen(text));
}

static void write_prompt(void)
{
    char line[TERMINAL_COLUMNS];

    if (console.reader == CONSOLE_SHELL)
        write_text(prompt);
    else
        console_write(line, terminal_line(line, sizeof line));
}

static void write_line(void)
{
    const struct line_editor *editor = console.editor;
    char move[16];

    console_write(editor->text, editor->length);
    if (editor->cursor == editor->length)
        return;
    format_text(move, sizeof move, "\x1b[%uD", editor->length - editor->cursor);
    write_text(move);
}

static void erase_line(void)
{
    write_text("\r\x1b[K");
}

void console_redraw(void)
{
    erase_line();
    write_prompt();
    write_line();
}

void console_begin_line(const struct line_editor *editor, enum console_reader reader)
{
    console.editor = editor;
    console.reader = reader;
    if (reader == CONSOLE_SHELL)
        write_prompt();
    if (editor->length)
        console_redraw();
}

void console_stop_line(void)
{
    console.editor = NULL;
}

void console_end_line(void)
{
    console_stop_line();
    write_text("\n");
}

/* --- what programs write --- */

/* How much of it may be shown above the shell's line: up to the last newline, or all if room is short. */
static size_t whole_lines(const char *text, size_t size)
{
    size_t end = size;

    while (end > 0 && text[end - 1] != '\n')
        end--;
    return end || terminal_room() > TERMINAL_SCREEN_SIZE / 2 ? end : size;
}

static void show_above_prompt(const char *text, size_t size)
{
    erase_line();
    console_write(text, size);
    if (text[size - 1] != '\n')
        write_text("\n");
    console_redraw();
}

/* The program's own line goes on, and what is being typed stays behind it. */
static void show_before_typed(const char *text, size_t size)
{
    bool typed = console.editor && console.editor->length;

    if (typed) {
        erase_line();
        write_prompt();
    }
    console_write(text, size);
    if (typed)
        write_line();
}

bool console_show_output(void)
{
    char text[TERMINAL_SCREEN_SIZE / 4];

    terminal_note_made(persist_generations());
    size_t size = terminal_pending(text, sizeof text);
    bool at_prompt = console.editor && console.reader == CONSOLE_SHELL;

    if (at_prompt)
        size = whole_lines(text, size);
    if (size == 0)
        return false;
    if (at_prompt)
        show_above_prompt(text, size);
    else
        show_before_typed(text, size);
    terminal_show(size);
    process_wake_all(WAIT_OUTPUT);
    return true;
}

/* --- messages --- */

static void keep(const char *text, size_t size)
{
    if (size > sizeof console.held - console.held_size) {
        console.held_lost++;
        return;
    }
    memcpy(console.held + console.held_size, text, size);
    console.held_size += size;
}

static void log_text(const char *text, size_t size)
{
    if (console.hold) {
        keep(text, size);
        return;
    }
    if (!console.editor) {
        console_write(text, size);
        return;
    }
    erase_line();
    console_write(text, size);
    console_redraw();
}

/* Programs that end in the middle of the kernel's message have their own. */
void console_log(const char *text, size_t size)
{
    preemption_forbid();
    log_text(text, size);
    preemption_allow();
}

void console_hold_messages(void)
{
    console.hold = true;
}

void console_pass_messages(void)
{
    console.hold = false;
}

void console_release_messages(void)
{
    char lost[64];
    size_t size = console.held_size;

    console.held_size = 0;
    if (size)
        console_log(console.held, size);
    if (!console.held_lost)
        return;
    format_text(lost, sizeof lost, "(%zu more messages)\n", console.held_lost);
    console.held_lost = 0;
    console_log(lost, strlen(lost));
}
