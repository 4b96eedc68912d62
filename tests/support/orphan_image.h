/*
 * Images with inodes that someone else was about to remove or to shorten when the power failed: on the
 * orphan list, or in the orphan file.
 */
#pragma once

#include "tests/support/ram_disk.h"

enum { ORPHAN_FILES = 3, ORPHAN_FILE_SIZE = 200 * 1024, ORPHAN_CUT_SIZE = 1500 };

struct orphan_image {
    const char *path;
    u32 inodes[ORPHAN_FILES];
};

/* 16 MiB by `mkfs.ext4 OPTIONS` with the files file-0, file-1, file-2. */
void orphan_image_make(struct orphan_image *image, const char *name, const char *options);
/* The file's name is gone, not its inode; `next` follows on the list. */
void orphan_image_delete(struct orphan_image *image, u32 which, u32 next);
/* Has become shorter, its blocks are still there. */
void orphan_image_cut(struct orphan_image *image, u32 which, u32 next);
/* The list begins here. */
void orphan_image_set_head(struct orphan_image *image, u32 inode);
/* The two inodes in the orphan file's first block, as Linux would have left them. */
void orphan_image_fill_file(struct ram_disk *ram, u32 first, u32 second, bool checksums);
