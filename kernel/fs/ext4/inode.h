/*
 * The inode's bytes: decoding with bounds, encoding without losing what we do not understand.
 *
 *   offset  size  field                       offset  size  field
 *       00     2  mode                            64     4  generation
 *       04     4  size, low                       68     4  attribute block, low (76: high)
 *       08    12  access, change, modify times    6C     4  size, high (files only)
 *       14     4  deletion time, next orphan      74     2  512-byte blocks, high
 *       1A     2  links                           7C     2  checksum, low (82: high)
 *       1C     4  512-byte blocks, low            80     2  size of the fields from here on
 *       20     4  flags                           84    12  more bits of the three times
 *       28    60  map                             90     8  creation time and its bits
 */
#pragma once

#include "kernel/fs/ext4/allocate.h"

/* ERR_CORRUPT: a bad checksum, a free inode, impossible sizes. Logged. */
enum status ext4_inode_decode(const struct ext4 *fs, u32 number, const u8 *raw,
                              struct ext4_inode *inode);
/* Into the inode's bytes, checksum included; everything else in them stays. */
void ext4_inode_encode(const struct ext4 *fs, const struct ext4_inode *inode, u8 *raw);
/* Makes zeroed bytes a new inode's: the extra size and the creation time. */
void ext4_inode_encode_new(const struct ext4 *fs, const struct ext4_inode *inode,
                           u8 *raw);

/* A new inode in memory, empty, with times, flags and generation set. */
void ext4_inode_init(struct ext4 *fs, u32 number, u16 mode, u32 links,
                     struct ext4_inode *inode);

/* Does it have a map of blocks (rather than a device number or a short symlink's text)? */
bool ext4_inode_has_map(const struct ext4_inode *inode);

u64 ext4_now_seconds(void);
