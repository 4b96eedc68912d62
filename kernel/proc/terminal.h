/*
 * The console as programs see it: what they have written, and the input of the one in the foreground.
 * An object of the persistent root.
 *
 *      shown                     written            both count for ever
 *        |   pending output        |
 *   -----+-------------------------+------>         the last TERMINAL_SCREEN_SIZE bytes are kept
 *
 * A program's write ends in memory; the shell brings it to the screen. After a resume all that is kept
 * is shown again, so nothing written before the generation is ever missing on the screen. With
 * output=commit nothing is shown before a generation holds it, so nothing shown is ever taken back.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum {
    TERMINAL_LAYOUT = 2,
    TERMINAL_SCREEN_SIZE = 4096,
    TERMINAL_INPUT_SIZE = 1024,
    TERMINAL_COLUMNS = 80,
    TERMINAL_ROWS = 24,
};

struct terminal {
    u64 written;
    u64 shown;
    u32 input_first;
    u32 input_count;
    u64 writer; /* who wrote last: a process, or 0 */
    char screen[TERMINAL_SCREEN_SIZE];
    char input[TERMINAL_INPUT_SIZE];
};

/* For the root. ERR_CORRUPT with a line that names what is wrong. */
void terminal_initialize(void *terminal);
enum status terminal_check(void *terminal);

/* Binds the functions below to the object. */
void terminal_use(struct terminal *terminal);

/* --- output --- */

size_t terminal_room(void);
/* At most terminal_room() bytes. */
void terminal_write(const char *text, size_t size);
/*
 * The same for a program. If `reader`, another one, has left the cursor behind a prompt, `text` is put
 * above it as whole lines, and the prompt written again. False: no room yet, nothing was written.
 */
[[nodiscard]] bool terminal_write_as(u64 writer, u64 reader, const char *text,
                                     size_t size);
/* Does what was written end in the middle of a line? */
bool terminal_is_in_line(void);
/* Pending output that may be shown, copied: at most `size` bytes; taken once terminal_show() says so. */
size_t terminal_pending(char *text, size_t size);
void terminal_show(size_t size);
/* After a resume: all that is kept is pending again, from the start of a line. */
void terminal_redraw(void);
/*
 * output=commit: from here on only what is in a generation may be shown. All that there is now is in one.
 * The line of a generation is about to be drawn, after so many were made in this life; so many are made.
 */
void terminal_hold(void);
void terminal_note_line(u64 generations);
void terminal_note_made(u64 generations);
/* Is there output that waits for a generation? */
bool terminal_is_held(void);

/* What was shown since the last newline, at most `size` bytes: the prompt of a program. */
size_t terminal_line(char *text, size_t size);

/* --- input --- */

/* False: no room for all of it. */
[[nodiscard]] bool terminal_put_input(const char *text, size_t size);
/* How much there is: the first line with its newline, 0 if none is complete; or all of it. */
enum terminal_unit { TERMINAL_LINE, TERMINAL_KEYS };
size_t terminal_input_size(enum terminal_unit unit);
void terminal_take_input(char *text, size_t size);
/* Whoever gets the foreground begins without what was typed for another. */
void terminal_drop_input(void);
