/*
 * What creating, removing and renaming have in common.
 *
 * N1  An operation asks for room in the transaction before its first change, for the most it
 *     could touch; so ERR_TRANSACTION_FULL finds nothing half-done.
 * N2  An inode whose last name goes is deleted in the same transaction. If its blocks do not fit,
 *     it goes to the orphan list instead and is deleted piece by piece, later (see orphan.h).
 */
#pragma once

#include "kernel/fs/ext4/dir_access.h"

enum { EXT4_NAMESPACE_BLOCKS = 48 };

/* N1; continues with orphans first. ERR_READ_ONLY, ERR_TRANSACTION_FULL. */
enum status ext4_namespace_begin(struct ext4 *fs);
/* A name that may be created or removed: ERR_INVALID_ARGUMENT ("", ".", "..", a slash), ERR_TOO_LARGE. */
enum status ext4_name_check(const char *name);
/* A name, where it is and the inode it stands for. */
struct ext4_child {
    struct ext4_dir_place place;
    struct ext4_inode inode;
};
enum status ext4_child_find(struct ext4 *fs, const struct ext4_inode *directory,
                            const char *name, struct ext4_child *child);
/* ERR_EXISTS unless the name is free. */
enum status ext4_name_require_free(struct ext4 *fs, const struct ext4_inode *directory,
                                   const char *name);
/* One link less; with the last one the inode goes (N2). Directories go with any. */
enum status ext4_child_drop(struct ext4 *fs, struct ext4_inode *child);

/* Links of a directory: one for each subdirectory; 1 stands for "too many to count". */
enum status ext4_links_require_room(const struct ext4 *fs,
                                    const struct ext4_inode *directory);
void ext4_links_add_subdirectory(struct ext4_inode *directory);
/* Before its name is removed; counts them where nobody did and they have become few enough. */
enum status ext4_links_remove_subdirectory(struct ext4 *fs, struct ext4_inode *directory);
