/*
 * Extent trees: which disk blocks hold which file blocks.
 *
 *   node    offset  size  field            leaf entry               index entry
 *                0     2  magic F30A       0  4  first file block   0  4  first file block
 *                2     2  entries          4  2  length             4  4  child, low
 *                4     2  room             6  2  disk block, high   8  2  child, high
 *                6     2  depth            8  4  disk block, low    A  2  unused
 *                8     4  generation       (12 bytes each, sorted, not overlapping)
 *   A length above 32768 means length - 32768 blocks that are allocated but unwritten.
 *   The root is the inode's 60-byte map; other nodes are blocks, with a checksum behind their room.
 *
 * X1  Depth is at most 5 and each level's stored depth is one less than its parent's, so no
 *     corrupt tree makes a walk longer than that.
 * X2  The first key of a child equals its key in the parent, after every change.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

enum {
    EXT4_EXTENT_MAX_DEPTH = 5,
    EXT4_EXTENT_MAX_BLOCKS = 32768,
    EXT4_EXTENT_MAX_UNWRITTEN = 32767,
    EXT4_FILE_BLOCK_LIMIT = 0xFFFFFFFF,
};

struct ext4_extent {
    u32 file_block;
    u32 count;
    u64 disk_block;
    bool unwritten;
};

/* One node on the way from the root to a leaf; the root has no buffer. */
struct ext4_extent_level {
    struct buffer *buffer;
    u8 *raw;
    u32 entries, room;
    u32 position; /* of the entry taken; entries of an empty node: 0 */
};

struct ext4_extent_path {
    u32 depth; /* levels[depth] is the leaf */
    struct ext4_extent_level levels[EXT4_EXTENT_MAX_DEPTH + 1];
};

/*
 * The way to the last entry at or before `file_block` (or the first). Every node on it is checked.
 * ext4_extent_path_release() afterwards, if OK.
 */
enum status ext4_extent_path_find(struct ext4 *fs, const struct ext4_inode *inode,
                                  u32 file_block, struct ext4_extent_path *path);
void ext4_extent_path_release(struct ext4_extent_path *path);

/* First file block after this leaf's place in the tree, or EXT4_FILE_BLOCK_LIMIT. */
u32 ext4_extent_path_next_key(const struct ext4_extent_path *path);

void ext4_extent_entry_decode(const u8 *raw, struct ext4_extent *extent);
void ext4_extent_entry_encode(u8 *raw, const struct ext4_extent *extent);
u8 *ext4_extent_entry(const struct ext4_extent_level *level, u32 position);
void ext4_extent_level_set_entries(struct ext4_extent_level *level, u32 entries);
/* Writes an empty node into `raw` of `size` bytes. */
void ext4_extent_node_init(u8 *raw, u32 room, u32 depth);
u64 ext4_extent_child(const u8 *entry);
void ext4_extent_child_encode(u8 *entry, u32 file_block, u64 child);
u32 ext4_extent_key(const u8 *entry);
void ext4_extent_set_key(u8 *entry, u32 file_block);
u32 ext4_extent_block_room(const struct ext4 *fs);
/* The checksum behind a node's room, after a change. */
void ext4_extent_block_seal(const struct ext4 *fs, const struct ext4_inode *inode,
                            u8 *raw);

/* Is the whole node well formed at this depth? Pure; used on every node before it is believed. */
bool ext4_extent_node_is_valid(const struct ext4 *fs, const u8 *raw, size_t size,
                               u32 depth);

/* The extent that holds `file_block`, or a hole: disk_block 0 and its length. */
enum status ext4_extent_find(struct ext4 *fs, const struct ext4_inode *inode,
                             u32 file_block, struct ext4_extent *extent);

/* --- extent_edit.c --- */

void ext4_extent_root_init(struct ext4_inode *inode);
/* Adds an extent where there is a hole; merges with its neighbours. May allocate tree blocks. */
enum status ext4_extent_insert(struct ext4 *fs, struct ext4_inode *inode,
                               const struct ext4_extent *extent);
/* --- extent_remove.c --- */

/* Frees all blocks at or beyond `file_block`, and tree blocks that become empty. */
enum status ext4_extent_truncate(struct ext4 *fs, struct ext4_inode *inode,
                                 u32 file_block);
/* Makes `count` blocks of one unwritten extent written ones, in place. */
enum status ext4_extent_convert(struct ext4 *fs, struct ext4_inode *inode, u32 file_block,
                                u32 count);
/* The file block behind the last mapped one; 0 for an empty file. */
enum status ext4_extent_end(struct ext4 *fs, const struct ext4_inode *inode, u64 *end);
