/*
 * Operations as in ext4_operations.h, on files whose trees of extents are full at some level, so that the
 * next write makes them grow.
 */
#pragma once

#include "tests/support/ext4_operations.h"

extern const struct ext4_operation ext4_tree_operations[];
extern const size_t ext4_tree_operation_count;

/* Makes the files. Commits. */
enum status ext4_tree_operations_prepare(struct ext4 *fs);
