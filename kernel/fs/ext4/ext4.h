/*
 * ext4: the file system on the image, as far as the rest of the system sees it.
 *
 * All changes since the last ext4_commit() form one transaction: ext4_commit() makes them durable
 * together, ext4_rollback() makes them never have happened. Nothing is committed behind the
 * caller's back: an operation that does not fit the running transaction fails with
 * ERR_TRANSACTION_FULL and changes nothing the caller cannot commit; the caller commits where a
 * crash is harmless and goes on. If an operation fails half-way (ERR_NO_SPACE, ERR_IO), its
 * partial changes are still in the running transaction: the caller rolls back.
 *
 * One caller at a time; the kernel serialises above this interface. Names are byte strings of 1
 * to 255 bytes without '/' and NUL. Errors that any call may return besides those named: ERR_IO,
 * ERR_CORRUPT, ERR_NO_MEMORY; calls that change something also: ERR_READ_ONLY, ERR_NO_SPACE,
 * ERR_TRANSACTION_FULL.
 */
#pragma once

#include "kernel/block/disk.h"

struct ext4;

enum { EXT4_ROOT_INODE = 2, EXT4_NAME_MAX = 255, EXT4_PATH_MAX = 4096 };

enum ext4_type { EXT4_FILE, EXT4_DIRECTORY, EXT4_SYMLINK, EXT4_OTHER };

struct ext4_mount_options {
    bool read_only;        /* a dirty journal is then replayed in memory only */
    size_t cache_capacity; /* metadata blocks kept in memory; 0: a default */
};

/*
 * Reads the superblock, replays the journal and the orphan list. One line in the log names what
 * is wrong: ERR_CORRUPT (not ext4, or damaged), ERR_UNSUPPORTED (an unknown incompat feature). An
 * unknown ro_compat feature or a missing journal gives a read-only mount, said in the log.
 */
enum status ext4_mount(struct disk *disk, const struct ext4_mount_options *options,
                       struct ext4 **fs);
/* Commits, checkpoints, marks clean. On error the image is left for a replay; fs is gone either way. */
enum status ext4_unmount(struct ext4 *fs);
/* Forgets everything without writing: as if the power had failed. */
void ext4_drop(struct ext4 *fs);

/*
 * Writes all that is committed to its place, so that memory which waits for that becomes free. Nothing may
 * be in the running transaction.
 */
enum status ext4_checkpoint(struct ext4 *fs);

struct ext4_space {
    size_t block_size;
    u64 blocks, free_blocks, reserved_blocks; /* reserved: for root, as mkfs set it */
    u64 inodes, free_inodes;
    u8 uuid[16];
    bool read_only;
};
void ext4_space(const struct ext4 *fs, struct ext4_space *space);

enum status ext4_commit(struct ext4 *fs);
void ext4_rollback(struct ext4 *fs);
/* Metadata blocks that the running transaction can still take. */
u32 ext4_transaction_room(const struct ext4 *fs);

struct ext4_stat {
    u32 inode;
    u32 generation; /* of the inode number: changes with each reuse */
    enum ext4_type type;
    u32 links;
    u64 size_bytes;
    u64 blocks_512; /* as st_blocks: 512-byte units, metadata of the file included */
    u64 modified;   /* seconds since 1970 */
};
enum status ext4_stat(struct ext4 *fs, u32 inode, struct ext4_stat *stat);

/* One name in one directory. ERR_NOT_FOUND, ERR_NOT_DIRECTORY. */
enum status ext4_lookup(struct ext4 *fs, u32 directory, const char *name, u32 *inode);
/* An absolute path; symbolic links are followed, 40 at most (ERR_LOOP). */
enum status ext4_resolve(struct ext4 *fs, const char *path, u32 *inode);

struct ext4_directory_entry {
    u32 inode;
    enum ext4_type type;
    char name[EXT4_NAME_MAX + 1];
};
/* Start with *cursor = 0; ERR_NOT_FOUND after the last. "." and ".." are not reported. */
enum status ext4_directory_next(struct ext4 *fs, u32 directory, u64 *cursor,
                                struct ext4_directory_entry *entry);

/* ERR_EXISTS. The new file is empty, mode 0600, owner root. */
enum status ext4_create(struct ext4 *fs, u32 directory, const char *name, u32 *inode);
enum status ext4_make_directory(struct ext4 *fs, u32 directory, const char *name,
                                u32 *inode);
/* ERR_NOT_FOUND, ERR_IS_DIRECTORY. */
enum status ext4_unlink(struct ext4 *fs, u32 directory, const char *name);
/* ERR_NOT_FOUND, ERR_NOT_DIRECTORY, ERR_NOT_EMPTY. */
enum status ext4_remove_directory(struct ext4 *fs, u32 directory, const char *name);
/* Within one file system, replaces a file at the target. */
enum status ext4_rename(struct ext4 *fs, u32 from_directory, const char *from_name,
                        u32 to_directory, const char *to_name);

/* At most `size` bytes from `offset`; fewer at the end of the file. Holes read as zeros. */
enum status ext4_read(struct ext4 *fs, u32 inode, u64 offset, void *data, size_t size,
                      size_t *read);
/*
 * Overwrites and extends. New blocks are written in place before the commit (ordered mode);
 * blocks that a committed file already has go through the journal.
 */
enum status ext4_write(struct ext4 *fs, u32 inode, u64 offset, const void *data,
                       size_t size);
enum status ext4_truncate(struct ext4 *fs, u32 inode, u64 size_bytes);

/*
 * A burst: `count` new files in one directory, their blocks and inodes contiguous as far as the
 * disk allows, inode-table and directory blocks filled as a whole, the data gathered into few
 * large writes straight from the caller's memory. Each file is `head` followed by `body`.
 * The memory of names, heads and bodies stays untouched until ext4_commit() or ext4_rollback().
 * Successive bursts within a transaction continue each other's runs and writes.
 */
struct ext4_burst_file {
    const char *name;
    const void *head;
    const void *body;
    u32 head_size;
    u32 body_size;
    u32 inode;       /* result */
    u64 first_block; /* result; 0 for an empty file */
};
enum status ext4_create_burst(struct ext4 *fs, u32 directory,
                              struct ext4_burst_file *files, size_t count);

/*
 * One byte of a file rewritten in place, outside the journal: the sector that holds it is read,
 * changed and written as one. For Snapper's reference counts only (spec 3.5). Durable with the
 * next flush or commit.
 */
enum status ext4_poke(struct ext4 *fs, u32 inode, u64 offset, u8 value);
/* Makes pokes durable. */
enum status ext4_flush(struct ext4 *fs);
