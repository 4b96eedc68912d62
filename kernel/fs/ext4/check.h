/*
 * The whole file system looked over, as e2fsck does with -fn: nothing is changed.
 *
 * What must agree: blocks that inodes and groups use, each used once, with the block bitmaps; inodes
 * with the inode bitmaps; counts of groups and superblock with both; entries with the inodes they
 * refer to; link counts with entries; ".." with the real parent; every directory with the root;
 * indexes with the names they lead to. Checksums on the way. Blocks that the cache has verified
 * before are not verified again: mount afresh for that.
 */
#pragma once

#include "kernel/fs/ext4/ext4.h"

enum { EXT4_CHECK_TEXT = 160 };

struct ext4_check_report {
    u64 problems;
    char first[EXT4_CHECK_TEXT]; /* the first problem, "" if there is none */
    u64 used_blocks;
    u32 used_inodes, directories, names;
};

/*
 * Between two transactions only (ERR_INVALID_STATE). OK: looked at everything, the report says what
 * was found; each problem is also a line in the log. ERR_UNSUPPORTED: a feature that changes what is
 * used, by name in the log. ERR_IO, ERR_NO_MEMORY: not finished. Memory: a
 * bit a block, 13 bytes an inode.
 */
enum status ext4_check(struct ext4 *fs, struct ext4_check_report *report);
