/*
 * Generations between images, and archives as backups (the paper, section 11).
 *
 * X1  A stream holds the archive of one generation and the content that it lists, all of it or what a
 *     base does not list. Where it is imported the generation is the same to the byte, under the
 *     same names.
 * X2  An import deletes nothing and replaces nothing that is valid. Cut short, it is gone on with by
 *     importing the stream again; until then /snapper.state names what it has made, so that a
 *     clean-up finds it.
 * X3  The generation appears with the last commit, when everything that it lists is there.
 *
 * What is wrong is one line in the log.
 */
#pragma once

#include "snapper/snapper.h"
#include "snapper/stream.h"

struct snapper_transfer_report {
    struct generation_name name;
    struct generation_name base; /* empty: none */
    u64 objects;                 /* in the stream */
    u64 bytes;                   /* of objects */
    u64 files;                   /* import: written */
    u64 present;                 /* import: that were there already */
    bool was_there;              /* import: the generation was, nothing is changed */
};

/*
 * `base` NULL: the whole generation. ERR_INTEGRITY: an object has no good copy; what was written so
 * far is no complete stream.
 */
enum status snapper_export(struct snapper *snapper, const char *name, const char *base,
                           struct stream_output *output,
                           struct snapper_transfer_report *report);

/*
 * ERR_NOT_FOUND: the base is not here; ERR_EXISTS: the generation, or a file that it needs a place
 * for, is here and is another one; ERR_CORRUPT: a damaged stream; ERR_NO_SPACE.
 */
enum status snapper_import(struct snapper *snapper, struct stream_input *input,
                           struct snapper_transfer_report *report);

/* The archive's bytes, freed by port_free(); good or not, which `good` says. */
enum status snapper_archive_save(struct snapper *snapper, const char *name, u8 **raw,
                                 size_t *size, bool *good);
/*
 * Puts an archive back into the generation that it says it is of. ERR_CORRUPT: it is no archive;
 * ERR_EXISTS: there is a readable one already, and another; ERR_INTEGRITY: files that it lists are
 * missing or others. snapper_archive_force() puts it back all the same.
 */
enum status snapper_archive_restore(struct snapper *snapper, const u8 *raw, size_t size,
                                    struct generation_name *name);
enum status snapper_archive_force(struct snapper *snapper, const u8 *raw, size_t size,
                                  struct generation_name *name);
