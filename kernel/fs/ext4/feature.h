/*
 * The feature words of the superblock, and which of them this code understands.
 *
 * An incompat bit outside EXT4_INCOMPAT_KNOWN refuses the mount; a ro_compat bit outside
 * EXT4_RO_COMPAT_KNOWN makes it read-only. Names are those of mke2fs.
 */
#pragma once

#include "kernel/base/types.h"

enum ext4_compat {
    EXT4_COMPAT_HAS_JOURNAL = 0x4,
    EXT4_COMPAT_EXT_ATTR = 0x8,
    EXT4_COMPAT_RESIZE_INODE = 0x10,
    EXT4_COMPAT_DIR_INDEX = 0x20,
    EXT4_COMPAT_SPARSE_SUPER2 = 0x200,
    EXT4_COMPAT_ORPHAN_FILE = 0x1000,
};

enum ext4_incompat {
    EXT4_INCOMPAT_FILETYPE = 0x2,
    EXT4_INCOMPAT_RECOVER = 0x4,
    EXT4_INCOMPAT_META_BG = 0x10,
    EXT4_INCOMPAT_EXTENTS = 0x40,
    EXT4_INCOMPAT_64BIT = 0x80,
    EXT4_INCOMPAT_FLEX_BG = 0x200,
    EXT4_INCOMPAT_CSUM_SEED = 0x2000,
    EXT4_INCOMPAT_KNOWN = EXT4_INCOMPAT_FILETYPE | EXT4_INCOMPAT_RECOVER |
                          EXT4_INCOMPAT_META_BG | EXT4_INCOMPAT_EXTENTS |
                          EXT4_INCOMPAT_64BIT | EXT4_INCOMPAT_FLEX_BG |
                          EXT4_INCOMPAT_CSUM_SEED,
};

enum ext4_ro_compat {
    EXT4_RO_COMPAT_SPARSE_SUPER = 0x1,
    EXT4_RO_COMPAT_LARGE_FILE = 0x2,
    EXT4_RO_COMPAT_HUGE_FILE = 0x8,
    EXT4_RO_COMPAT_GDT_CSUM = 0x10,
    EXT4_RO_COMPAT_DIR_NLINK = 0x20,
    EXT4_RO_COMPAT_EXTRA_ISIZE = 0x40,
    EXT4_RO_COMPAT_METADATA_CSUM = 0x400,
    EXT4_RO_COMPAT_ORPHAN_PRESENT = 0x10000,
    EXT4_RO_COMPAT_KNOWN = EXT4_RO_COMPAT_SPARSE_SUPER | EXT4_RO_COMPAT_LARGE_FILE |
                           EXT4_RO_COMPAT_HUGE_FILE | EXT4_RO_COMPAT_GDT_CSUM |
                           EXT4_RO_COMPAT_DIR_NLINK | EXT4_RO_COMPAT_EXTRA_ISIZE |
                           EXT4_RO_COMPAT_METADATA_CSUM | EXT4_RO_COMPAT_ORPHAN_PRESENT,
};

/* The name of the lowest bit set in `word`; "unknown feature" if it has none. */
const char *ext4_incompat_name(u32 word);
const char *ext4_ro_compat_name(u32 word);
