/*
 * What generations take up on the disk, and what would come free without one of them.
 */
#pragma once

#include "snapper/snapper.h"

/* Bytes are those of whole blocks; directories and inodes are not counted. */
struct snapper_usage {
    u64 exclusive_files; /* that no other generation lists */
    u64 exclusive_bytes; /* with the archive: what deleting the generation frees */
    u64 shared_files;    /* that others list, too */
    u64 shared_bytes;
};

/* ERR_CORRUPT, ERR_UNSUPPORTED ...: of one archive it is unknown what it lists. ERR_NOT_FOUND. */
enum status snapper_usage(struct snapper *snapper, const struct generation_name *name,
                          struct snapper_usage *usage);

/* Of all generations together, each file once. */
struct snapper_total_usage {
    u64 files;
    u64 file_bytes;
    u64 archive_bytes;
};
enum status snapper_total_usage(struct snapper *snapper,
                                struct snapper_total_usage *usage);
