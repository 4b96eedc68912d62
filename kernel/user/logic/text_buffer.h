/*
 * A text being edited: lines, a cursor, and the part of it that a window shows. It is kept as one
 * array with a gap at the cursor, so that typing moves nothing.
 */
#pragma once

#include "kernel/base/types.h"

struct text_buffer {
    char *bytes;
    size_t size;  /* of the array */
    size_t start; /* of the gap: the cursor */
    size_t end;   /* of the gap */
    size_t goal;  /* the column that moving up and down wants */
    size_t top;   /* the first line shown */
};

struct text_place {
    size_t line, column; /* from 0 */
};

void text_buffer_init(struct text_buffer *text);
void text_buffer_free(struct text_buffer *text);

size_t text_buffer_length(const struct text_buffer *text);
/* The byte at this offset, which is less than the length. */
char text_buffer_at(const struct text_buffer *text, size_t offset);
struct text_place text_buffer_cursor(const struct text_buffer *text);

/* At the cursor, which moves behind it. False: no memory; nothing has changed. */
[[nodiscard]] bool text_buffer_insert(struct text_buffer *text, char character);
/* The character before the cursor, or behind it. */
void text_buffer_erase_back(struct text_buffer *text);
void text_buffer_erase_forward(struct text_buffer *text);
/* To the end of the line; at the end of a line its newline. */
void text_buffer_erase_line(struct text_buffer *text);

enum text_move { MOVE_LEFT, MOVE_RIGHT, MOVE_UP, MOVE_DOWN, MOVE_HOME, MOVE_END };
void text_buffer_move(struct text_buffer *text, enum text_move move);

/* Moves the window, of that many rows, so that the cursor is in it. */
void text_buffer_scroll(struct text_buffer *text, size_t rows);
/*
 * Line `line` into `to`, cut off to fit, terminated; false if there is no such line. The first line
 * is there even in an empty text.
 */
bool text_buffer_line(const struct text_buffer *text, size_t line, char *to, size_t size);
