/*
 * Changing extent trees: the steps that insertion and removal share. A caller sees extent.h.
 */
#pragma once

#include "kernel/fs/ext4/extent.h"

/* Before a node's bytes change; the root is part of the inode and needs nothing. */
enum status ext4_extent_level_modify(struct ext4 *fs, struct ext4_extent_level *level);
/* After they changed. */
void ext4_extent_level_seal(struct ext4 *fs, const struct ext4_inode *inode,
                            struct ext4_extent_level *level);
/* Brings the keys above a leaf in line with its first entry (X2). */
enum status ext4_extent_update_keys(struct ext4 *fs, struct ext4_inode *inode,
                                    struct ext4_extent_path *path);
