/*
 * What an audit learns of snapshot files, each read once. Included by verify*.c alone.
 */
#pragma once

#include "kernel/base/map.h"
#include "snapper/session.h"
#include "snapper/verify.h"

/* One listed file. */
struct audit_file {
    u32 crc;
    u32 size;    /* of the object in it */
    u32 listed;  /* by how many archives */
    u8 rc;       /* as it stands in the file */
    bool read;   /* the rest holds */
    bool told;   /* its damage was reported */
    bool healed; /* rewritten since */
    i8 status;   /* enum status of reading it */
};

struct audit_block {
    u32 capacity;
    struct audit_file files[];
};

struct audit {
    struct snapper *snapper;
    const struct snapper_verify_hooks *hooks;
    struct snapper_verify_report *report;
    struct map blocks; /* generation -> struct audit_block */
    u8 *buffer;        /* for one file */
    size_t buffer_size;
    bool repair;
    enum status unhealed; /* why the first copy that could have been healed was not */
};

void audit_destroy(struct audit *audit);

/* The entry of this file, made if need be. ERR_NO_MEMORY. */
enum status audit_file(struct audit *audit, const struct generation *generation,
                       u32 ordinal, struct audit_file **file);
/* The entry, or NULL: no archive lists it. */
struct audit_file *audit_file_find(const struct audit *audit,
                                   const struct generation *generation, u32 ordinal);
/* Reads the file of `id` in the run, if that was not done, and keeps what it found. */
enum status audit_read(struct audit *audit, const struct mapping_run *run, u64 id,
                       struct audit_file *file);
/* As the run sees it: the file's own status, or ERR_CORRUPT for another size than it states. */
enum status audit_status(const struct audit_file *file, const struct mapping_run *run);

void audit_tell(struct audit *audit, const struct snapper_finding *finding);

/* --- verify_archive.c: one readable archive with all its files --- */
enum status verify_mapping(struct audit *audit, const struct generation *generation,
                           struct mapping *mapping);

/* --- verify_directory.c: what lies there that nobody lists --- */
enum status verify_directory(struct audit *audit, struct generation *generation);
