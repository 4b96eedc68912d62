/*
 * Orphans: inodes that are to be deleted, or cut to their size, although a crash may come between.
 *
 *   The list: the superblock names the first inode, each inode's deletion time is the number of
 *   the next one, 0 ends it. The file (feature orphan_file) holds the same as an array: each of
 *   its blocks is full of inode numbers, 0 for a free place, and ends with 0B10CA04 and a
 *   checksum. An inode without links is to be deleted, any other one to be cut.
 *
 * ext4_orphans_recover() of ext4_internal.h brings all to their end, for mount and unmount.
 *
 * O1  This code adds to the list only, and only what does not fit one transaction; other systems
 *     may leave both.
 * O2  The whole list is checked before the first inode of it is touched: a loop, a free inode or
 *     an impossible number refuses all of it.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

/* links is 0: onto the list, in the running transaction. The inode is stored. */
enum status ext4_orphan_add(struct ext4 *fs, struct ext4_inode *inode);
/* As far as the running transaction has room: the list only, never commits. */
enum status ext4_orphans_continue(struct ext4 *fs);

/* --- shared with orphan_file.c --- */

/*
 * One piece of the work on one orphan, which must be in use. ERR_TRANSACTION_FULL: progress was
 * made and may be committed; the inode is still an orphan.
 */
enum status ext4_orphan_finish(struct ext4 *fs, u32 number);
/* Commits what a full transaction holds; ERR_TRANSACTION_FULL if nothing was freed in it. */
enum status ext4_orphan_commit_progress(struct ext4 *fs);
/* ERR_CORRUPT unless the number can be an orphan's and its inode is in use. */
enum status ext4_orphan_load(struct ext4 *fs, u32 number, struct ext4_inode *inode);

/* The orphan file, if the superblock says that it has entries. */
enum status ext4_orphan_file_recover(struct ext4 *fs);
