/*
 * The lives of this memory: how many there were, how they ended, and what time went by between the line
 * of a generation and the boot that went on from it. Part of the process table.
 */
#pragma once

#include "kernel/base/types.h"

struct lives {
    u64 line_at; /* wall clock at the last line, microseconds since 1970 */
    u64 closing; /* 1: the machine was about to be switched off at the last line */
    u64 crashes; /* lives that went on from a line before which nobody switched off */
    u64 gap;     /* microseconds from the last life's line to this boot */
    u64 gaps;    /* of all lives */
};

/* Memory goes on from a generation. */
void lives_begin(void);
/* A line is about to be drawn. */
void lives_note_line(void);
/* The machine is about to be switched off, or no longer. */
void lives_close(void);
void lives_reopen(void);

const struct lives *lives(void);
