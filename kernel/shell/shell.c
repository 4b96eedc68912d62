#include "kernel/shell/shell.h"

#include "drivers/serial.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/persist/persist.h"
#include "kernel/proc/scheduler.h"
#include "kernel/shell/command.h"
#include "kernel/shell/console.h"
#include "kernel/shell/foreground.h"
#include "kernel/shell/shell_parse.h"

static struct shell_state *shell;
static char print_buffer[1024];

void shell_print(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t length =
        format_text_list(print_buffer, sizeof print_buffer, format, arguments);
    va_end(arguments);
    console_write(print_buffer,
                  length < sizeof print_buffer ? length : sizeof print_buffer - 1);
}

void shell_start(struct shell_state *state, void (*idle)(void))
{
    shell = state;
    foreground_start(state, idle);
    line_editor_drop_key(&shell->editor);
    if (!shell->running[0])
        return;
    shell_print("interrupted: %s\n", shell->running);
    shell->running[0] = '\0';
}

static enum status between_steps(void (*poll)(void))
{
    console_hold_messages();
    poll();
    scheduler_breathe();
    console_pass_messages();
    return serial_take_interrupt() ? ERR_INTERRUPTED : OK;
}

enum status shell_between_steps(void)
{
    return between_steps(persist_poll);
}

enum status shell_between_generations(void)
{
    return between_steps(persist_poll_pages);
}

void shell_command_done(void)
{
    if (shell->running[0])
        shell->running[0] = '\0';
}

static const struct shell_command *find_command(const char *name)
{
    size_t count;
    const struct shell_command *commands = shell_commands(&count);

    for (size_t i = 0; i < count; i++)
        if (text_equal(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static void run_command(const struct shell_words *words)
{
    struct shell_call call = { find_command(words->of[0]), words->of, words->count };

    if (!call.command) {
        shell_print("%s: no such command (help lists them)\n", words->of[0]);
        return;
    }
    console_release_messages();
    shell->commands++;
    /* What failed has been said by the command, where it knew most. */
    (void)!call.command->run(&call);
    shell_command_done();
    foreground_attend();
}

void shell_execute(const char *line)
{
    static struct shell_words words; /* too large for the stack */

    (void)serial_take_interrupt();
    for (const char *at = line;;) {
        const char *start = at;
        enum status status = shell_parse(&at, &words);

        if (status == ERR_NOT_FOUND)
            return;
        if (status) {
            shell_print("%s\n", status == ERR_INVALID_ARGUMENT ? "a quote is not closed"
                                                               : "too many words");
            return;
        }
        if (!text_copy(shell->running, sizeof shell->running, start))
            shell->running[0] = '\0';
        run_command(&words);
    }
}

/* The reply ends at the prompt; what happened beside the command is printed above it. */
static void show_prompt(void)
{
    console_begin_line(&shell->editor, CONSOLE_SHELL);
    console_release_messages();
}

static void run_line(void)
{
    static char line[LINE_MAX + 1];

    console_end_line();
    memcpy(line, shell->editor.text, sizeof line);
    history_add(&shell->history, line);
    line_editor_reset(&shell->editor);
    shell_execute(line);
    show_prompt();
}

static void cancel_line(void)
{
    console_write("^C", 2);
    console_end_line();
    line_editor_reset(&shell->editor);
    console_begin_line(&shell->editor, CONSOLE_SHELL);
}

static void take_character(char character)
{
    switch (line_editor_feed(&shell->editor, &shell->history, character)) {
    case LINE_NOTHING:
        break;
    case LINE_APPENDED:
        console_write(&character, 1);
        break;
    case LINE_CHANGED:
        console_redraw();
        break;
    case LINE_CLEAR_SCREEN:
        console_write("\x1b[2J\x1b[H", 7);
        console_redraw();
        break;
    case LINE_CANCELLED:
        cancel_line();
        break;
    case LINE_FINISHED:
        run_line();
        break;
    }
}

_Noreturn void shell_run(void)
{
    char character;

    foreground_attend(); /* a resumed one */
    show_prompt();
    for (;;) {
        if (serial_read(&character))
            take_character(character);
        else
            foreground_idle();
    }
}
