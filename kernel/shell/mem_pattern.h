/*
 * The pattern that `mem fill` writes and `mem check` expects: all 512 words of a page depend on the
 * seed and on the number of the page, so that a page in the wrong place, an older page and a single
 * wrong byte all show.
 */
#pragma once

#include "kernel/base/types.h"

void mem_pattern_fill(void *page, u64 seed, u64 number);

/* Does the page hold the pattern? If not, `offset` is that of the first wrong word. */
[[nodiscard]] bool mem_pattern_check(const void *page, u64 seed, u64 number,
                                     size_t *offset);
