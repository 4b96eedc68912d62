#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/generation_text.h"
#include "snapper/object_id.h"
#include "snapper/retention.h"
#include "snapper/select.h"
#include "snapper/usage.h"
#include "snapper/verbs.h"

enum { RUNS_SHOWN = 16 }; /* to people */

/* --- what list and show have in common --- */

static void report_info(const struct snapper_generation_info *info, struct report *report)
{
    report_word(report, "name", info->name.text);
    report_number(report, "time", info->time);
    report_word(report, "archive", info->status ? status_text(info->status) : "good");
    report_flag(report, "pinned", info->pinned);
    if (info->status != OK)
        return;
    report_word(report, "parent", info->parent.text);
    report_number(report, "pages", info->objects);
    report_number(report, "files", info->files_written);
    report_word(report, "description", info->description);
}

static void report_usage(const struct snapper_usage *usage, struct report *report)
{
    report_size(report, "exclusive", usage->exclusive_bytes);
    report_size(report, "shared", usage->shared_bytes);
}

/* --- list --- */

static void list_one(const struct snapper_generation_info *info,
                     const struct snapper_usage *usage, struct report *report)
{
    char line[GENERATION_LINE_MAX];

    if (report->for_people) {
        generation_line(info, usage, port_now_microseconds(), line, sizeof line);
        report->operations->line(report, line);
        return;
    }
    report_item_begin(report);
    report_info(info, report);
    if (usage != NULL)
        report_usage(usage, report);
    report_item_end(report);
}

enum status verb_list(struct snapper *snapper, struct report *report)
{
    char line[GENERATION_LINE_MAX];
    bool usage_known = true;

    generation_heading(line, sizeof line);
    report->operations->line(
        report, snapper_generation_count(snapper) > 0 ? line : "no generations");
    report_list_begin(report, "generations");
    /* One that could not be looked at before, and so was counted, may turn out to be none. */
    for (size_t i = 0; i < snapper_generation_count(snapper); i++) {
        struct snapper_generation_info info;
        struct snapper_usage usage;

        enum status status = snapper_generation_info(snapper, i, &info);
        if (status != OK)
            return status;
        usage_known = usage_known && snapper_usage(snapper, &info.name, &usage) == OK;
        list_one(&info, usage_known ? &usage : NULL, report);
    }
    report_list_end(report);
    return OK;
}

/* --- show --- */

enum status verb_find(struct snapper *snapper, const char *which,
                      struct snapper_generation_info *info)
{
    struct generation_name name;

    enum status status = snapper_select(snapper, which, &name);
    if (status != OK)
        return status;
    for (size_t i = 0; i < snapper_generation_count(snapper); i++) {
        status = snapper_generation_info(snapper, i, info);
        if (status != OK || generation_name_compare(&info->name, &name) == 0)
            return status;
    }
    return ERR_NOT_FOUND;
}

static void show_run(const struct snapper_run *run, struct report *report)
{
    u64 first = object_page(run->first_id);

    report_item_begin(report);
    if (report->for_people) {
        report_line(report, "run: space %lu, pages %lu to %lu, %lu bytes each",
                    object_space(run->first_id), first, first + run->count - 1,
                    run->size_bytes);
    } else {
        report_number(report, "space", object_space(run->first_id));
        report_number(report, "first", first);
        report_number(report, "count", run->count);
        report_number(report, "bytes_each", run->size_bytes);
    }
    report_item_end(report);
}

static enum status show_runs(struct snapper *snapper, const char *name,
                             struct report *report)
{
    struct snapper_view *view;
    struct snapper_run run;
    u64 cursor = 0, runs = 0;

    enum status status = view_open(snapper, name, &view);
    if (status != OK)
        return status;
    report_list_begin(report, "runs");
    for (; view_next_run(view, &cursor, &run) == OK; runs++)
        if (!report->for_people || runs < RUNS_SHOWN)
            show_run(&run, report);
    if (runs > RUNS_SHOWN)
        report_line(report, "run: %lu more", runs - RUNS_SHOWN);
    report_list_end(report);
    view_close(view);
    return OK;
}

enum status verb_show(struct snapper *snapper, const char *which, struct report *report)
{
    struct snapper_generation_info info;
    struct snapper_usage usage;

    enum status status = verb_find(snapper, which, &info);
    if (status != OK)
        return status;
    report_info(&info, report);
    if (info.status != OK)
        return info.status;
    report_size(report, "archive_bytes", info.archive_bytes);
    if (snapper_usage(snapper, &info.name, &usage) == OK)
        report_usage(&usage, report);
    return show_runs(snapper, info.name.text, report);
}

/* --- config --- */

void verb_config(const struct snapper_config *config,
                 const struct snapper_config_sources *sources, struct report *report)
{
    static const char *const names[] = { "default", "/snapper.conf", "command line" };

    report_list_begin(report, "config");
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        char value[64];

        config_value_text(config, i, value, sizeof value);
        report_item_begin(report);
        if (report->for_people) {
            report_line(report, "%s = %s (%s)", config_key_name(i), value,
                        names[sources->of[i]]);
        } else {
            report_word(report, "key", config_key_name(i));
            report_word(report, "value", value);
            report_word(report, "source", names[sources->of[i]]);
        }
        report_item_end(report);
    }
    report_list_end(report);
}
