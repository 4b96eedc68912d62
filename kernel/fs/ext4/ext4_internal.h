/*
 * What the files of kernel/fs/ext4 share: the mounted file system and the inode in memory.
 *
 * E1  Only the file that owns a structure touches its raw bytes: superblock.c, group.c, inode.c,
 *     extent.c, dir_block.c ...
 * E2  What can change lives in buffers alone (group descriptors, free counts, bitmaps, inodes), so
 *     that journal_rollback() undoes everything; `struct ext4` keeps constants and hints.
 * E3  The superblock's free counts are the sums over the groups; superblock.c writes them into
 *     its buffer from the journal's before-commit hook.
 * E4  A file block's data is read through cache_find() first: an overwritten block may wait in
 *     the journal, newer than the disk.
 */
#pragma once

#include "kernel/fs/ext4/ext4.h"
#include "kernel/fs/jbd2/journal.h"

/* The superblock, decoded: constants of the mounted file system. */
struct ext4_superblock {
    u32 block_size;
    u32 block_shift;
    u64 block_count;
    u32 inode_count;
    u32 first_data_block; /* 1 with 1 KiB blocks, else 0 */
    u32 blocks_per_group;
    u32 inodes_per_group;
    u32 inode_size;
    u32 first_inode; /* first one not reserved */
    u32 descriptor_size;
    u32 group_count;
    u32 journal_inode;
    u32 last_orphan;
    u32 orphan_file_inode;
    u32 checksum_seed;
    u32 log_groups_per_flex;
    u32 first_meta_group;
    u32 reserved_gdt_blocks;
    u64 reserved_blocks;
    u32 compat, incompat, ro_compat;
    u32 backup_groups[2]; /* with sparse_super2: the groups that hold a copy */
    u16 mount_count;
    u32 hash_seed[4];
    u8 default_hash_version;
    bool hash_unsigned; /* from s_flags */
    u16 want_extra_inode_size;
    u8 uuid[16];
};

/* Where directories went last, and as long as more than `spare` inodes are free go again. */
struct ext4_directory_group {
    u32 number, spare;
};

/* Free blocks and inodes of the whole file system, as the group descriptors add up. */
struct ext4_free_counts {
    u64 blocks, inodes;
};

/* `count` blocks from `first` on. */
struct ext4_block_run {
    u64 first;
    u64 count;
};

/*
 * What the running transaction has allocated and freed, beyond what the journal knows. Emptied
 * by commit and rollback; see transaction.c.
 */
struct ext4_running {
    struct ext4_block_run
        *fresh; /* allocated: data may be written in place (ordered mode) */
    size_t fresh_count, fresh_capacity;
    struct map freed_inodes;      /* not to be handed out again before the commit (J4) */
    struct ext4_free_counts free; /* as the running transaction leaves them */
    struct ext4_free_counts free_before; /* as the last commit left them */
};

/* A reader of one kind of blocks: where it would go on, and how many it got in order so far. */
struct ext4_reader {
    u64 next;
    u64 length;
};

enum ext4_bitmap_kind { EXT4_BLOCK_BITMAP, EXT4_INODE_BITMAP, EXT4_BITMAP_KINDS };

/* What is read ahead of readers in order; see read_ahead.c. */
struct ext4_read_ahead {
    u8 *data;
    u64 first_block;
    u64 block_count;                /* 0: holds nothing */
    u64 failed_block, failed_count; /* a window that could not be read: not tried again */
    struct ext4_reader of_data, of_tables, of_directories, of_bitmaps[EXT4_BITMAP_KINDS];
};

struct ext4 {
    struct disk *disk;
    struct cache cache;
    struct journal *journal; /* NULL: read-only without one */
    bool read_only;
    bool uses_backup; /* of the superblock; said once */
    struct ext4_superblock superblock;

    /* Hints, never truths. */
    u64 block_goal; /* where the last run ended */
    u32 inode_goal;
    struct ext4_directory_group directory_group;

    struct ext4_running running;
    struct ext4_data_queue *data_queue; /* writes of file data on their way to the disk */
    struct ext4_read_ahead read_ahead;
    u8 *scratch;            /* one block, for a read-modify-write of file data */
    u32 generation_seed;    /* of inode generation numbers, new for each mount */
    u32 generation_count;   /* handed out since the mount */
    bool recovery_flag_set; /* on the disk, flushed: required before the first commit */
    bool mount_counted;     /* mount count and time are in the superblock's buffer */
};

/* An inode in memory: a decoded copy. ext4_inode_store() brings changes back. */
struct ext4_inode {
    u32 number;
    u16 mode;
    u32 links;
    u64 size_bytes;
    u64 blocks_512;
    u32 flags;
    u32 generation;
    u64 access_time, change_time, modify_time; /* seconds since 1970 */
    u32 delete_time;                           /* next orphan while on the orphan list */
    u64 attribute_block; /* extended attributes, shared and counted; 0: none */
    u32 checksum_seed;   /* of everything that belongs to it; metadata_csum only */
    u8 map[60];          /* i_block: extent root, block pointers, or symlink text */
};

enum {
    EXT4_MODE_TYPE = 0xF000,
    EXT4_MODE_FILE = 0x8000,
    EXT4_MODE_DIRECTORY = 0x4000,
    EXT4_MODE_SYMLINK = 0xA000,
};

enum {
    EXT4_INODE_FLAG_INDEXED = 0x1000,
    EXT4_INODE_FLAG_HUGE_FILE = 0x40000,
    EXT4_INODE_FLAG_EXTENTS = 0x80000,
    EXT4_INODE_FLAG_EA_INODE = 0x200000,
    EXT4_INODE_FLAG_INLINE_DATA = 0x10000000,
};

bool ext4_has_compat(const struct ext4 *fs, u32 feature);
bool ext4_has_incompat(const struct ext4 *fs, u32 feature);
bool ext4_has_ro_compat(const struct ext4 *fs, u32 feature);
bool ext4_has_checksums(const struct ext4 *fs); /* metadata_csum */

/* --- inode.c --- */

/* ERR_CORRUPT: number out of range, free, or a bad checksum. */
enum status ext4_inode_load(struct ext4 *fs, u32 number, struct ext4_inode *inode);
/* Into the inode table, within the running transaction, checksum included. */
enum status ext4_inode_store(struct ext4 *fs, const struct ext4_inode *inode);
/* A fresh inode of this mode (links as given), allocated near `directory` and stored. */
enum status ext4_inode_create(struct ext4 *fs, u32 directory, u16 mode, u32 links,
                              struct ext4_inode *inode);
/* links is 0: frees blocks and inode; larger files go over the orphan list, see orphan.c. */
enum status ext4_inode_delete(struct ext4 *fs, struct ext4_inode *inode);

static inline bool ext4_inode_is(const struct ext4_inode *inode, u16 type)
{
    return (inode->mode & EXT4_MODE_TYPE) == type;
}

/* --- block_map.c: where a file's blocks lie (extents or the old block pointers) --- */

/*
 * The disk block of `file_block` and how many that follow are contiguous. A hole (or an unwritten
 * extent): *disk_block = 0 and its length.
 */
enum status ext4_block_map(struct ext4 *fs, const struct ext4_inode *inode,
                           u64 file_block, u64 *disk_block, u64 *count);
/*
 * Allocates and maps `count` blocks from `file_block` on, which must be a hole; the inode in memory
 * changes (map, blocks_512) and is the caller's to store. May return fewer: *mapped >= 1.
 */
enum status ext4_block_map_allocate(struct ext4 *fs, struct ext4_inode *inode,
                                    u64 file_block, u64 count, u64 *disk_block,
                                    u64 *mapped);
/* Frees all blocks at or beyond `file_block`. */
enum status ext4_block_map_truncate(struct ext4 *fs, struct ext4_inode *inode,
                                    u64 file_block);

/* The buffer of one mapped metadata block of a directory; ERR_CORRUPT for a hole. */
enum status ext4_inode_block(struct ext4 *fs, const struct ext4_inode *inode,
                             u64 file_block, struct buffer **buffer);
/*
 * Grows a directory by one block at its end: zeroed buffer, already in the transaction; size_bytes
 * grows. The caller fills the block and stores the inode.
 */
enum status ext4_inode_append_block(struct ext4 *fs, struct ext4_inode *inode,
                                    struct buffer **buffer);

/* --- file.c / symlink.c --- */

/* As ext4_read(), of an inode at hand: any that has a map. */
enum status ext4_inode_read(struct ext4 *fs, const struct ext4_inode *inode, u64 offset,
                            void *data, size_t size, size_t *read);

/* The target text of a symbolic link, terminated; fast (in the inode) or in its one block. */
enum status ext4_symlink_target(struct ext4 *fs, const struct ext4_inode *inode, char *to,
                                size_t size);

/* --- dir.c --- */

enum status ext4_dir_lookup(struct ext4 *fs, const struct ext4_inode *directory,
                            const char *name, u32 *inode);
/* Adds an entry; the name must be possible (ext4_name_check()) and not be there yet. The directory inode is stored. */
enum status ext4_dir_add(struct ext4 *fs, struct ext4_inode *directory, const char *name,
                         u32 inode, enum ext4_type type);
/*
 * Many at once: fills blocks in memory, touches each once. Between one and any number of names, all of
 * them possible and not there yet: what ext4_dir_require_new() has said of this directory.
 */
enum status ext4_dir_add_many(struct ext4 *fs, struct ext4_inode *directory,
                              const struct ext4_burst_file *files, size_t count);
enum status ext4_dir_remove(struct ext4 *fs, struct ext4_inode *directory,
                            const char *name);
enum status ext4_dir_is_empty(struct ext4 *fs, const struct ext4_inode *directory,
                              bool *empty);
/* Writes "." and ".." into the first block of a fresh directory inode. */
enum status ext4_dir_init(struct ext4 *fs, struct ext4_inode *directory, u32 parent);

/* --- orphan.c --- */

/*
 * At mount and unmount: finishes what a crash or a full transaction interrupted, for every inode
 * on the orphan list and in the orphan file. Commits. ERR_CORRUPT: a list with a loop or a foreign
 * inode; it should then not be written.
 */
enum status ext4_orphans_recover(struct ext4 *fs);
