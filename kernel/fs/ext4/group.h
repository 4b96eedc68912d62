/*
 * Block groups: their descriptors, and where their bitmaps and inode tables lie.
 *
 *   offset  size  field                          offset  size  field
 *        0     4  block bitmap, low                  20     4  block bitmap, high
 *        4     4  inode bitmap, low                  24     4  inode bitmap, high
 *        8     4  inode table, low                   28     4  inode table, high
 *        C     2  free blocks, low                   2C     2  free blocks, high
 *        E     2  free inodes, low                   2E     2  free inodes, high
 *       10     2  directories, low                   30     2  directories, high
 *       12     2  flags                              32     2  unused inodes, high
 *       18     2  block bitmap checksum, low         38     2  the same, high
 *       1A     2  inode bitmap checksum, low         3A     2  the same, high
 *       1C     2  unused inodes at the table's end, low
 *       1E     2  checksum of the descriptor
 *
 * G1  A bitmap of a group marked uninitialised has no content on disk. It is made up when first
 *     changed, in the same transaction that clears the mark.
 * G2  Inodes from the "unused" mark to the end of the table have never been initialised: who
 *     moves the mark initialises the blocks it passes.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

enum {
    EXT4_GROUP_INODES_UNINITIALISED = 0x1,
    EXT4_GROUP_BLOCKS_UNINITIALISED = 0x2,
    EXT4_GROUP_TABLE_ZEROED = 0x4,
};

struct ext4_group {
    u32 number;
    u16 flags;
    u64 block_bitmap, inode_bitmap, inode_table; /* blocks, inside the file system */
    u32 free_blocks, free_inodes, directories;
    u32 unused_inodes; /* 0 without descriptor checksums */
};

/* ERR_CORRUPT: a bad checksum, or places and counts that cannot be. */
enum status ext4_group_load(struct ext4 *fs, u32 number, struct ext4_group *group);
/* Within the running transaction. */
enum status ext4_group_store(struct ext4 *fs, const struct ext4_group *group);

u64 ext4_group_first_block(const struct ext4 *fs, u32 number);
u32 ext4_group_block_count(const struct ext4 *fs,
                           u32 number); /* the last one is shorter */
u32 ext4_group_of_block(const struct ext4 *fs, u64 block);
u32 ext4_group_of_inode(const struct ext4 *fs, u32 inode);
u32 ext4_inode_table_blocks(const struct ext4 *fs); /* of one group */

/*
 * The bitmap, checked. That of an uninitialised group is made up, and stored with its mark
 * cleared in the running transaction; any other the caller gives to journal_modify() before it
 * changes it. ext4_group_store_bitmaps() afterwards.
 */
enum status ext4_group_block_bitmap(struct ext4 *fs, struct ext4_group *group,
                                    struct buffer **bitmap);
enum status ext4_group_inode_bitmap(struct ext4 *fs, struct ext4_group *group,
                                    struct buffer **bitmap);
/* Stores the group with the bitmaps' new checksums (NULL: that bitmap did not change). */
enum status ext4_group_store_bitmaps(struct ext4 *fs, const struct ext4_group *group,
                                     const struct buffer *block_bitmap,
                                     const struct buffer *inode_bitmap);

/* The sums over all groups. */
enum status ext4_group_sum_free(struct ext4 *fs, struct ext4_free_counts *free);
