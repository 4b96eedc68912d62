/*
 * From a path to a process that is ready to run. Programs are data: their segments are copied into
 * pages of the process, and the file is not needed again.
 */
#pragma once

#include "kernel/proc/process.h"

/* Where programs come from; bound in kernel/main.c. */
struct program_files {
    /*
     * The whole file, in memory that port_free() takes back. ERR_NOT_FOUND, ERR_IS_DIRECTORY,
     * ERR_TOO_LARGE, ERR_NO_DEVICE, ERR_IO ...
     */
    enum status (*read)(const char *path, size_t size_max, u8 **data, size_t *size);
    /* The files in a directory: begin with *cursor = 0; ERR_NOT_FOUND after the last. */
    enum status (*next)(const char *directory, u64 *cursor, char *name, size_t size);
};
void load_set_files(const struct program_files *files);
const struct program_files *load_files(void);

/*
 * For one that waits to be loaded: reads the file, opens the space, fills it, and sets the registers;
 * then it is ready. Any error leaves it as it was, without memory.
 */
enum status load_process(struct process *process, const struct program_request *request);
