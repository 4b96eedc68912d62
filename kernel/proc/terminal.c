#include "kernel/proc/terminal.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"

static struct terminal *terminal;

void terminal_initialize(void *object)
{
    *(struct terminal *)object = (struct terminal){};
}

enum status terminal_check(void *object)
{
    const struct terminal *saved = object;

    if (saved->shown > saved->written ||
        saved->written - saved->shown > TERMINAL_SCREEN_SIZE) {
        log_error("terminal: shown %lu, written %lu", saved->shown, saved->written);
        return ERR_CORRUPT;
    }
    if (saved->input_first >= TERMINAL_INPUT_SIZE ||
        saved->input_count > TERMINAL_INPUT_SIZE) {
        log_error("terminal: input of %u bytes at %u", saved->input_count,
                  saved->input_first);
        return ERR_CORRUPT;
    }
    return OK;
}

void terminal_use(struct terminal *used)
{
    terminal = used;
}

static char *screen_at(u64 position)
{
    return &terminal->screen[position % TERMINAL_SCREEN_SIZE];
}

size_t terminal_room(void)
{
    return TERMINAL_SCREEN_SIZE - (terminal->written - terminal->shown);
}

void terminal_write(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        *screen_at(terminal->written + i) = text[i];
    terminal->written += size;
}

size_t terminal_pending(char *text, size_t size)
{
    size = min_size(size, terminal->written - terminal->shown);
    for (size_t i = 0; i < size; i++)
        text[i] = *screen_at(terminal->shown + i);
    return size;
}

void terminal_show(size_t size)
{
    terminal->shown += size;
}

/* The oldest position that is still kept. */
static u64 oldest(void)
{
    return terminal->written - min_u64(terminal->written, TERMINAL_SCREEN_SIZE);
}

void terminal_redraw(void)
{
    u64 at = oldest();

    if (at > 0)
        while (at < terminal->shown && *screen_at(at++) != '\n')
            ;
    if (terminal->shown != at)
        terminal->shown = at;
}

size_t terminal_line(char *text, size_t size)
{
    u64 first = terminal->shown;
    u64 lowest = max_u64(oldest(), terminal->shown - min_u64(terminal->shown, size));

    while (first > lowest && *screen_at(first - 1) != '\n')
        first--;
    for (u64 at = first; at < terminal->shown; at++)
        text[at - first] = *screen_at(at);
    return terminal->shown - first;
}

static char *input_at(u32 index)
{
    return &terminal->input[(terminal->input_first + index) % TERMINAL_INPUT_SIZE];
}

bool terminal_put_input(const char *text, size_t size)
{
    if (size > TERMINAL_INPUT_SIZE - terminal->input_count)
        return false;
    for (size_t i = 0; i < size; i++)
        *input_at(terminal->input_count++) = text[i];
    return true;
}

size_t terminal_input_size(enum terminal_unit unit)
{
    if (unit == TERMINAL_KEYS)
        return terminal->input_count;
    for (u32 i = 0; i < terminal->input_count; i++)
        if (*input_at(i) == '\n')
            return i + 1;
    return 0;
}

void terminal_take_input(char *text, size_t size)
{
    for (u32 i = 0; i < size; i++)
        text[i] = *input_at(i);
    terminal->input_first = (terminal->input_first + (u32)size) % TERMINAL_INPUT_SIZE;
    terminal->input_count -= (u32)size;
}

void terminal_drop_input(void)
{
    if (terminal->input_count)
        terminal->input_count = 0;
}
