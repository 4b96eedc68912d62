/*
 * The old way to say where a file's blocks lie: twelve direct pointers, then trees of one, two and
 * three levels of pointer blocks, each pointer 4 bytes, 0 a hole.
 *
 * Read and freed in full; only direct blocks are added (what small directories of an image
 * without extents need), anything beyond is ERR_UNSUPPORTED.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

/* As ext4_block_map(). */
enum status ext4_block_pointers_map(struct ext4 *fs, const struct ext4_inode *inode,
                                    u64 file_block, u64 *disk_block, u64 *count);
/* As ext4_block_map_allocate(), one block. */
enum status ext4_block_pointers_allocate(struct ext4 *fs, struct ext4_inode *inode,
                                         u64 file_block, u64 goal, u64 *disk_block);
/* As ext4_block_map_truncate(). */
enum status ext4_block_pointers_truncate(struct ext4 *fs, struct ext4_inode *inode,
                                         u64 file_block);
