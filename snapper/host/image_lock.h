/*
 * The locks that QEMU puts on an image (image_file.h has the bytes), as open-file-description locks,
 * which end with the descriptor.
 */
#pragma once

enum image_lock_result {
    IMAGE_LOCK_HELD,
    IMAGE_LOCK_BUSY, /* somebody else's; what was locked so far stays until close() */
    IMAGE_LOCK_IMPOSSIBLE, /* this file system has no such locks */
};

/* Nobody else writes, and nobody starts to. */
enum image_lock_result image_lock_for_writing(int descriptor);
/* BUSY: somebody is writing. */
enum image_lock_result image_lock_for_reading(int descriptor);
