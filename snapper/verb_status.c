#include "snapper/generation_text.h"
#include "snapper/session.h"
#include "snapper/usage.h"
#include "snapper/verbs.h"

static void report_space(const struct store_space *space,
                         const struct snapper_config *config, struct report *report)
{
    report_size(report, "disk", space->total_blocks * space->block_size);
    report_size(report, "free", space->free_blocks * space->block_size);
    report_size(report, "reserve",
                space->total_blocks / 100 * config->reserve * space->block_size);
    report_number(report, "free_files", space->free_nodes);
}

static bool is_of_damage(enum status status)
{
    return status == ERR_CORRUPT || status == ERR_UNSUPPORTED;
}

/* Without one of the archives nobody knows what is shared. */
static enum status report_unreadable(struct snapper *snapper, struct report *report,
                                     u64 *unreadable)
{
    *unreadable = 0;
    for (size_t i = 0; i < snapper_generation_count(snapper); i++) {
        struct snapper_generation_info info;

        enum status status = snapper_generation_info(snapper, i, &info);
        if (status != OK)
            return status;
        *unreadable += info.status != OK;
    }
    report_number(report, "unreadable_archives", *unreadable);
    return OK;
}

/* What each would free: the answer to "which one shall I delete". */
static enum status report_generations(struct snapper *snapper, struct report *report)
{
    report_list_begin(report, "would_free");
    for (size_t i = 0; i < snapper_generation_count(snapper); i++) {
        struct snapper_generation_info info;
        struct snapper_usage usage;
        char size[24];

        enum status status = snapper_generation_info(snapper, i, &info);
        if (status == OK)
            status = snapper_usage(snapper, &info.name, &usage);
        if (status != OK)
            return status;
        report_item_begin(report);
        if (report->for_people) {
            size_text(usage.exclusive_bytes, size, sizeof size);
            report_line(report, "would free: %s %10s in %lu files%s", info.name.text,
                        size, usage.exclusive_files, info.pinned ? ", pinned" : "");
        } else {
            report_word(report, "name", info.name.text);
            report_size(report, "bytes", usage.exclusive_bytes);
            report_number(report, "files", usage.exclusive_files);
        }
        report_item_end(report);
    }
    report_list_end(report);
    return OK;
}

enum status verb_status(struct snapper *snapper, struct report *report)
{
    struct generation_name current = snapper_current(snapper);
    struct generation_name target = snapper_target(snapper);
    struct snapper_total_usage total;
    struct store_space space;

    snapper->store->operations->space(snapper->store, &space);
    report_number(report, "generations", snapper_generation_count(snapper));
    report_word(report, "current", current.text);
    report_word(report, "rollback_target", target.text);
    u64 unreadable;
    enum status status = report_unreadable(snapper, report, &unreadable);
    if (status != OK)
        return status;
    bool settled = unreadable == 0 && snapper_is_settled(snapper);
    report_word(report, "reference_counts", settled ? "settled" : "to settle");
    report_space(&space, snapper->config, report);
    status = snapper_total_usage(snapper, &total);
    if (is_of_damage(status) && unreadable > 0) {
        report_word(report, "snapshots", "unknown: an archive cannot be read");
        return OK;
    }
    if (status != OK)
        return status;
    report_size(report, "snapshots", total.file_bytes + total.archive_bytes);
    report_size(report, "snapshot_files_bytes", total.file_bytes);
    report_number(report, "snapshot_files", total.files);
    report_size(report, "archives", total.archive_bytes);
    return report_generations(snapper, report);
}
