#include "kernel/shell/shell_state.h"

#include "kernel/base/log.h"

void shell_state_initialize(void *state)
{
    *(struct shell_state *)state = (struct shell_state){};
}

static enum status refuse(const char *what, u64 value)
{
    log_error("shell: saved state: %s is %lu", what, value);
    return ERR_CORRUPT;
}

/* Printable and terminated; returns its length, or one more than fits. */
static u32 length_of(const char *text)
{
    u32 length = 0;

    while (length <= LINE_MAX && text[length] >= ' ' && text[length] <= '~')
        length++;
    return length <= LINE_MAX && text[length] == '\0' ? length : LINE_MAX + 1;
}

static enum status validate_history(const struct history *history)
{
    if (history->count > HISTORY_MAX || history->next >= HISTORY_MAX)
        return refuse("place in the history", history->next);
    for (u32 i = 0; i < history->count; i++)
        if (length_of(history_line(history, i + 1)) > LINE_MAX)
            return refuse("broken line in the history", i);
    return OK;
}

static enum status validate_editor(const struct line_editor *editor,
                                   const struct history *history)
{
    if (editor->length > LINE_MAX || length_of(editor->text) != editor->length)
        return refuse("length of the line", editor->length);
    if (editor->cursor > editor->length)
        return refuse("cursor", editor->cursor);
    if (length_of(editor->typed) > LINE_MAX)
        return refuse("length of the typed line", LINE_MAX + 1);
    if (editor->back > history->count)
        return refuse("line of the history", editor->back);
    return OK;
}

enum status shell_state_validate(void *object)
{
    struct shell_state *state = object;

    enum status status = validate_history(&state->history);
    if (status == OK)
        status = validate_history(&state->program_history);
    if (status == OK)
        status = validate_editor(&state->editor, &state->history);
    if (status == OK)
        status = validate_editor(&state->program_editor, &state->program_history);
    if (status)
        return status;
    if (length_of(state->running) > LINE_MAX)
        return refuse("length of the running command", LINE_MAX + 1);
    return OK;
}
