/*
 * The blocks of a mounted directory, as struct ext4_dir_block, and what dir.c shares with the
 * files that work on directories as a whole.
 *
 * L1  A block is changed after ext4_dir_block_modify() and sealed before its release.
 */
#pragma once

#include "kernel/fs/ext4/dir_block.h"

/* A directory whose size makes sense, with links: ERR_NOT_DIRECTORY, ERR_CORRUPT, ERR_NOT_FOUND (deleted). */
enum status ext4_dir_check(const struct ext4 *fs, const struct ext4_inode *directory);
/* The same by number. */
enum status ext4_dir_load(struct ext4 *fs, u32 number, struct ext4_inode *directory);

u64 ext4_dir_block_count(const struct ext4 *fs, const struct ext4_inode *directory);
/* Has it an index that counts? */
bool ext4_dir_is_indexed(const struct ext4 *fs, const struct ext4_inode *directory);

/* A block of unknown role, unchecked. ext4_dir_block_release() afterwards. */
enum status ext4_dir_block_read(struct ext4 *fs, const struct ext4_inode *directory,
                                u64 number, struct ext4_dir_block *block);
/* A block of names; its checksum has been verified. */
enum status ext4_dir_leaf_read(struct ext4 *fs, const struct ext4_inode *directory,
                               u64 number, struct ext4_dir_block *block);
/* A block at the end, in the transaction, without names and unsealed; the inode is not stored. */
enum status ext4_dir_append(struct ext4 *fs, struct ext4_inode *directory,
                            struct ext4_dir_block *block);
enum status ext4_dir_block_modify(struct ext4 *fs, const struct ext4_dir_block *block);
/* Puts a name into a block of names, in the transaction. ERR_NO_SPACE: there is no room in it. */
enum status ext4_dir_block_add(struct ext4 *fs, const struct ext4_inode *directory,
                               u64 number, const struct ext4_dir_name *name);
void ext4_dir_block_release(struct ext4_dir_block *block);

/* Where a name is. */
struct ext4_dir_place {
    u64 block;
    u32 offset;
    u32 inode;
    u8 type; /* as on disk */
};

/* --- dir.c --- */

/* ERR_NOT_FOUND. "." and ".." are found too. */
enum status ext4_dir_find(struct ext4 *fs, const struct ext4_inode *directory,
                          const char *name, u32 length, struct ext4_dir_place *place);
/* As ext4_dir_add(), the type as it stands in entries. */
enum status ext4_dir_insert(struct ext4 *fs, struct ext4_inode *directory,
                            const struct ext4_dir_name *name);
/* The name now refers to another inode. */
enum status ext4_dir_redirect(struct ext4 *fs, struct ext4_inode *directory,
                              const char *name, u32 inode, u8 type);
/* Stores the inode with new times of modification. */
enum status ext4_dir_store_touched(struct ext4 *fs, struct ext4_inode *directory);
u8 ext4_entry_type(enum ext4_type type);
/* No more than a little over EXT4_NAME_MAX, however long the text is. */
u32 ext4_name_length(const char *name);
bool ext4_name_is_dots(const u8 *name, u32 length);

/* --- dir_burst.c --- */

/* Blocks that ext4_dir_add_many() may touch, on the safe side. */
u64 ext4_dir_add_many_cost(const struct ext4 *fs, const struct ext4_inode *directory,
                           const struct ext4_burst_file *files, size_t count);
/* ERR_EXISTS if one of the names is there, or twice among them; reads a linear directory once. */
enum status ext4_dir_require_new(struct ext4 *fs, const struct ext4_inode *directory,
                                 const struct ext4_burst_file *files, size_t count);

/* --- dir_walk.c --- */

/*
 * The first used entry at or behind *cursor (block << block_shift | offset in it), dots included;
 * its name lies in `block`, which the caller releases if OK. *cursor moves to the entry;
 * ERR_NOT_FOUND at the end.
 */
enum status ext4_dir_next_entry(struct ext4 *fs, const struct ext4_inode *directory,
                                u64 *cursor, struct ext4_dir_block *block,
                                struct ext4_dir_entry *entry);
enum status ext4_dir_set_parent(struct ext4 *fs, const struct ext4_inode *directory,
                                u32 parent);
