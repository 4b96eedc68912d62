#include "kernel/shell/foreground.h"

#include "drivers/serial.h"
#include "kernel/arch/interrupts.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/proc/life.h"
#include "kernel/proc/upkeep.h"
#include "kernel/shell/command.h"
#include "kernel/shell/console.h"

enum { CONTROL_C = 3, CONTROL_Z = 26 };
enum { LAST_WORDS_TRIES = 100 }; /* ticks that a prompt waits for a generation */

static struct shell_state *shell;
static void (*idle)(void);

void foreground_start(struct shell_state *state, void (*work)(void))
{
    shell = state;
    idle = work;
    line_editor_drop_key(&shell->program_editor);
}

static bool is_shells(const struct process *process)
{
    return process->parent == 0 && process->id != process_table()->foreground;
}

/* Of those that the shell has started and let go to the background. */
static void tell_of_ended(void)
{
    u32 cursor = 0;

    for (struct process *process; (process = process_next(&cursor));) {
        if (process->state != PROCESS_ENDED || !is_shells(process))
            continue;
        if (process->exit_status >> 8 == EXITED)
            log_info("process %u (%s) has ended with %u", process->id, process->name,
                     process->exit_status & 0xff);
        upkeep_dismiss(process);
    }
}

void foreground_idle(void)
{
    if (console_show_output())
        return;
    tell_of_ended();
    idle();
    interrupts_disable();
    interrupts_wait(); /* the tick at the latest */
    interrupts_enable();
}

/* --- input --- */

static void give(const char *text, size_t size)
{
    if (!terminal_put_input(text, size))
        console_write("\a", 1);
    process_wake_all(WAIT_INPUT);
}

/*
 * The finished line becomes part of the screen, where the program's output has left the cursor. Behind
 * output that waits for its generation it is shown a second time.
 */
static void finish_line(struct line_editor *editor)
{
    char line[LINE_MAX + 2];
    size_t length = editor->length;

    memcpy(line, editor->text, length);
    line[length++] = '\n';
    while (console_show_output())
        ;
    bool waits = terminal_is_held();
    if (length <= terminal_room()) {
        terminal_write(line, length);
        if (!waits)
            terminal_show(length);
    }
    history_add(&shell->program_history, editor->text);
    line_editor_reset(editor);
    console_write("\n", 1);
    give(line, length);
}

static void edit(char character)
{
    struct line_editor *editor = &shell->program_editor;

    switch (line_editor_feed(editor, &shell->program_history, character)) {
    case LINE_APPENDED:
        console_write(&character, 1);
        break;
    case LINE_CHANGED:
    case LINE_CLEAR_SCREEN:
        console_redraw();
        break;
    case LINE_FINISHED:
        finish_line(editor);
        break;
    default:
        break;
    }
}

static void leave_in_background(const struct process *process)
{
    process_table()->foreground = 0;
    console_write("^Z", 2);
    console_end_line();
    shell_print("process %u (%s) goes on in the background (fg %u)\n", process->id,
                process->name, process->id);
}

/* The line on the screen is ended by see_off() if it is the program's, here if it was empty. */
static void end_by_key(const struct process *process)
{
    char line[1];

    console_write("^C", 2);
    life_kill_tree(process->id);
    if (terminal_line(line, sizeof line))
        console_stop_line();
    else
        console_end_line();
}

static void take(struct process *process, char character)
{
    if (character == CONTROL_Z) {
        leave_in_background(process);
    } else if (character == CONTROL_C) {
        end_by_key(process);
    } else if (process->input_mode == READ_LINE) {
        edit(character);
    } else {
        if (character == '\r')
            character = '\n';
        give(&character, 1);
    }
}

/* --- its end --- */

/* Its last words, its status if there is something to say, and the cursor at the start of a line. */
static void see_off(struct process *process)
{
    while (console_show_output())
        ;
    if (terminal_is_in_line() && terminal_room() > 0)
        terminal_write("\n", 1);
    (void)console_show_output();
    for (int tries = 0; terminal_is_held() && tries < LAST_WORDS_TRIES; tries++)
        foreground_idle(); /* what comes later stands above a prompt */
    line_editor_reset(&shell->program_editor);
    terminal_drop_input();
    process_table()->foreground = 0;
    if (process->exit_status >> 8 == EXITED && process->exit_status & 0xff)
        shell_print("process %u (%s) has ended with %u\n", process->id, process->name,
                    process->exit_status & 0xff);
    if (process->parent == 0)
        upkeep_dismiss(process);
}

void foreground_attend(void)
{
    struct process *process;
    char character;

    if (!process_find(process_table()->foreground))
        return;
    while (console_show_output())
        ;
    console_begin_line(&shell->program_editor, CONSOLE_PROGRAM);
    while ((process = process_find(process_table()->foreground))) {
        if (process->state == PROCESS_ENDED)
            see_off(process);
        else if (serial_read(&character))
            take(process, character);
        else
            foreground_idle();
    }
    console_stop_line();
}
