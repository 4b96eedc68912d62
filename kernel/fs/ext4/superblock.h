/*
 * The superblock: what it says is checked before anything believes it, and what changes in it is
 * written without ever being at the mercy of a torn write.
 *
 * S1  Only bytes of its first 512-byte sector ever change; the checksum in the second sector
 *     stays what it is, because four bytes behind the terminator of the "last mounted" text are
 *     chosen to keep it right (seal). So no power cut can tear a superblock apart.
 * S2  In place it is written only to set the recovery flag (flushed before the first commit) and
 *     to clear it at a clean unmount; between these the journal carries it in each transaction.
 *
 *   offset  size  field (those that change; all in the first sector)
 *       0C     4  free blocks, low half (high half at 158)
 *       10     4  free inodes
 *       2C     4  mount time, write time (30), mount count (34, 2 bytes)
 *       60     4  incompat: the recovery flag
 *       64     4  ro_compat: orphans present
 *       C3     5  last byte of "last mounted" text, kept zero; the sealing bytes
 *       E8     4  first inode of the orphan list
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

/*
 * Interprets raw bytes. ERR_CORRUPT, ERR_UNSUPPORTED as for ext4_mount(). A wrong checksum is not
 * an error here: *checksum_good says whether it is right (always without metadata_csum).
 */
enum status ext4_superblock_decode(const u8 *raw, size_t size,
                                   struct ext4_superblock *superblock,
                                   bool *checksum_good);

/* Makes the stored checksum right again after changes before offset C3 or from C8 on. */
void ext4_superblock_seal(u8 *raw);

/* The raw superblock from the disk, primary copy or (read-only use) the first backup found. */
enum status ext4_superblock_read_backup(struct disk *disk, u8 *raw,
                                        struct ext4_superblock *superblock);

/* S2: on the disk, at once, flushed. Not while a transaction is being committed. */
enum status ext4_superblock_set_recovery(struct ext4 *fs);
enum status ext4_superblock_clear_recovery(struct ext4 *fs);

/* The superblock within its cached block; ext4_superblock_modify() also joins the transaction. */
enum status ext4_superblock_get(struct ext4 *fs, struct buffer **buffer, u8 **raw);
enum status ext4_superblock_modify(struct ext4 *fs, struct buffer **buffer, u8 **raw);

/* Head of the orphan list, 0 if empty. */
enum status ext4_superblock_last_orphan(struct ext4 *fs, u32 *inode);
enum status ext4_superblock_set_last_orphan(struct ext4 *fs, u32 inode);
/* The ro_compat flag that says that the orphan file has entries. */
enum status ext4_superblock_set_orphan_present(struct ext4 *fs, bool present);

/* As stated, which is as of the last commit. */
enum status ext4_superblock_free_counts(struct ext4 *fs, struct ext4_free_counts *free);

/* The journal's hook: free counts and times into the buffer, sealed (E3). */
enum status ext4_superblock_before_commit(void *fs);
