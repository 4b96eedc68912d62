/*
 * The console between the shell, the log and the serial line.
 *
 * While a line is being typed, a message is printed above it and the prompt is drawn again with what
 * was typed. Messages of background work that falls into a command are kept until the next prompt.
 */
#pragma once

#include "kernel/shell/line_editor.h"

/* `editor` NULL: no line is being typed. */
void console_show_prompt(const struct line_editor *editor);
void console_redraw(const struct line_editor *editor);
void console_end_line(void);

void console_write(const char *text, size_t size);

/* For kernel_log_set_writer(). */
void console_log(const char *text, size_t size);

/* Between the two, messages are kept; afterwards console_release_messages() prints them. */
void console_hold_messages(void);
void console_pass_messages(void);
void console_release_messages(void);
