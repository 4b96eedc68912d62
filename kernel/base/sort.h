/* Sorting records by the u64 each begins with: in place, O(n log n) for every input. */
#pragma once

#include "kernel/base/types.h"

/* `count` records of `size` bytes, a multiple of 8; ascending, equal keys in any order. */
void sort_by_key(void *records, size_t count, size_t size);
