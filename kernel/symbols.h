/*
 * Function names for backtraces. The table is made from the first link pass by scripts/symbols and
 * linked in by the second.
 */
#pragma once

#include "kernel/base/types.h"

/* The function that `address` lies in, and how far; NULL if there is none. */
const char *symbol_find(u64 address, u64 *offset);
