#include "kernel/user/logic/editor.h"

enum { ESCAPE = 0x1b, CONTROL = 0x1f, RUBOUT = 0x7f, NUMBER_MAX = 1000 };

void editor_init(struct editor *editor)
{
    *editor = (struct editor){ 0 };
    text_buffer_init(&editor->text);
}

static enum editor_event moved(struct editor *editor, enum text_move move)
{
    text_buffer_move(&editor->text, move);
    return EDITOR_CHANGED;
}

/* ESC [ number final, where the number may be missing. */
static enum editor_event sequence(struct editor *editor, u32 number, char final)
{
    switch (final) {
    case 'A':
        return moved(editor, MOVE_UP);
    case 'B':
        return moved(editor, MOVE_DOWN);
    case 'C':
        return moved(editor, MOVE_RIGHT);
    case 'D':
        return moved(editor, MOVE_LEFT);
    case 'H':
        return moved(editor, MOVE_HOME);
    case 'F':
        return moved(editor, MOVE_END);
    case '~':
        break;
    default:
        return EDITOR_NOTHING;
    }
    if (number == 3) {
        text_buffer_erase_forward(&editor->text);
        return EDITOR_CHANGED;
    }
    if (number == 1 || number == 7)
        return moved(editor, MOVE_HOME);
    return number == 4 || number == 8 ? moved(editor, MOVE_END) : EDITOR_NOTHING;
}

static enum editor_event in_sequence(struct editor *editor, char key)
{
    if (editor->escape == 1) {
        editor->escape = key == '[' || key == 'O' ? 2 : 0;
        editor->number = 0;
        return EDITOR_NOTHING;
    }
    if (key >= '0' && key <= '9') {
        if (editor->number < NUMBER_MAX)
            editor->number = editor->number * 10 + (u32)(key - '0');
        return EDITOR_NOTHING;
    }
    editor->escape = 0;
    return sequence(editor, editor->number, key);
}

static enum editor_event control(struct editor *editor, char key)
{
    switch (key | 0x60) {
    case 'a':
        return moved(editor, MOVE_HOME);
    case 'b':
        return moved(editor, MOVE_LEFT);
    case 'e':
        return moved(editor, MOVE_END);
    case 'f':
        return moved(editor, MOVE_RIGHT);
    case 'n':
        return moved(editor, MOVE_DOWN);
    case 'p':
        return moved(editor, MOVE_UP);
    case 'd':
        text_buffer_erase_forward(&editor->text);
        return EDITOR_CHANGED;
    case 'h':
        text_buffer_erase_back(&editor->text);
        return EDITOR_CHANGED;
    case 'k':
        text_buffer_erase_line(&editor->text);
        return EDITOR_CHANGED;
    case 'l':
        return EDITOR_CHANGED;
    case 'q':
        return EDITOR_LEAVE;
    default:
        return EDITOR_NOTHING;
    }
}

enum editor_event editor_feed(struct editor *editor, char key)
{
    if (editor->escape > 0)
        return in_sequence(editor, key);
    if (key == ESCAPE) {
        editor->escape = 1;
        return EDITOR_NOTHING;
    }
    if (key == RUBOUT)
        return control(editor, 'h');
    if (key == '\r')
        key = '\n';
    if (key >= 0 && key <= CONTROL && key != '\n')
        return control(editor, key);
    return text_buffer_insert(&editor->text, key) ? EDITOR_CHANGED : EDITOR_NO_MEMORY;
}
