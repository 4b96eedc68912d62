#include "kernel/base/format.h"
#include "snapper/verbs.h"
#include "snapper/verify.h"

enum { FINDINGS_SHOWN = 40 }; /* to people */

struct verification {
    struct report *report;
    bool (*progress)(void *context, u64 done, u64 total);
    void *context;
    u64 findings;
};

static const char *kind_text(enum snapper_finding_kind kind)
{
    static const char *const names[] = {
        [FINDING_ARCHIVE] = "archive",       [FINDING_COPY] = "copy",
        [FINDING_MISPLACED] = "misplaced",   [FINDING_OBJECTS] = "lost",
        [FINDING_RC] = "reference count",    [FINDING_ORPHAN] = "orphan",
        [FINDING_INCOMPLETE] = "incomplete",
    };

    return names[kind];
}

static void finding_text(const struct snapper_finding *finding, char *to, size_t size)
{
    switch (finding->kind) {
    case FINDING_ARCHIVE:
        format_text(to, size, "the archive cannot be read: %s",
                    status_text(finding->status));
        break;
    case FINDING_COPY:
        format_text(to, size, "file %u: %s", finding->ordinal,
                    status_text(finding->status));
        break;
    case FINDING_MISPLACED:
        format_text(to, size,
                    "%lu files from %u are valid, but not those that were saved",
                    finding->count, finding->ordinal);
        break;
    case FINDING_OBJECTS:
        format_text(to, size, "%lu objects from 0x%lx have no good copy", finding->count,
                    finding->id);
        break;
    case FINDING_RC:
        format_text(to, size, "file %u: its reference count is wrong", finding->ordinal);
        break;
    case FINDING_ORPHAN:
        format_text(to, size, "file %u is listed by no archive", finding->ordinal);
        break;
    case FINDING_INCOMPLETE:
        format_text(to, size, "no archive, and nothing in it is listed");
        break;
    }
}

static void tell_finding(void *context, const struct snapper_finding *finding)
{
    struct verification *verification = context;
    struct report *report = verification->report;
    char text[128];

    finding_text(finding, text, sizeof text);
    verification->findings++;
    report_item_begin(report);
    if (!report->for_people) {
        report_word(report, "kind", kind_text(finding->kind));
        report_word(report, "generation", finding->generation.text);
        report_word(report, "text", text);
        report_flag(report, "repaired", finding->repaired);
    } else if (verification->findings <= FINDINGS_SHOWN) {
        report_line(report, "%s: %s%s", finding->generation.text, text,
                    !finding->repaired  ? ""
                    : report->rehearsal ? ": would be repaired"
                                        : ": repaired");
    } else if (verification->findings == FINDINGS_SHOWN + 1) {
        report_line(report, "... and more");
    }
    report_item_end(report);
}

static bool tell_progress(void *context, u64 done, u64 total)
{
    const struct verification *verification = context;

    return verification->progress == NULL ||
           verification->progress(verification->context, done, total);
}

static void report_totals(const struct snapper_verify_report *totals,
                          struct report *report)
{
    report_number(report, "archives", totals->archives);
    report_number(report, "unreadable_archives", totals->unreadable);
    report_number(report, "objects", totals->objects);
    report_number(report, "files", totals->files);
    report_size(report, "bytes", totals->bytes);
    report_number(report, "damaged_copies", totals->damaged);
    report_number(report, "repaired_copies", totals->repaired);
    report_number(report, "lost_objects", totals->lost);
    report_number(report, "orphans", totals->orphans);
    report_number(report, "incomplete", totals->incomplete);
    report_number(report, "wrong_reference_counts", totals->wrong_rc);
    report_flag(report, "reference_counts_settled", totals->settled);
}

/* A repair that ended well has made all counts exact that it found wrong. */
static bool nothing_is_left(const struct snapper_verify_report *found, bool repair)
{
    struct snapper_verify_report left = *found;

    if (repair)
        left.wrong_rc = 0;
    return snapper_verify_is_clean(&left);
}

enum status verb_verify(struct snapper *snapper, const struct verb_verify *how,
                        struct report *report, bool *clean)
{
    struct verification verification = { report, how->progress, how->context, 0 };
    struct snapper_verify_hooks hooks = { &verification, tell_finding, tell_progress };
    struct snapper_verify_report totals;

    report_list_begin(report, "findings");
    enum status status = how->repair ? snapper_repair(snapper, &hooks, &totals)
                                     : snapper_verify(snapper, &hooks, &totals);
    report_list_end(report);
    if (status != OK)
        return status;
    report_totals(&totals, report);
    *clean = nothing_is_left(&totals, how->repair);
    report_word(report, "snapshots", *clean ? "clean" : "not clean");
    return OK;
}
