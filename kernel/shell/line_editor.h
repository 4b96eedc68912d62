/*
 * A line being typed: editing keys and the history, as a state that knows no device.
 *
 *   left/right ^B ^F, home/end ^A ^E, backspace, delete ^D, ^K ^U ^W, up/down ^P ^N, ^C, ^L, Enter
 *
 * The state is part of the shell's persistent memory: after a resume the typing goes on in the middle
 * of the line. It holds indices only; shell_state.c checks them before use.
 */
#pragma once

#include "kernel/base/types.h"

enum { LINE_MAX = 250, HISTORY_MAX = 32 };

struct history {
    u32 count; /* lines kept */
    u32 next;  /* where the next one goes */
    char lines[HISTORY_MAX][LINE_MAX + 1];
};

struct line_editor {
    u32 length;
    u32 cursor; /* at most length */
    u32 back;   /* how far up the history: 0 is the line being typed */
    u32 escape; /* how much of an escape sequence has come */
    u32 escape_number;
    char text[LINE_MAX + 1];  /* terminated */
    char typed[LINE_MAX + 1]; /* the line being typed, while the history is shown */
};

enum line_event {
    LINE_NOTHING,
    LINE_CHANGED,   /* redraw */
    LINE_APPENDED,  /* one character came at the end: echoing it is enough */
    LINE_FINISHED,  /* Enter: the line is in `text` */
    LINE_CANCELLED, /* ^C */
    LINE_CLEAR_SCREEN,
};

void line_editor_reset(struct line_editor *editor);
/* The rest of a key of which only the first bytes came will never come. */
void line_editor_drop_key(struct line_editor *editor);
/* Takes one character of input. */
enum line_event line_editor_feed(struct line_editor *editor,
                                 const struct history *history, char character);

/* Adds a line; an empty one and a repetition of the last are not kept. */
void history_add(struct history *history, const char *line);
/* The line that is `back` (1: the newest) back, or NULL. */
const char *history_line(const struct history *history, u32 back);
