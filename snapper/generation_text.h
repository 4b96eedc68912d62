/*
 * Generations as lines of a table, the same in the kernel's console and in the host's tool:
 *
 *   time  age  parent  pages  files  exclusive  shared  pinned  description
 *
 */
#pragma once

#include "snapper/usage.h"

enum { GENERATION_LINE_MAX = 160 + SNAPPER_DESCRIPTION_MAX };

void generation_heading(char *to, size_t size);
/*
 * `now` in microseconds since 1970; `usage` NULL: unknown. A generation whose archive cannot be read
 * says so in its line.
 */
void generation_line(const struct snapper_generation_info *info,
                     const struct snapper_usage *usage, u64 now, char *to, size_t size);

/* "3 s", "5 min", "2 h", "9 d"; "in the future" is "-". At least 8 bytes. */
void age_text(u64 microseconds, char *to, size_t size);
/* "4096 B", "12.0 KiB", "1.5 MiB", "3.2 GiB". At least 24 bytes. */
void size_text(u64 bytes, char *to, size_t size);
