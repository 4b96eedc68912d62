/*
 * Blocks and inodes handed out and taken back, within the running transaction.
 *
 * A1  What the running transaction has freed is not handed out again before its commit (J4): a
 *     crash would find the old owner alive with the new owner's content.
 * A2  An inode is only taken where no never-initialised inode is left behind it (G2).
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

/* --- free_run.c --- */

/*
 * In [from, limit) the first run of clear bits of at least `wanted` (cut to that), else the
 * longest; count 0 if there is none. Bits for which `is_excluded` is true count as set (NULL: none).
 */
struct ext4_block_run ext4_find_free_run(const u8 *bits, u64 from, u64 limit, u64 wanted,
                                         bool (*is_excluded)(const void *context,
                                                             u64 bit),
                                         const void *context);

/* --- block_alloc.c --- */

/*
 * A run of at most `wanted` and at least one contiguous blocks, at the goal or behind it if
 * possible (0: anywhere). ERR_NO_SPACE only if no block at all is free.
 */
enum status ext4_blocks_allocate(struct ext4 *fs, u64 goal, u64 wanted,
                                 struct ext4_block_run *run);
/* ERR_CORRUPT: blocks that are free already, or belong to the file system itself. */
enum status ext4_blocks_free(struct ext4 *fs, u64 first, u64 count);
/* Where the metadata of an inode (directory blocks, extent blocks) should be looked for. */
u64 ext4_metadata_goal(const struct ext4 *fs, u32 inode);
/* Where the data of a new file should: where the last one ended. */
u64 ext4_data_goal(const struct ext4 *fs, u32 inode);

/* --- inode_alloc.c --- */

struct ext4_inode_run {
    u32 first;
    u32 count;
};

/* A run of at most `wanted` and at least one consecutive inodes, near `parent`. */
enum status ext4_inodes_allocate(struct ext4 *fs, u32 parent, u32 wanted,
                                 struct ext4_inode_run *run);
/* One inode for a directory: near its parent while there is room, else where most is. */
enum status ext4_inode_allocate_directory(struct ext4 *fs, u32 parent, u32 *inode);
enum status ext4_inode_free(struct ext4 *fs, u32 inode, bool directory);

/*
 * The block of the inode table with this newly allocated inode, in the running transaction. If it
 * holds no other inode in use but those of `run` it is not read: *offset 0.. are zeros.
 */
enum status ext4_inode_table_modify(struct ext4 *fs, u32 inode,
                                    const struct ext4_inode_run *run,
                                    struct buffer **buffer, size_t *offset);
/* The next generation number for an inode. */
u32 ext4_next_generation(struct ext4 *fs);

/* --- transaction.c: what the running transaction has allocated and freed --- */

enum status ext4_running_add_fresh(struct ext4 *fs, u64 first, u64 count);
/* Was the block allocated by the running transaction? Its content may be written in place. */
bool ext4_running_is_fresh(const struct ext4 *fs, u64 block);
/* ERR_TRANSACTION_FULL unless `blocks` more fit, the superblock beside them. */
enum status ext4_running_require(const struct ext4 *fs, u64 blocks);
/* ERR_READ_ONLY on a read-only mount. */
enum status ext4_require_writable(const struct ext4 *fs);
