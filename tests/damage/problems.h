/*
 * What e2fsck finds in an image, as a set of problems: the kind and the inode or group that has it,
 * without the numbers that change when a file system is used.
 */
#pragma once

#include "kernel/base/types.h"

enum { PROBLEMS_MAX = 400, PROBLEM_SIZE = 120 };

struct problems {
    bool hung; /* e2fsck did not end, or died; nothing else is known then */
    size_t count;
    char items[PROBLEMS_MAX][PROBLEM_SIZE];
};

/* Replays the journal in a copy of the image, then reads it. */
void problems_find(struct problems *problems, const u8 *image, size_t size_bytes);
/*
 * Damage that spreads when the file system is used, and nothing can prevent it: something in use that
 * is marked as free, or that has more names than it knows of; or unknown, since e2fsck gave up.
 */
bool problems_spread(const struct problems *problems);
/*
 * The first of `after` that is neither in `before` nor in an inode or group that has problems there;
 * NULL: none.
 */
const char *problems_new(const struct problems *before, const struct problems *after);
/* A line for each, on the standard output. */
void problems_print(const char *prefix, const struct problems *problems);

/* Where copies lie: in memory if the host can. One for each process. */
const char *problems_path(void);
void image_save(const char *path, const u8 *image, size_t size_bytes);
