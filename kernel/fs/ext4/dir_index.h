/*
 * The index of a large directory: a tree of hashes over its blocks of names (htree).
 *
 *   root: block 0           offset  size          node: other blocks     offset  size
 *     entry "."                  0    12            an unused entry that      0     8
 *     entry "..", to the end    12    12            fills the block
 *     zero                      24     4            entries                   8
 *     hash version              28     1
 *     8                         29     1          entry
 *     levels below the root     30     1            hash                      0     4
 *     flags, 0                  31     1            block of the directory    4     4
 *     entries                   32
 *
 *   The first entry has no hash (it stands for 0); its place holds the entries' limit (2 bytes)
 *   and count (2 bytes). With metadata_csum 8 bytes behind the limit: zero, checksum.
 *
 * H1  An entry leads to the names whose hash is at least its own and below the next one's. A
 *     hash with bit 0 set: names of that very hash are also in the leaf before.
 * H2  Nodes are at most EXT4_INDEX_MAX_DEPTH deep, whatever the disk says, so no loop is endless.
 */
#pragma once

#include "kernel/fs/ext4/dir_access.h"
#include "kernel/fs/ext4/dir_hash.h"

enum { EXT4_INDEX_MAX_DEPTH = 2 }; /* three only with the largedir feature */

struct ext4_index_node {
    struct ext4_dir_block block;
    u32 entries_at;
    u32 limit, count;
    u32 position; /* of the entry taken */
};

/* From the root to the entry that leads to a leaf. */
struct ext4_index_path {
    struct ext4_hash_method method;
    u32 hash;  /* looked for */
    u32 depth; /* nodes on the way, at least 1 */
    struct ext4_index_node nodes[EXT4_INDEX_MAX_DEPTH];
};

u32 ext4_index_entry_hash(const struct ext4_index_node *node,
                          u32 position); /* 0 for the first */
u32 ext4_index_entry_block(const struct ext4_index_node *node, u32 position);
void ext4_index_entry_encode(struct ext4_index_node *node, u32 position, u32 hash,
                             u32 block);
void ext4_index_set_count(struct ext4_index_node *node, u32 count);
/* Makes the block a node without entries. */
void ext4_index_node_init(const struct ext4_dir_block *block,
                          struct ext4_index_node *node);
/* Writes the checksum after a change. */
void ext4_index_seal(const struct ext4_index_node *node);
/* The same for the root after a change of its dots; ERR_CORRUPT, ERR_UNSUPPORTED if it is none. */
enum status ext4_index_reseal_root(const struct ext4_dir_block *block);
/* The root says that there is one more level. */
void ext4_index_root_set_levels(struct ext4_index_node *root, u32 levels);

/*
 * Pure. The whole node is checked: limit, count, order of hashes; ERR_CORRUPT, logged.
 * ext4_index_root_decode() also gives the hash version and the nodes below; ERR_UNSUPPORTED for
 * an unknown version.
 */
enum status ext4_index_root_decode(const struct ext4_dir_block *block,
                                   struct ext4_index_node *root,
                                   enum ext4_hash_version *version, u32 *levels);
enum status ext4_index_node_decode(const struct ext4_dir_block *block,
                                   struct ext4_index_node *node);
enum status ext4_index_verify(const struct ext4_index_node *node);
/* The last entry whose hash is not above `hash`. */
u32 ext4_index_search(const struct ext4_index_node *node, u32 hash);

/* The way to the first leaf that may hold the name. ext4_index_path_release() if OK. */
enum status ext4_index_path_find(struct ext4 *fs, const struct ext4_inode *directory,
                                 const char *name, u32 length,
                                 struct ext4_index_path *path);
void ext4_index_path_release(struct ext4_index_path *path);
u32 ext4_index_path_leaf(const struct ext4_index_path *path);

/* ERR_NOT_FOUND. Not for "." and "..". */
enum status ext4_index_find(struct ext4 *fs, const struct ext4_inode *directory,
                            const char *name, u32 length, struct ext4_dir_place *place);

/* --- dir_index_edit.c --- */

/*
 * Adds a name to the leaf it belongs to; splits the leaf and grows the index when they are full.
 * ERR_NO_SPACE: no room in the deepest possible index either. The inode is the caller's to store.
 */
enum status ext4_index_insert(struct ext4 *fs, struct ext4_inode *directory,
                              const struct ext4_dir_name *name);
