#include "kernel/shell/line_editor.h"

#include "kernel/base/string.h"

enum {
    CONTROL_A = 1,
    CONTROL_B = 2,
    CONTROL_C = 3,
    CONTROL_D = 4,
    CONTROL_E = 5,
    CONTROL_F = 6,
    BACKSPACE = 8,
    CONTROL_K = 11,
    CONTROL_L = 12,
    CONTROL_N = 14,
    CONTROL_P = 16,
    CONTROL_U = 21,
    CONTROL_W = 23,
    ESCAPE = 27,
    DELETE = 127,
};
enum { ESCAPE_NONE, ESCAPE_SEEN, ESCAPE_BRACKET };

void line_editor_reset(struct line_editor *editor)
{
    *editor = (struct line_editor){};
}

/* Writes only if there is something: the editor is part of what generations save. */
void line_editor_drop_key(struct line_editor *editor)
{
    if (editor->escape == ESCAPE_NONE && editor->escape_number == 0)
        return;
    editor->escape = ESCAPE_NONE;
    editor->escape_number = 0;
}

static void set_text(struct line_editor *editor, const char *text)
{
    if (!text_copy(editor->text, sizeof editor->text, text))
        editor->text[0] = '\0';
    editor->length = editor->cursor = (u32)strlen(editor->text);
}

/* Removes [from, to), and leaves the cursor there. */
static enum line_event remove_range(struct line_editor *editor, u32 from, u32 to)
{
    if (from >= to)
        return LINE_NOTHING;
    memmove(editor->text + from, editor->text + to, editor->length - to + 1);
    editor->length -= to - from;
    editor->cursor = from;
    return LINE_CHANGED;
}

static enum line_event insert(struct line_editor *editor, char character)
{
    u32 at = editor->cursor;

    if (editor->length == LINE_MAX)
        return LINE_NOTHING;
    memmove(editor->text + at + 1, editor->text + at, editor->length - at + 1);
    editor->text[at] = character;
    editor->length++;
    editor->cursor++;
    return editor->cursor == editor->length ? LINE_APPENDED : LINE_CHANGED;
}

static enum line_event move_to(struct line_editor *editor, u32 cursor)
{
    if (cursor == editor->cursor || cursor > editor->length)
        return LINE_NOTHING;
    editor->cursor = cursor;
    return LINE_CHANGED;
}

static u32 start_of_word(const struct line_editor *editor)
{
    u32 at = editor->cursor;

    while (at > 0 && editor->text[at - 1] == ' ')
        at--;
    while (at > 0 && editor->text[at - 1] != ' ')
        at--;
    return at;
}

static enum line_event show_history(struct line_editor *editor,
                                    const struct history *history, u32 back)
{
    const char *line = back ? history_line(history, back) : editor->typed;

    if (!line)
        return LINE_NOTHING;
    if (editor->back == 0)
        memcpy(editor->typed, editor->text, sizeof editor->typed);
    editor->back = back;
    set_text(editor, line);
    return LINE_CHANGED;
}

static enum line_event older(struct line_editor *editor, const struct history *history)
{
    return show_history(editor, history, editor->back + 1);
}

static enum line_event newer(struct line_editor *editor, const struct history *history)
{
    return editor->back ? show_history(editor, history, editor->back - 1) : LINE_NOTHING;
}

static enum line_event finish_escape(struct line_editor *editor,
                                     const struct history *history, char final)
{
    u32 number = editor->escape_number;

    line_editor_drop_key(editor);
    switch (final) {
    case 'A':
        return older(editor, history);
    case 'B':
        return newer(editor, history);
    case 'C':
        return move_to(editor, editor->cursor + 1);
    case 'D':
        return move_to(editor, editor->cursor - 1); /* wraps at 0, which is beyond */
    case 'H':
        return move_to(editor, 0);
    case 'F':
        return move_to(editor, editor->length);
    default:
        break;
    }
    if (final != '~')
        return LINE_NOTHING;
    if (number == 1 || number == 7)
        return move_to(editor, 0);
    if (number == 4 || number == 8)
        return move_to(editor, editor->length);
    if (number == 3 && editor->cursor < editor->length)
        return remove_range(editor, editor->cursor, editor->cursor + 1);
    return LINE_NOTHING;
}

static enum line_event feed_escape(struct line_editor *editor,
                                   const struct history *history, char character)
{
    if (editor->escape == ESCAPE_SEEN) {
        bool known = character == '[' || character == 'O';
        editor->escape = known ? ESCAPE_BRACKET : ESCAPE_NONE;
        return LINE_NOTHING;
    }
    if (character >= '0' && character <= '9') {
        editor->escape_number =
            (editor->escape_number * 10 + (u32)(character - '0')) % 1000;
        return LINE_NOTHING;
    }
    if (character == ';')
        return LINE_NOTHING;
    return finish_escape(editor, history, character);
}

static enum line_event feed_control(struct line_editor *editor,
                                    const struct history *history, char character)
{
    u32 cursor = editor->cursor;

    switch (character) {
    case '\r':
    case '\n':
        return LINE_FINISHED;
    case CONTROL_C:
        return LINE_CANCELLED;
    case CONTROL_L:
        return LINE_CLEAR_SCREEN;
    case ESCAPE:
        editor->escape = ESCAPE_SEEN;
        return LINE_NOTHING;
    case BACKSPACE:
    case DELETE:
        return cursor ? remove_range(editor, cursor - 1, cursor) : LINE_NOTHING;
    case CONTROL_D:
        return cursor < editor->length ? remove_range(editor, cursor, cursor + 1)
                                       : LINE_NOTHING;
    case CONTROL_A:
        return move_to(editor, 0);
    case CONTROL_E:
        return move_to(editor, editor->length);
    case CONTROL_B:
        return move_to(editor, cursor - 1);
    case CONTROL_F:
        return move_to(editor, cursor + 1);
    case CONTROL_K:
        return remove_range(editor, cursor, editor->length);
    case CONTROL_U:
        return remove_range(editor, 0, cursor);
    case CONTROL_W:
        return remove_range(editor, start_of_word(editor), cursor);
    case CONTROL_P:
        return older(editor, history);
    case CONTROL_N:
        return newer(editor, history);
    default:
        return LINE_NOTHING;
    }
}

enum line_event line_editor_feed(struct line_editor *editor,
                                 const struct history *history, char character)
{
    if ((u8)character < ' ' || character == DELETE) {
        line_editor_drop_key(editor);
        return feed_control(editor, history, character);
    }
    if (editor->escape != ESCAPE_NONE)
        return feed_escape(editor, history, character);
    if ((u8)character > '~')
        return LINE_NOTHING;
    return insert(editor, character);
}

void history_add(struct history *history, const char *line)
{
    const char *last = history_line(history, 1);

    if (!line[0] || (last && text_equal(last, line)))
        return;
    if (!text_copy(history->lines[history->next], LINE_MAX + 1, line))
        return;
    history->next = (history->next + 1) % HISTORY_MAX;
    if (history->count < HISTORY_MAX)
        history->count++;
}

const char *history_line(const struct history *history, u32 back)
{
    if (back == 0 || back > history->count)
        return NULL;
    return history->lines[(history->next + HISTORY_MAX - back) % HISTORY_MAX];
}
