/*
 * A command line into words: blanks separate them, quotes keep blanks, a semicolon ends the command.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

/* No line that can be typed has more words. */
enum { SHELL_WORDS_MAX = 128, SHELL_TEXT_MAX = 1100 };

struct shell_words {
    size_t count;
    const char *of[SHELL_WORDS_MAX];
    char text[SHELL_TEXT_MAX]; /* what they point into */
};

/*
 * The next command of the line, from *at on, which moves behind it. ERR_NOT_FOUND: nothing but blanks
 * and semicolons was left; ERR_INVALID_ARGUMENT: a quote without its partner; ERR_TOO_LARGE.
 */
enum status shell_parse(const char **at, struct shell_words *words);
