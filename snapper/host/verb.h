/*
 * The verbs of snapctl, and what each is run with. Those that the kernel's console has too are only
 * bound here (snapper/verbs.h).
 */
#pragma once

#include "snapper/host/image.h"
#include "snapper/report.h"

struct call {
    const struct options *options;
    struct image image;
    struct report *report;
    u64 problems; /* that were found, each said in a line: exit code 1 */
};

struct verb {
    const char *name;
    const char *form;  /* its first argument, where that makes it another verb; NULL */
    const char *usage; /* its arguments */
    const char *summary;
    size_t least, most; /* arguments */
    bool writes;
    bool answers_list; /* as JSON it is an array */
    unsigned options;  /* enum option_bit: that it takes */
    /* Before the image is opened; NULL: nothing to check. False: wrong, and said. */
    bool (*check)(const struct options *options);
    /* An error of which nothing was said gets a line of its own. */
    enum status (*run)(struct call *call);
};

/* NULL: none. */
const struct verb *verb_choose(const struct options *options);
/* A verb that is chosen by its first argument. */
bool verb_has_forms(const char *name);
/* All of them, in the order of the help. */
const struct verb *verb_table(size_t *count);

static inline const char *call_argument(const struct call *call, size_t index)
{
    return call->options->arguments[index];
}

/* verb_files.c */
enum status run_ls(struct call *call);
enum status run_cat(struct call *call);
/* verb_extract.c */
bool check_extract(const struct options *options);
enum status run_extract(struct call *call);
/* verb_transfer.c */
enum status run_export(struct call *call);
enum status run_import(struct call *call);
/* verb_reference.c */
enum status run_import_reference(struct call *call);
/* verb_archive.c */
enum status run_archive_save(struct call *call);
enum status run_archive_restore(struct call *call);
/* verb_verify.c */
enum status run_verify(struct call *call);
