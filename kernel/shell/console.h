/*
 * The console between the shell, the log and the serial line.
 *
 * While a line is being typed, a message is printed above it and the prompt is drawn again with what
 * was typed. Messages of background work that falls into a command are kept until the next prompt.
 */
#pragma once

#include "kernel/shell/line_editor.h"

/* Whose line it is says what stands before it: the shell's prompt, or what the program has written. */
enum console_reader { CONSOLE_SHELL, CONSOLE_PROGRAM };

/* From here on this line is being typed. */
void console_begin_line(const struct line_editor *editor, enum console_reader reader);
/* The whole line again. */
void console_redraw(void);
/* No line is being typed any more; with console_end_line() the cursor goes to the next one. */
void console_stop_line(void);
void console_end_line(void);

/*
 * Brings to the screen what programs have written. While the shell's line is typed, only whole lines,
 * above it. False: there was nothing.
 */
bool console_show_output(void);

void console_write(const char *text, size_t size);

/* For kernel_log_set_writer(). */
void console_log(const char *text, size_t size);

/* Between the two, messages are kept; afterwards console_release_messages() prints them. */
void console_hold_messages(void);
void console_pass_messages(void);
void console_release_messages(void);
