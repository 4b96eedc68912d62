/*
 * The demarcation on this machine: the moment between two generations, drawn with interrupts off.
 */
#pragma once

#include "kernel/persist/page_space.h"

/* page_space_demarcate(); returns how long it took by the time stamp counter. */
u64 mark_demarcate(struct page_space *space);
