/*
 * Where groups begin and end, where their descriptors are, and which of their blocks belong to
 * the file system itself: arithmetic on the superblock's constants.
 */
#pragma once

#include "kernel/fs/ext4/group.h"

/* Does the group hold a copy of the superblock (and of the descriptors)? */
bool ext4_group_has_superblock(const struct ext4 *fs, u32 group);

/* Where the descriptor table's block number `index` lies (meta_bg included). */
u64 ext4_group_descriptor_block(const struct ext4 *fs, u32 index);

/* How many blocks at the group's start hold superblock, descriptors and their reserve. */
u32 ext4_group_head_blocks(const struct ext4 *fs, u32 group);

/*
 * Makes up the block bitmap of an uninitialised group: its head, every bitmap and inode table of
 * whatever group that lies in it, and the bits beyond its end.
 */
enum status ext4_group_make_block_bitmap(struct ext4 *fs, u32 group, u8 *bitmap);

/* The checksums that the descriptor states for its bitmaps (16 bits of each if it is narrow). */
enum status ext4_group_bitmap_checksums(struct ext4 *fs, u32 number, u32 *block_bitmap,
                                        u32 *inode_bitmap);
