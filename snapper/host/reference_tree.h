/*
 * A directory of the original program on the host, generation by generation (snapper/reference.h). It is
 * only read.
 */
#pragma once

#include "kernel/base/status.h"
#include "snapper/reference.h"

enum { REFERENCE_NAME_SIZE = 20 };

struct reference_generation {
    u64 time;
    char name[REFERENCE_NAME_SIZE]; /* "2025-06-15 15:06:40" */
};

struct reference_tree {
    const char *path;                         /* borrowed */
    struct reference_generation *generations; /* with an archive; the oldest first */
    size_t count;
    size_t without_archive;
};

/* ERR_NOT_FOUND: not such a directory. Said in a line. */
enum status reference_tree_open(struct reference_tree *tree, const char *path);
void reference_tree_close(struct reference_tree *tree);

/* One of its archives; `raw` backs it and is freed by port_free(). What is wrong is said. */
enum status reference_tree_archive(const struct reference_tree *tree, size_t index,
                                   u8 **raw, struct reference_archive *archive);

/*
 * The first good copy among `count` records from `index` on, all of one key. `raw` backs the file and
 * is freed by port_free(). Damaged copies are said; ERR_INTEGRITY: none is good.
 */
enum status reference_tree_read(const struct reference_tree *tree,
                                const struct reference_archive *archive, u64 index,
                                u64 count, u8 **raw, struct reference_file *file);
