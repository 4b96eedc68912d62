/*
 * The full audit: every archive, every file that one lists, every file that none does.
 *
 * Each file is read once, however many generations list it; memory is in proportion to the files. What
 * is found is told as it is found. Nothing is changed by snapper_verify().
 */
#pragma once

#include "snapper/snapper.h"

enum snapper_finding_kind {
    FINDING_ARCHIVE, /* cannot be read: `status` */
    FINDING_COPY,    /* a listed file is missing or damaged: `status`, `ordinal` */
    FINDING_MISPLACED, /* `count` files from `ordinal` are valid, but not all are those saved */
    FINDING_OBJECTS,    /* `count` objects from `id` on have no good copy */
    FINDING_RC,         /* the count in a settled file is wrong: `ordinal` */
    FINDING_ORPHAN,     /* a file that no archive lists: `ordinal` */
    FINDING_INCOMPLETE, /* a directory without an archive of which nothing is listed */
};

struct snapper_finding {
    enum snapper_finding_kind kind;
    struct generation_name generation; /* whose directory or archive it is */
    u64 id;
    u64 count;
    u32 ordinal;
    enum status status;
    bool repaired;
};

struct snapper_verify_hooks {
    void *context;
    void (*finding)(void *context, const struct snapper_finding *finding);
    /* After each generation; false stops it: ERR_INTERRUPTED. If a generation is made or removed
     * meanwhile what was seen is worth nothing: ERR_BUSY. */
    bool (*progress)(void *context, u64 done, u64 total);
};

struct snapper_verify_report {
    u32 archives; /* that could be read */
    u32 unreadable;
    u64 objects; /* of all generations together */
    u64 files;   /* listed, each once */
    u64 bytes;   /* of objects in them */
    u64 damaged; /* copies missing, damaged or misplaced */
    u64 lost;    /* objects of all generations without a good copy */
    u64 wrong_rc;
    u64 orphans;
    u32 incomplete;
    u64 repaired; /* copies rewritten */
    bool settled; /* so that rc could be judged */
};

/* Is there anything in it that ought not to be? */
static inline bool snapper_verify_is_clean(const struct snapper_verify_report *report)
{
    return report->unreadable == 0 && report->damaged == report->repaired &&
           report->lost == 0 && report->wrong_rc == 0 && report->orphans == 0 &&
           report->incomplete == 0;
}

/* `hooks`, and each of them, may be NULL. In state DORMANT. */
enum status snapper_verify(struct snapper *snapper,
                           const struct snapper_verify_hooks *hooks,
                           struct snapper_verify_report *report);
/*
 * The same; and copies that are missing or damaged are rewritten from a good one (never over a file
 * of unknown version), counts are settled, and what no archive lists goes, in directories without
 * an archive and if all archives can be read. The report says what was found.
 */
enum status snapper_repair(struct snapper *snapper,
                           const struct snapper_verify_hooks *hooks,
                           struct snapper_verify_report *report);
