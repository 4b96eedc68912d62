#include "kernel/base/log.h"
#include "snapper/generation_text.h"
#include "snapper/retention.h"
#include "snapper/select.h"
#include "snapper/verbs.h"

typedef enum status (*deletion)(struct snapper *snapper, const char *name,
                                struct snapper_purge_report *report);

/* "deleted", or in a rehearsal "would have deleted". */
static const char *would(const struct report *report)
{
    return report->rehearsal ? "would have " : "";
}

static enum status delete_one(struct snapper *snapper, const char *name, deletion remove,
                              struct report *report)
{
    struct snapper_purge_report purged;
    char size[24];

    enum status status = remove(snapper, name, &purged);
    if (status == ERR_NOT_FOUND)
        log_error("snapper: %s: there is no such generation (any more)", name);
    if (status != OK)
        return status;
    report_item_begin(report);
    if (report->for_people) {
        size_text(purged.bytes, size, sizeof size);
        report_line(report, "%sdeleted %s: %lu files, %s", would(report), name,
                    purged.files, size);
    } else {
        report_word(report, "name", name);
        report_number(report, "files", purged.files);
        report_size(report, "bytes", purged.bytes);
    }
    report_item_end(report);
    return OK;
}

/* What `latest` means must not change while generations go. */
static enum status delete_all(struct snapper *snapper, const char *const *which,
                              size_t count, deletion remove, struct report *report)
{
    struct generation_name *names = port_alloc(count * sizeof *names);
    enum status status = names ? OK : ERR_NO_MEMORY;

    for (size_t i = 0; i < count && status == OK; i++)
        status = snapper_select(snapper, which[i], &names[i]);
    report_list_begin(report, "deleted");
    for (size_t i = 0; i < count && status == OK; i++)
        status = delete_one(snapper, names[i].text, remove, report);
    report_list_end(report);
    port_free(names);
    return status;
}

enum status verb_delete(struct snapper *snapper, const char *const *which, size_t count,
                        struct report *report)
{
    return delete_all(snapper, which, count, purge, report);
}

enum status verb_delete_forced(struct snapper *snapper, const char *const *which,
                               size_t count, struct report *report)
{
    return delete_all(snapper, which, count, purge_forced, report);
}

enum status verb_cleanup(struct snapper *snapper, struct report *report)
{
    struct snapper_cleanup_report crashed;
    struct snapper_purge_report purged = { 0 };
    struct snapper_zombie_report zombies = { 0 };
    char size[24];

    enum status status = snapper_cleanup(snapper, &crashed);
    if (status == OK)
        status = purge_expired(snapper, &purged);
    if (status == OK)
        status = purge_zombies(snapper, &zombies);
    if (status != OK)
        return status;
    if (report->for_people) {
        size_text(purged.bytes, size, sizeof size);
        report_line(report, "%sdeleted by rule: %u generations, %lu files, %s",
                    would(report), purged.generations, purged.files, size);
        report_line(report, "%sfinished after a crash: %u generations, %lu files",
                    would(report), crashed.generations, crashed.files);
        report_line(
            report,
            "%sdeleted as zombies: %lu files in %u directories without an archive",
            would(report), zombies.files, zombies.directories);
        return OK;
    }
    report_number(report, "expired", purged.generations);
    report_number(report, "expired_files", purged.files);
    report_size(report, "expired_bytes", purged.bytes);
    report_number(report, "unfinished", crashed.generations);
    report_number(report, "unfinished_files", crashed.files);
    report_number(report, "zombie_directories", zombies.directories);
    report_number(report, "zombie_files", zombies.files);
    return OK;
}

/* --- marks --- */

static enum status mark(struct snapper *snapper, const char *which,
                        enum status (*set)(struct snapper *snapper, const char *name),
                        const char *words, const char *key, struct report *report)
{
    struct generation_name name;

    enum status status = snapper_select(snapper, which, &name);
    if (status == OK)
        status = set(snapper, name.text);
    if (status != OK)
        return status;
    if (report->for_people)
        report_line(report, "%s%s %s", would(report), words, name.text);
    else
        report_word(report, key, name.text);
    return OK;
}

enum status verb_pin(struct snapper *snapper, const char *which, struct report *report)
{
    return mark(snapper, which, snapper_pin, "pinned", "pinned", report);
}

static enum status unpin_named(struct snapper *snapper, const char *name)
{
    enum status status = snapper_unpin(snapper, name);

    if (status == ERR_NOT_FOUND)
        log_error("snapper: %s is not pinned", name);
    return status;
}

enum status verb_unpin(struct snapper *snapper, const char *which, struct report *report)
{
    return mark(snapper, which, unpin_named, "unpinned", "unpinned", report);
}

enum status verb_rollback(struct snapper *snapper, const char *which,
                          struct report *report)
{
    return mark(snapper, which, snapper_rollback, "rolled back to", "target", report);
}
