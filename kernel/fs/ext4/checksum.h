/*
 * The checksums of metadata_csum, and the older one of group descriptors.
 *
 * All but the superblock's start from one seed of the file system; what belongs to an inode
 * (itself, its extent blocks, its directory blocks) starts from a seed of that inode, so that a
 * block that strayed from one file to another fails. Callers ask ext4_has_checksums() first.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

enum { EXT4_SUPERBLOCK_BYTES = 1024, EXT4_SUPERBLOCK_CHECKSUM_AT = 0x3FC };

/* Over a raw superblock of EXT4_SUPERBLOCK_BYTES, without its last four bytes. */
u32 ext4_superblock_checksum(const u8 *raw);

/* The file system's seed, where the superblock does not store another one. */
u32 ext4_checksum_seed_of_uuid(const u8 *uuid);

/* The seed of everything that belongs to this inode. */
u32 ext4_inode_checksum_seed(const struct ext4 *fs, u32 number, u32 generation);

/*
 * Over a raw descriptor, its checksum field left out: crc32c with metadata_csum, crc16 with
 * uninit_bg, else 0.
 */
u16 ext4_descriptor_checksum(const struct ext4 *fs, u32 group, const u8 *raw);
bool ext4_has_descriptor_checksums(const struct ext4 *fs);

/* Over a bitmap of `bits` bits. */
u32 ext4_bitmap_checksum(const struct ext4 *fs, const u8 *bitmap, u32 bits);

/* Over a raw inode of inode_size bytes, its checksum fields taken as zero. */
u32 ext4_inode_checksum(const struct ext4 *fs, u32 seed, const u8 *raw);

/*
 * Over the first `size` bytes of a block that belongs to an inode: an extent block or a
 * directory block up to its tail.
 */
u32 ext4_owned_block_checksum(u32 inode_seed, const u8 *raw, size_t size);

/* Over a block of extended attributes, its checksum field (at 16) taken as zero. */
u32 ext4_attribute_block_checksum(const struct ext4 *fs, u64 block, const u8 *raw);
