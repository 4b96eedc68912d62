/*
 * The line on this machine: the moment between two generations, drawn with interrupts off.
 */
#pragma once

#include "kernel/persist/spaces.h"

/* spaces_draw_line(), which notes how long it took by the time stamp counter. */
void mark_line(struct spaces *spaces, struct page_space *running);
