/*
 * A small editor for a text that is never saved, because it is never lost. ^Q leaves; the other keys
 * are in kernel/user/logic/editor.h.
 */
#include "kernel/user/logic/editor.h"
#include "kernel/user/user.h"

enum { COLUMNS = 78, ROWS = 20, KEYS = 64 };

/* Each line is cleared behind its text, so that nothing flickers. */
static void draw(struct editor *editor, const char *message)
{
    char line[COLUMNS + 1];
    struct text_place cursor = text_buffer_cursor(&editor->text);

    text_buffer_scroll(&editor->text, ROWS);
    print_text("\x1b[H");
    for (size_t row = 0; row < ROWS; row++) {
        bool there =
            text_buffer_line(&editor->text, editor->text.top + row, line, sizeof line);
        print("%s\x1b[K\n", there ? line : "~");
    }
    print("\x1b[7m line %zu, column %zu, %zu bytes %s\x1b[K\x1b[m", cursor.line + 1,
          cursor.column + 1, text_buffer_length(&editor->text), message);
    size_t column = cursor.column < COLUMNS ? cursor.column : COLUMNS;
    print("\x1b[%zu;%zuH", cursor.line - editor->text.top + 1, column + 1);
}

int main(void)
{
    struct editor editor;
    char keys[KEYS];
    long got;

    editor_init(&editor);
    print_text("\x1b[2J");
    draw(&editor, "^Q leaves");
    while ((got = console_read(keys, sizeof keys, READ_KEYS)) > 0) {
        const char *message = "";
        for (long at = 0; at < got; at++) {
            enum editor_event event = editor_feed(&editor, keys[at]);
            if (event == EDITOR_LEAVE) {
                print("\x1b[%d;1H\n", ROWS + 1);
                return 0;
            }
            if (event == EDITOR_NO_MEMORY)
                message = "no memory";
        }
        draw(&editor, message);
    }
    return 1;
}
