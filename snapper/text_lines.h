/*
 * `key = value` lines, as in /snapper.conf and /snapper.state: '#' begins a comment, blanks
 * around key and value do not count, empty lines are skipped.
 */
#pragma once

#include "kernel/base/types.h"

enum { TEXT_LINE_MAX = 256 };

struct text_lines {
    const char *text; /* not terminated, not trusted */
    size_t size;
    size_t at;
    u32 number;
};

struct text_line {
    u32 number;       /* from 1 */
    bool well_formed; /* else key holds the beginning of the line, value is empty */
    char key[TEXT_LINE_MAX];
    char value[TEXT_LINE_MAX];
};

/* The next line with content; false at the end. */
[[nodiscard]] bool text_lines_next(struct text_lines *lines, struct text_line *line);
