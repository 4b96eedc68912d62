/*
 * An image on the host as a disk: a file or block device, locked as QEMU locks it.
 *
 * I1  Whoever writes holds the bytes that a running machine would hold, so neither starts while the
 *     other is at it. A reader hinders nobody, and is told of a writer.
 * I2  A rehearsal writes to memory: the same code runs to its end, the file stays as it is.
 *
 *   byte       100 + p       held by who needs permission p (0: read, 1: write, 3: resize)
 *   byte       200 + p       held by who does not grant p to others
 */
#pragma once

#include "kernel/base/map.h"
#include "kernel/block/disk.h"

enum image_access { IMAGE_READ, IMAGE_WRITE, IMAGE_REHEARSE };

struct image_file {
    struct disk disk; /* first */
    int descriptor;
    const char *path; /* borrowed */
    enum image_access access;
    bool in_use;      /* somebody has it open for writing */
    struct map pages; /* a rehearsal's writes: page of the file -> memory */
};

/* What is wrong is said in one line. ERR_NOT_FOUND, ERR_BUSY (somebody else's), ERR_IO ... */
enum status image_file_open(struct image_file *file, const char *path,
                            enum image_access access);
void image_file_close(struct image_file *file);
