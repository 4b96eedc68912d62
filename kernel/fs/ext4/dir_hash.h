/*
 * The hash of a name, by which an indexed directory is ordered.
 *
 * Pure functions of the name, the version in the index's root and the seed in the superblock. The
 * lowest bit of a hash is always 0: in the index it marks a leaf that continues the one before it.
 */
#pragma once

#include "kernel/base/types.h"

enum ext4_hash_version {
    EXT4_HASH_LEGACY = 0,
    EXT4_HASH_HALF_MD4 = 1,
    EXT4_HASH_TEA = 2,
};

/* How one file system hashes: from its superblock and the index's root. */
struct ext4_hash_method {
    enum ext4_hash_version version;
    bool is_unsigned; /* bytes of a name above 127 are positive */
    u32 seed[4];      /* all zero: the algorithm's own start */
};

u32 ext4_name_hash(const struct ext4_hash_method *method, const u8 *name, size_t length);
