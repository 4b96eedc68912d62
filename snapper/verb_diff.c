#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/diff.h"
#include "snapper/object_id.h"
#include "snapper/select.h"
#include "snapper/verbs.h"

enum { ROW = 16 }; /* bytes in a line of a dump */

/* Counts of one space, which is complete when the next one begins. */
struct space_counts {
    u64 space;
    u64 of[3]; /* by enum snapper_change */
    bool any;
};

struct difference_report {
    struct report *report;
    bool summary;
    struct space_counts counts;
};

static const char *const change_texts[] = { "added", "changed", "removed" };

bool verb_parse_id(const char *text, u64 *id)
{
    char space_text[24];
    const char *colon = strchr(text, ':');
    u64 space, page;

    if (colon == NULL)
        return text_to_u64(text, id);
    if ((size_t)(colon - text) >= sizeof space_text)
        return false;
    memcpy(space_text, text, (size_t)(colon - text));
    space_text[colon - text] = '\0';
    if (!text_to_u64(space_text, &space) || !text_to_u64(colon + 1, &page) ||
        space >> (64 - OBJECT_PAGE_BITS) != 0 || page >> OBJECT_PAGE_BITS != 0)
        return false;
    *id = object_id(space, page);
    return true;
}

/* --- which --- */

static void tell_counts(struct difference_report *difference)
{
    struct report *report = difference->report;
    const struct space_counts *counts = &difference->counts;

    if (!counts->any)
        return;
    report_item_begin(report);
    if (report->for_people) {
        report_line(report, "space %lu: %lu added, %lu changed, %lu removed",
                    counts->space, counts->of[CHANGE_ADDED], counts->of[CHANGE_CHANGED],
                    counts->of[CHANGE_REMOVED]);
    } else {
        report_number(report, "space", counts->space);
        for (size_t i = 0; i < ARRAY_LENGTH(counts->of); i++)
            report_number(report, change_texts[i], counts->of[i]);
    }
    report_item_end(report);
}

static void count(struct difference_report *difference,
                  const struct snapper_difference *found)
{
    struct space_counts *counts = &difference->counts;
    u64 space = object_space(found->first_id);

    if (counts->any && counts->space != space) {
        tell_counts(difference);
        *counts = (struct space_counts){ 0 };
    }
    counts->any = true;
    counts->space = space;
    counts->of[found->change] += found->count;
}

static void tell_range(struct report *report, const struct snapper_difference *found)
{
    u64 first = object_page(found->first_id);

    report_item_begin(report);
    if (report->for_people) {
        report_line(report, "%s: space %lu, pages %lu to %lu",
                    change_texts[found->change], object_space(found->first_id), first,
                    first + found->count - 1);
    } else {
        report_word(report, "change", change_texts[found->change]);
        report_number(report, "space", object_space(found->first_id));
        report_number(report, "first", first);
        report_number(report, "count", found->count);
    }
    report_item_end(report);
}

static enum status tell(void *context, const struct snapper_difference *found)
{
    struct difference_report *difference = context;

    if (difference->summary)
        count(difference, found);
    else
        tell_range(difference->report, found);
    return OK;
}

static enum status diff(struct snapper *snapper, const char *a, const char *b,
                        struct difference_report *difference)
{
    struct report *report = difference->report;
    struct generation_name from, to;
    struct snapper_diff_report totals;

    enum status status = snapper_select(snapper, a, &from);
    if (status == OK)
        status = snapper_select(snapper, b, &to);
    if (status != OK)
        return status;
    report_list_begin(report, "differences");
    status = snapper_diff(snapper, from.text, to.text, tell, difference, &totals);
    tell_counts(difference);
    report_list_end(report);
    if (status != OK)
        return status;
    report_word(report, "from", from.text);
    report_word(report, "to", to.text);
    report_number(report, "added", totals.added);
    report_number(report, "changed", totals.changed);
    report_number(report, "removed", totals.removed);
    report_number(report, "same", totals.same);
    return OK;
}

enum status verb_diff(struct snapper *snapper, const char *a, const char *b,
                      struct report *report)
{
    struct difference_report difference = { .report = report };

    return diff(snapper, a, b, &difference);
}

enum status verb_diff_summary(struct snapper *snapper, const char *a, const char *b,
                              struct report *report)
{
    struct difference_report difference = { .report = report, .summary = true };

    return diff(snapper, a, b, &difference);
}

/* --- one object, byte by byte --- */

struct content {
    u8 *data;
    size_t size;
};

static u64 size_of(const struct snapper_view *view, u64 id)
{
    struct snapper_run run;
    u64 cursor = 0;

    while (view_next_run(view, &cursor, &run) == OK)
        if (id >= run.first_id && id - run.first_id < run.count)
            return run.size_bytes;
    return 0;
}

/* An object that the generation does not have is empty. */
static enum status read_content(struct snapper *snapper, const char *which, u64 id,
                                struct content *content)
{
    struct generation_name name;
    struct snapper_view *view;

    enum status status = snapper_select(snapper, which, &name);
    if (status == OK)
        status = view_open(snapper, name.text, &view);
    if (status != OK)
        return status;
    u64 size = size_of(view, id);
    content->data = port_alloc((size_t)size);
    if (content->data == NULL)
        status = ERR_NO_MEMORY;
    else if (size > 0)
        status = view_restore(view, content->data, (size_t)size, id, &content->size);
    view_close(view);
    return status;
}

static void dump_row(struct report *report, const char *sign,
                     const struct content *content, size_t at)
{
    char text[3 * ROW + 1] = "";

    for (size_t i = 0; i < ROW && at + i < content->size; i++)
        format_text(text + 3 * i, sizeof text - 3 * i, " %02x", content->data[at + i]);
    if (report->for_people)
        report_line(report, "%s %06zx %s", sign, at, text);
    else
        report_word(report, sign, at < content->size ? text + 1 : "");
}

static bool rows_differ(const struct content *a, const struct content *b, size_t at)
{
    for (size_t i = at; i < at + ROW; i++) {
        bool in_a = i < a->size, in_b = i < b->size;
        if (in_a != in_b || (in_a && a->data[i] != b->data[i]))
            return true;
    }
    return false;
}

static void dump(struct report *report, const struct content *a, const struct content *b)
{
    size_t end = a->size > b->size ? a->size : b->size;
    u64 rows = 0;

    report_list_begin(report, "rows");
    for (size_t at = 0; at < end; at += ROW) {
        if (!rows_differ(a, b, at))
            continue;
        rows++;
        report_item_begin(report);
        if (!report->for_people)
            report_number(report, "offset", at);
        if (at < a->size)
            dump_row(report, "-", a, at);
        if (at < b->size)
            dump_row(report, "+", b, at);
        report_item_end(report);
    }
    report_list_end(report);
    report_number(report, "rows_differ", rows);
}

enum status verb_diff_page(struct snapper *snapper, const char *a, const char *b, u64 id,
                           struct report *report)
{
    struct content from = { 0 }, to = { 0 };

    enum status status = read_content(snapper, a, id, &from);
    if (status == OK)
        status = read_content(snapper, b, id, &to);
    if (status == OK && from.size == 0 && to.size == 0) {
        log_error("snapper: neither generation has an object 0x%lx", id);
        status = ERR_NOT_FOUND;
    }
    if (status == OK)
        dump(report, &from, &to);
    port_free(from.data);
    port_free(to.data);
    return status;
}
