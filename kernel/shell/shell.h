/*
 * The shell: reads lines, runs commands, and is the idle loop of the machine.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/shell/shell_state.h"

/*
 * `state` is the shell's object in the persistent window. Says which command the last machine did not
 * finish. After it, shell_execute() and shell_run() may be called. `idle` is called again and again
 * while nothing is typed.
 */
void shell_start(struct shell_state *state, void (*idle)(void));

/* Runs the commands of a line, separated by semicolons, as `run=` gives them. */
void shell_execute(const char *line);

/* Prompts, runs what is typed, and idles; the console is the foreground program's while there is one. */
_Noreturn void shell_run(void);
