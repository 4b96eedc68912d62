/*
 * What the running transaction holds beside the journal's buffers, from mount to unmount; the
 * questions asked of it are in allocate.h.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

void ext4_running_init(struct ext4 *fs, const struct ext4_free_counts *free);
void ext4_running_destroy(struct ext4 *fs);
