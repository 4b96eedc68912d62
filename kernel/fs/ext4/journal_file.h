/*
 * Where the journal lies: the blocks of its inode as the list of extents that journal.h wants.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

/* ERR_CORRUPT: no such inode, or holes in it. The extents are port_free()d by the caller. */
enum status ext4_journal_locate(struct ext4 *fs, struct journal_extent **extents,
                                size_t *count);
