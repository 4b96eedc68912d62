/*
 * The console while a program has it: what is typed goes to the program, as lines of the editor or as
 * keys, as it reads them. ^C ends it, ^Z leaves it in the background.
 */
#pragma once

#include "kernel/shell/shell_state.h"

/* `idle` is called again and again while nothing is typed. */
void foreground_start(struct shell_state *state, void (*idle)(void));

/* Returns once no program has the console; at once if none has it. */
void foreground_attend(void);

/* Shows what programs have written, tells of those that ended, works in the background, and sleeps. */
void foreground_idle(void);
