/*
 * An image with what other systems leave and ext4.h cannot make: attribute blocks, one of them shared,
 * blocks that were reserved and never written, a second name for a file; and operations on them.
 */
#pragma once

#include "tests/support/ext4_operations.h"
#include "tests/support/ram_disk.h"

/* ram_disk_close() as after ram_disk_open(). */
void ext4_odd_image(const char *name, const char *options, struct ram_disk *ram);

extern const struct ext4_operation ext4_odd_operations[];
extern const size_t ext4_odd_operation_count;
