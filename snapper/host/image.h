/*
 * An image opened for one verb: disk, file system, configuration, Snapper's session.
 *
 * A verb that reads leaves the file as it is, a dirty journal too: it is replayed in memory. One that
 * writes replays first, and at its end makes all reference counts exact (unless an archive cannot be
 * read, which leaves them to be settled later) and unmounts cleanly. A
 * rehearsal (-n) is one that writes to memory.
 */
#pragma once

#include "kernel/fs/ext4/ext4.h"
#include "snapper/host/image_file.h"
#include "snapper/host/options.h"
#include "snapper/snapper.h"
#include "snapper/store/ext4_store.h"

struct image {
    struct image_file file;
    struct ext4 *fs;
    struct ext4_store store;
    struct snapper_config config;
    struct snapper_config_sources sources;
    u32 config_problems;
    struct snapper *snapper;
    bool unsettled; /* at the end, because an archive cannot be read */
};

/* The -o options make sense: known keys, good values. What is wrong is said. */
[[nodiscard]] bool image_check_overrides(const struct options *options);

/* What is wrong is said. On error nothing is open. */
enum status image_open(struct image *image, const struct options *options,
                       enum image_access access);
/*
 * `keep`: what was changed is settled and committed; else everything since the last commit is
 * forgotten, as by a power cut. Nothing to do when nothing is open.
 */
enum status image_close(struct image *image, bool keep);
