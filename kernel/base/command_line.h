/*
 * The kernel's command line: words and key=value pairs between spaces.
 *
 *   build/kernel.elf fresh interval=0.5 run="mem fill 7 0 10; exit"
 *
 * A double quote, anywhere in a word, makes the spaces up to the next one part of the word; the
 * quotes themselves are dropped. A backslash takes the quote or backslash behind it literally.
 * GRUB quotes whole words, "run=a; b", so the first '=' counts inside quotes too. QEMU puts the kernel's path first and GRUB does not: a first word
 * that has no '=' and either contains '/' or ends in ".elf" is skipped. The line comes from outside:
 * any bytes are taken, an unclosed quote ends with the line, what does not fit is cut off and said.
 */
#pragma once

#include "kernel/base/types.h"

enum { COMMAND_LINE_KEY_MAX = 63, COMMAND_LINE_VALUE_MAX = 1023 };

struct command_line_item {
    char key[COMMAND_LINE_KEY_MAX + 1]; /* the whole word if there is no '=' */
    char value[COMMAND_LINE_VALUE_MAX + 1];
    bool has_value; /* was there a '='? */
    bool cut_off;   /* key or value was longer than that */
};

/* The items one after the other: start with *cursor = 0, until false. */
[[nodiscard]] bool command_line_next(const char *line, size_t *cursor,
                                     struct command_line_item *item);

/*
 * The value of the last `key=value`. False, and `value` untouched, if there is none or it does not
 * fit in `size`.
 */
[[nodiscard]] bool command_line_get(const char *line, const char *key, char *value,
                                    size_t size);

/* Does `word` stand there without a value? */
bool command_line_has(const char *line, const char *word);
