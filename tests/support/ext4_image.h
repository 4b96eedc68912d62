/*
 * Real ext4 images and the real tools that judge them: mkfs.ext4, debugfs and e2fsck as
 * subprocesses. Images lie in build/tests/images, one name for each test program.
 *
 * Whatever the host cannot do (no tool, no space) ends the program with a message.
 */
#pragma once

#include "kernel/base/types.h"
#include "tests/support/ram_disk.h"

/* Makes an image with `mkfs.ext4 -F -q OPTIONS PATH MIB"M"` and returns its path. */
const char *ext4_image_make(const char *name, unsigned mib, const char *options);
/* The same, loaded into `ram`. */
const char *ext4_image_make_loaded(const char *name, unsigned mib, const char *options,
                                   struct ram_disk *ram);

/* Runs one debugfs request ("stat <12>", "write FILE NAME"); its output, at most `size` bytes. */
void ext4_image_debugfs(const char *path, const char *request, char *output, size_t size);
/* The inode number that debugfs finds under an absolute path; 0 if none. */
u32 ext4_image_inode(const char *path, const char *file);
/* The content of a file according to debugfs; returns its size, at most `size` bytes. */
size_t ext4_image_dump(const char *path, const char *file, void *data, size_t size);
/* Puts a host file with this content into the image. */
void ext4_image_write(const char *path, const char *file, const void *data, size_t size);

/* Has e2fsck give an index to each directory that is large enough for one. */
void ext4_image_make_indexes(const char *path);

/*
 * `e2fsck -fn` says nothing but its passes and its summary, and ends with 0. Otherwise prints what
 * it said. The second form saves the disk first.
 */
[[nodiscard]] bool ext4_image_is_clean(const char *path);
[[nodiscard]] bool ext4_image_ram_is_clean(const struct ram_disk *ram, const char *path);
/* e2fsck's own replay of a dirty journal, then as above. */
[[nodiscard]] bool ext4_image_is_clean_after_replay(const char *path);
