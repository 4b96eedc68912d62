/*
 * One block of a directory: names in a chain of entries that fills it.
 *
 *   entry   offset  size  field
 *              0     4   inode; 0: unused
 *              4     2   length of the entry, to the start of the next one; multiple of 4
 *              6     1   length of the name (2 bytes without the filetype feature)
 *              7     1   type: 1 file, 2 directory, 7 symbolic link ...
 *              8   ...   name
 *   With metadata_csum the last 12 bytes are an unused entry of type DE: the checksum at 8.
 *
 * The bytes come from disk. Every entry is checked when it is reached, each time: a block may be
 * reached in several roles. A broken one is ERR_CORRUPT with one line in the log. Entries are
 * never shorter than 12 bytes, so no walk takes more steps than a block has room for.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

/* A block at hand, with all that is needed to interpret it. */
struct ext4_dir_block {
    u8 *raw;
    u32 size;
    bool checksums;
    bool file_types;
    u32 inode_count, first_inode; /* what an entry may refer to */
    u32 checksum_seed;
    u32 directory; /* inode and block within it, for messages */
    u64 number;
    struct buffer *buffer; /* where raw lies; NULL outside of a file system */
};

struct ext4_dir_entry {
    u32 offset; /* in the block */
    u32 size;
    u32 inode;
    u8 type; /* as on disk, 0: unknown */
    u32 name_length;
    const u8 *name; /* in the block */
};

/* Types as they stand in entries. */
enum {
    EXT4_ENTRY_UNKNOWN = 0,
    EXT4_ENTRY_FILE = 1,
    EXT4_ENTRY_DIRECTORY = 2,
    EXT4_ENTRY_SYMLINK = 7
};

/* The entry that a name needs. */
static inline u32 ext4_dir_entry_size(u32 name_length)
{
    return (8 + name_length + 3) & ~3U;
}

/* One line in the log: the directory, the block, what is wrong and its value. */
enum status ext4_dir_block_refuse(const struct ext4_dir_block *block, const char *what,
                                  u64 value);

/* The tail and its checksum. Nothing to check without metadata_csum. */
enum status ext4_dir_block_verify(const struct ext4_dir_block *block);
/* Writes the checksum after a change. */
void ext4_dir_block_seal(const struct ext4_dir_block *block);
/* Makes it a block without names, unsealed. */
void ext4_dir_block_init(const struct ext4_dir_block *block);
/* Where the entries end. */
u32 ext4_dir_block_end(const struct ext4_dir_block *block);

/* The entry at `offset`, used or not; ERR_NOT_FOUND at the end of the block. */
enum status ext4_dir_block_entry(const struct ext4_dir_block *block, u32 offset,
                                 struct ext4_dir_entry *entry);
/* The entry with this name. ERR_NOT_FOUND. */
enum status ext4_dir_block_find(const struct ext4_dir_block *block, const char *name,
                                u32 length, struct ext4_dir_entry *entry);

/* What an entry says beside its place. */
struct ext4_dir_name {
    const char *text;
    u32 length;
    u32 inode;
    u8 type;
};

/* The entry that has room for a name behind its own; ERR_NO_SPACE if none has. */
enum status ext4_dir_block_find_room(const struct ext4_dir_block *block, u32 length,
                                     u32 *offset);
/* ERR_NO_SPACE if no gap is large enough; the block is then unchanged. */
enum status ext4_dir_block_insert(const struct ext4_dir_block *block,
                                  const struct ext4_dir_name *name);
/*
 * The same for one name after another: gaps before the entry at `*from` are not looked at. Begin with
 * 0, which each call then moves to the entry it made.
 */
enum status ext4_dir_block_insert_from(const struct ext4_dir_block *block, u32 *from,
                                       const struct ext4_dir_name *name);
/* The entry at `offset`, found before; its room goes to the one before it. */
enum status ext4_dir_block_remove(const struct ext4_dir_block *block, u32 offset);
/* The entry at `offset`, found before, now refers to another inode. */
void ext4_dir_block_redirect(const struct ext4_dir_block *block, u32 offset, u32 inode,
                             u8 type);
/* "." and ".." as the first two entries; the second one reaches to the end. */
void ext4_dir_block_init_dots(const struct ext4_dir_block *block, u32 self, u32 parent);
