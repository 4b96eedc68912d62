/*
 * The image formats that every ext4 test goes through.
 */
#pragma once

#include "kernel/base/types.h"

struct ext4_format {
    const char *name;
    unsigned mib;
    const char *options; /* of mkfs.ext4 */
};

static const struct ext4_format ext4_formats[] = {
    { "default16", 16, "" },
    { "default64", 64, "" },
    { "default1024", 1024, "" },
    { "no_checksums", 32, "-O ^metadata_csum" },
    { "crc16_checksums", 32, "-O ^metadata_csum,uninit_bg" },
    { "narrow", 32, "-O ^64bit" },
    { "checksum_seed", 32, "-O metadata_csum_seed" },
    { "orphan_file", 32, "-O orphan_file" },
    { "blocks_2k", 48, "-b 2048" },
    { "blocks_4k", 64, "-b 4096" },
    { "groups_4k", 64, "-b 4096 -g 2048" },
    { "small_inodes", 32, "-I 128" },
    { "meta_bg", 48, "-O meta_bg,^resize_inode" },
    { "no_flex", 64, "-O ^flex_bg" },
};
