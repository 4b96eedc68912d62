#include "kernel/proc/terminal.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"

static struct terminal *terminal;

/* Positions in what was written; nothing of this outlives the machine. */
static struct {
    bool hold;
    u64 at_line; /* the last line drawn */
    u64 made;    /* generations before that line */
    u64 durable; /* in a generation */
} output;

/* Puts text above a prompt: the line of the cursor is erased. */
static const char erase[] = "\r\x1b[K";

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
    output.hold = false;
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

/* The oldest position that is still kept. */
static u64 oldest(void)
{
    return terminal->written - min_u64(terminal->written, TERMINAL_SCREEN_SIZE);
}

/* The line that ends at a position, without its newline: at most the last `size` bytes of it. */
static size_t line_before(u64 end, char *text, size_t size)
{
    u64 lowest = max_u64(oldest(), end - min_u64(end, size)), first = end;

    while (first > lowest && *screen_at(first - 1) != '\n')
        first--;
    for (u64 at = first; at < end; at++)
        text[at - first] = *screen_at(at);
    return end - first;
}

bool terminal_is_in_line(void)
{
    char last;

    return line_before(terminal->written, &last, 1) > 0;
}

/* The cursor stands behind a prompt of `reader`, in the last line. */
static bool write_above(const char *prompt, size_t prompt_size, const char *text,
                        size_t size)
{
    bool whole = size > 0 && text[size - 1] == '\n';

    if (sizeof erase - 1 + size + !whole + prompt_size > terminal_room())
        return false;
    terminal_write(erase, sizeof erase - 1);
    terminal_write(text, size);
    if (!whole)
        terminal_write("\n", 1);
    terminal_write(prompt, prompt_size);
    return true;
}

bool terminal_write_as(u64 writer, u64 reader, const char *text, size_t size)
{
    char prompt[TERMINAL_COLUMNS];

    if (size > 0 && reader && writer != reader && terminal->writer == reader) {
        size_t length = line_before(terminal->written, prompt, sizeof prompt);
        if (length > 0 && length < sizeof prompt)
            return write_above(prompt, length, text, size);
    }
    if (size > terminal_room())
        return false;
    terminal_write(text, size);
    if (terminal->writer != writer)
        terminal->writer = writer;
    return true;
}

/* --- output=commit --- */

void terminal_hold(void)
{
    output.hold = true;
    output.at_line = output.durable = terminal->written;
    output.made = 0;
}

void terminal_note_made(u64 generations)
{
    if (generations > output.made)
        output.durable = output.at_line;
}

/* What is written from here to the line is in the generation, too, and shown a little later. */
void terminal_note_line(u64 generations)
{
    terminal_note_made(generations);
    output.at_line = terminal->written;
    output.made = generations;
}

/* How far the screen may show. */
static u64 permitted(void)
{
    return output.hold ? max_u64(output.durable, terminal->shown) : terminal->written;
}

bool terminal_is_held(void)
{
    return permitted() < terminal->written;
}

/* --- on the way to the screen --- */

size_t terminal_pending(char *text, size_t size)
{
    size = min_size(size, permitted() - terminal->shown);
    for (size_t i = 0; i < size; i++)
        text[i] = *screen_at(terminal->shown + i);
    return size;
}

void terminal_show(size_t size)
{
    terminal->shown += size;
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
    return line_before(terminal->shown, text, size);
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
