/*
 * What of the shell outlives the machine: the lines being typed, the histories, and which command was
 * running. An object of the persistent root; what a generation holds of it is checked before use.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/shell/line_editor.h"

enum { SHELL_STATE_LAYOUT = 2 };

struct shell_state {
    struct line_editor editor;
    struct history history;
    struct line_editor
        program_editor; /* the line being typed for the foreground program */
    struct history program_history;
    u64 commands;               /* run so far */
    char running[LINE_MAX + 1]; /* the unfinished command, or empty */
};

void shell_state_initialize(void *state);
/* ERR_CORRUPT, with a log line that names what is wrong. */
enum status shell_state_validate(void *state);
