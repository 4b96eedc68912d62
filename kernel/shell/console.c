#include "kernel/shell/console.h"

#include "drivers/serial.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"

static const char prompt[] = "snapper> ";

static struct {
    const struct line_editor *editor; /* being typed, on the screen */
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

void console_redraw(const struct line_editor *editor)
{
    char move[16];

    write_text("\r\x1b[K");
    write_text(prompt);
    console_write(editor->text, editor->length);
    if (editor->cursor == editor->length)
        return;
    format_text(move, sizeof move, "\x1b[%uD", editor->length - editor->cursor);
    write_text(move);
}

void console_show_prompt(const struct line_editor *editor)
{
    console.editor = editor;
    write_text(prompt);
    if (editor->length)
        console_redraw(editor);
}

void console_end_line(void)
{
    console.editor = NULL;
    write_text("\n");
}

static void keep(const char *text, size_t size)
{
    if (size > sizeof console.held - console.held_size) {
        console.held_lost++;
        return;
    }
    memcpy(console.held + console.held_size, text, size);
    console.held_size += size;
}

void console_log(const char *text, size_t size)
{
    if (console.hold) {
        keep(text, size);
        return;
    }
    if (!console.editor) {
        console_write(text, size);
        return;
    }
    write_text("\r\x1b[K");
    console_write(text, size);
    console_redraw(console.editor);
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
