/*
 * From the disk to Snapper: what lies under persistence, opened in order and closed in reverse.
 *
 *   virtio-blk -> ext4 -> /snapper.conf and the command line -> Snapper's session
 *
 * Whatever is missing or wrong is one clear line in the log, and the machine runs without it.
 */
#pragma once

#include "kernel/block/disk.h"
#include "snapper/snapper.h"

/* `command_line`: the kernel's, for interval= and snapper.KEY=. */
void storage_open(const char *command_line);

struct disk *storage_disk(void);       /* NULL: none */
struct ext4 *storage_fs(void);         /* NULL: no image that could be mounted */
bool storage_is_read_only(void);       /* or there is no image */
struct snapper *storage_snapper(void); /* NULL: no image that Snapper can work on */
const struct snapper_config *storage_config(void);
const struct snapper_config_sources *storage_config_sources(void);

/* What was changed is durable. ERR_NO_DEVICE: no image. */
/* Gives back the memory that the file system holds for what is not in its place on the disk yet. */
void storage_relieve(void);
enum status storage_sync(void);
/* A clean unmount; afterwards there is no session. What goes wrong is logged. */
void storage_close(void);

/*
 * A whole file of the image, in memory for port_free(). ERR_TOO_LARGE: above `size_max`;
 * ERR_NOT_FOUND, ERR_IS_DIRECTORY, ERR_NO_DEVICE: no image; ERR_NO_MEMORY, ERR_IO, ERR_CORRUPT.
 */
enum status storage_read_file(const char *path, size_t size_max, u8 **data, size_t *size);
/* The names of plain files: begin with *cursor = 0; ERR_NOT_FOUND after the last. */
enum status storage_next_file(const char *directory, u64 *cursor, char *name,
                              size_t size);
