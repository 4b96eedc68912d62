/*
 * What a caller may ask of ext4, one operation each, on an image of victim.h: to be tried again and again
 * within a transaction that is rolled back, while something below breaks.
 */
#pragma once

#include "kernel/fs/ext4/ext4.h"

struct ext4_operation {
    const char *name;
    enum status (*run)(struct ext4 *fs); /* the same each time on the same tree */
    bool changes;                        /* something: without room for that it fails */
};

extern const struct ext4_operation ext4_operations[];
extern const size_t ext4_operation_count;

/* Directories whose next name needs a block, an index, a split. Commits. */
enum status ext4_operations_prepare(struct ext4 *fs);
