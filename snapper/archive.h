/*
 * The archive: the file that makes a generation, mapping object ids to snapshot files.
 *
 *   offset  size  field
 *        0     1  version  SNAPPER_FORMAT_VERSION
 *        1     4  crc      CRC-32 (zlib) of everything behind it
 *        5    36  head     magic, layout, counts, parent
 *       41   ...  description, table of generations, runs (FORMAT.md)
 *
 * Runs stand in groups. A group covers `count` consecutive ids of one size; its first run (rank 0)
 * says where their newest copies lie, further runs of the same ids (rank 1, 2 ...) where older
 * ones do. Groups ascend and do not overlap. A run takes 10 to 20 bytes.
 */
#pragma once

#include "snapper/generation_name.h"

enum {
    ARCHIVE_DESCRIPTION_MAX = 255,
    ARCHIVE_RANK_MAX = 254,
};

/* A generation whose files the archive lists. Entry 0 is the archive's own. */
struct archive_generation {
    struct generation_name name;
    u32 threshold; /* files per directory, at least 1 */
};

struct archive_run {
    u64 first_id;
    u32 count;         /* at least 1 */
    u32 object_size;   /* of each object, in bytes */
    u32 generation;    /* index into the table */
    u32 first_ordinal; /* file of first_id; the next id has the next ordinal */
    u32 crc; /* CRC-32 over the crc fields of the files, 4 bytes each, little endian */
    u16 age; /* generations that list these files, as far as known; 0: and crc is not known */
    u8 rank; /* 0: preferred */
};

struct archive {
    struct generation_name parent; /* empty: none */
    u64 objects;                   /* sum of the counts at rank 0 */
    u64 files_written;             /* by this generation: its ordinals are below */
    struct archive_generation *generations;
    u32 generation_count;
    struct archive_run *runs;
    u32 run_count;
    char description[ARCHIVE_DESCRIPTION_MAX + 1];
};

/* All bytes of the file; the caller frees them with port_free(). ERR_NO_MEMORY. */
enum status archive_encode(const struct archive *archive, u8 **raw, size_t *size);

/*
 * Everything is checked; memory needed is in proportion to `size`. ERR_CORRUPT, ERR_UNSUPPORTED
 * (version, layout), ERR_NO_MEMORY. `why` (may be NULL) names what is wrong, for the message. The
 * result is freed by archive_destroy().
 */
enum status archive_decode(const u8 *raw, size_t size, struct archive *archive,
                           const char **why);
void archive_destroy(struct archive *archive);
