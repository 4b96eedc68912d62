/*
 * Conway's game of life on a torus.
 */
#pragma once

#include "kernel/base/types.h"

enum { LIFE_COLUMNS = 64, LIFE_ROWS = 20 };

struct life {
    u64 step;
    u8 cells[LIFE_ROWS][LIFE_COLUMNS]; /* 1: alive */
};

/* A field that is alive in about a third, the same for the same seed. */
void life_init(struct life *life, u64 seed);
void life_step(struct life *life);
u64 life_count(const struct life *life);
/* FNV-1a of the cells, row by row. */
u64 life_hash(const struct life *life);
