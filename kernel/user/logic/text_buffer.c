#include "kernel/user/logic/text_buffer.h"

#include "kernel/user/user.h"

enum { FIRST_SIZE = 1024 };

void text_buffer_init(struct text_buffer *text)
{
    *text = (struct text_buffer){ 0 };
}

void text_buffer_free(struct text_buffer *text)
{
    heap_release(text->bytes);
    text_buffer_init(text);
}

size_t text_buffer_length(const struct text_buffer *text)
{
    return text->size - (text->end - text->start);
}

char text_buffer_at(const struct text_buffer *text, size_t offset)
{
    return text
        ->bytes[offset < text->start ? offset : offset + (text->end - text->start)];
}

static bool make_gap(struct text_buffer *text)
{
    if (text->start < text->end)
        return true;
    size_t size = text->size == 0 ? FIRST_SIZE : 2 * text->size;
    size_t behind = text->size - text->end;
    char *bytes = heap_allocate(size);
    if (!bytes)
        return false;
    if (text->bytes) {
        memcpy(bytes, text->bytes, text->start);
        memcpy(bytes + size - behind, text->bytes + text->end, behind);
    }
    heap_release(text->bytes);
    text->bytes = bytes;
    text->end = size - behind;
    text->size = size;
    return true;
}

static void move_gap(struct text_buffer *text, size_t to)
{
    size_t gap = text->end - text->start;

    if (to < text->start)
        memmove(text->bytes + to + gap, text->bytes + to, text->start - to);
    else if (to > text->start)
        memmove(text->bytes + text->start, text->bytes + text->end, to - text->start);
    text->start = to;
    text->end = to + gap;
}

/* Offsets of the beginning and the end of the line that this offset is in. */
static size_t line_start(const struct text_buffer *text, size_t offset)
{
    while (offset > 0 && text_buffer_at(text, offset - 1) != '\n')
        offset--;
    return offset;
}

static size_t line_end(const struct text_buffer *text, size_t offset)
{
    size_t length = text_buffer_length(text);

    while (offset < length && text_buffer_at(text, offset) != '\n')
        offset++;
    return offset;
}

struct text_place text_buffer_cursor(const struct text_buffer *text)
{
    struct text_place place = { 0, text->start - line_start(text, text->start) };

    for (size_t at = 0; at < text->start; at++)
        place.line += text->bytes[at] == '\n';
    return place;
}

static void remember_column(struct text_buffer *text)
{
    text->goal = text->start - line_start(text, text->start);
}

bool text_buffer_insert(struct text_buffer *text, char character)
{
    if (!make_gap(text))
        return false;
    text->bytes[text->start++] = character;
    remember_column(text);
    return true;
}

void text_buffer_erase_back(struct text_buffer *text)
{
    if (text->start > 0)
        text->start--;
    remember_column(text);
}

void text_buffer_erase_forward(struct text_buffer *text)
{
    if (text->end < text->size)
        text->end++;
}

void text_buffer_erase_line(struct text_buffer *text)
{
    size_t end = line_end(text, text->start);

    if (end == text->start)
        text_buffer_erase_forward(text);
    else
        text->end += end - text->start;
}

/* To the goal's column, or the end, of the line that begins here. */
static size_t goal_in(const struct text_buffer *text, size_t start)
{
    size_t end = line_end(text, start);

    return end - start < text->goal ? end : start + text->goal;
}

static size_t move_line(const struct text_buffer *text, enum text_move move)
{
    size_t start = line_start(text, text->start), end = line_end(text, text->start);

    if (move == MOVE_UP)
        return start == 0 ? text->start : goal_in(text, line_start(text, start - 1));
    return end == text_buffer_length(text) ? text->start : goal_in(text, end + 1);
}

void text_buffer_move(struct text_buffer *text, enum text_move move)
{
    size_t at = text->start;

    switch (move) {
    case MOVE_UP:
    case MOVE_DOWN:
        move_gap(text, move_line(text, move));
        return; /* the goal stays */
    case MOVE_LEFT:
        at -= at > 0;
        break;
    case MOVE_RIGHT:
        at += at < text_buffer_length(text);
        break;
    case MOVE_HOME:
        at = line_start(text, at);
        break;
    case MOVE_END:
        at = line_end(text, at);
        break;
    }
    move_gap(text, at);
    remember_column(text);
}

void text_buffer_scroll(struct text_buffer *text, size_t rows)
{
    size_t line = text_buffer_cursor(text).line;

    if (line < text->top)
        text->top = line;
    if (line >= text->top + rows)
        text->top = line - rows + 1;
}

bool text_buffer_line(const struct text_buffer *text, size_t line, char *to, size_t size)
{
    size_t length = text_buffer_length(text), at = 0, used = 0;

    to[0] = '\0';
    while (line > 0 && at < length)
        line -= text_buffer_at(text, at++) == '\n';
    if (line > 0)
        return false;
    while (at < length && used + 1 < size && text_buffer_at(text, at) != '\n')
        to[used++] = text_buffer_at(text, at++);
    to[used] = '\0';
    return true;
}
