/*
 * Files of the host: what is wrong with one is said in a line that names it.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum { HOST_PATH_MAX = 4096 };

/* The whole file, freed by port_free(). ERR_TOO_LARGE above `limit`, ERR_NOT_FOUND, ERR_IO. */
enum status host_file_read(const char *path, size_t limit, u8 **data, size_t *size);
/* A new file; one that exists is replaced only once the new one is complete and durable. */
enum status host_file_replace(const char *path, const void *data, size_t size);
/* The same, but nothing waits for the disk. */
enum status host_file_write(const char *path, const void *data, size_t size);
/* Made if it does not exist. */
enum status host_directory_make(const char *path);
