#include "snapper/verify.h"

#include "kernel/base/checked.h"
#include "snapper/audit.h"

static bool is_unreadable(enum status status)
{
    return status == ERR_CORRUPT || status == ERR_UNSUPPORTED || status == ERR_IO;
}

static void tell_unreadable(struct audit *audit, const struct generation *generation,
                            enum status status)
{
    audit->report->unreadable++;
    audit_tell(audit, &(struct snapper_finding){ .kind = FINDING_ARCHIVE,
                                                 .generation = generation->name,
                                                 .status = status });
}

static enum status verify_generation(struct audit *audit, struct generation *generation)
{
    struct snapper *snapper = audit->snapper;
    struct mapping *mapping;
    bool has_archive;

    enum status status = generation_has_archive(generation, snapper->store, &has_archive);
    if (status == OK && !has_archive)
        return OK;
    if (status == OK) /* from the disk, also if it is in memory */
        status = snapper_read_mapping(snapper, generation, &mapping);
    if (is_unreadable(status)) {
        tell_unreadable(audit, generation, status);
        return OK;
    }
    if (status != OK)
        return status;
    status = verify_mapping(audit, generation, mapping);
    mapping_release(mapping);
    return status;
}

static enum status report_progress(const struct audit *audit, u64 done, u64 total)
{
    const struct snapper_verify_hooks *hooks = audit->hooks;
    u64 before = audit->snapper->changes;

    if (hooks == NULL || hooks->progress == NULL)
        return OK;
    if (!hooks->progress(hooks->context, done, total))
        return ERR_INTERRUPTED;
    return audit->snapper->changes == before ? OK : ERR_BUSY;
}

/*
 * The newest first: a repair then heals with the copies that only newer archives list, before older
 * ones miss them. The list may grow under it, by dead generations.
 */
static enum status verify_generations(struct audit *audit)
{
    const struct generation_list *list = &audit->snapper->generations;

    for (size_t at = list->count; at > 0; at--) {
        struct generation *generation = list->items[at - 1];

        enum status status = verify_generation(audit, generation);
        at = generation_position(list, &generation->name) + 1;
        if (status == OK)
            status = report_progress(audit, list->count - at + 1, list->count);
        if (status != OK)
            return status;
    }
    return OK;
}

/* While an archive is unreadable nobody knows what it lists. */
static enum status verify_directories(struct audit *audit)
{
    const struct generation_list *list = &audit->snapper->generations;
    enum status status = OK;

    for (size_t at = 0; at < list->count && status == OK; at++)
        if (audit->report->unreadable == 0)
            status = verify_directory(audit, list->items[at]);
    return status;
}

static void verify_counts(struct audit *audit, const struct generation *generation)
{
    const struct audit_block *block =
        map_get_pointer(&audit->blocks, (u64)(uintptr_t)generation);

    for (u32 ordinal = 0; block != NULL && ordinal < block->capacity; ordinal++) {
        const struct audit_file *file = &block->files[ordinal];

        if (file->listed == 0 || file->status != OK || file->healed ||
            file->rc == min_u64(file->listed, UINT8_MAX))
            continue;
        audit->report->wrong_rc++;
        audit_tell(audit, &(struct snapper_finding){ .kind = FINDING_RC,
                                                     .generation = generation->name,
                                                     .count = file->listed,
                                                     .ordinal = ordinal,
                                                     .repaired = audit->repair });
    }
}

static enum status run(struct audit *audit)
{
    struct snapper *snapper = audit->snapper;
    struct snapper_verify_report *report = audit->report;
    bool settled = snapper_is_settled(snapper); /* now: a repair unsettles */

    *report = (struct snapper_verify_report){ 0 };
    enum status status = verify_generations(audit);
    if (status == OK)
        status = verify_directories(audit);
    report->settled = report->unreadable == 0 && settled;
    for (size_t at = 0; at < snapper->generations.count && status == OK; at++)
        if (report->settled)
            verify_counts(audit, snapper->generations.items[at]);
    audit_destroy(audit);
    return status;
}

enum status snapper_verify(struct snapper *snapper,
                           const struct snapper_verify_hooks *hooks,
                           struct snapper_verify_report *report)
{
    struct audit audit = { .snapper = snapper, .hooks = hooks, .report = report };

    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    return run(&audit);
}

/* What the record says of counts has been seen to be wrong. */
static enum status settle_anew(struct snapper *snapper)
{
    struct state_file next;
    u64 changed;

    snapper_forget_settling(snapper);
    enum status status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    name_list_clear(&next.settled);
    status = record_commit(snapper, &next);
    state_file_destroy(&next);
    return status == OK ? snapper_settle(snapper, &changed) : status;
}

enum status snapper_repair(struct snapper *snapper,
                           const struct snapper_verify_hooks *hooks,
                           struct snapper_verify_report *report)
{
    struct audit audit = {
        .snapper = snapper, .hooks = hooks, .report = report, .repair = true
    };
    struct snapper_zombie_report zombies;

    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    enum status status = run(&audit);
    if (status == OK && report->unreadable == 0 &&
        report->orphans + report->incomplete > 0)
        status = purge_zombies(snapper, &zombies);
    if (status == OK && report->unreadable == 0 &&
        report->wrong_rc + report->repaired > 0)
        status = settle_anew(snapper);
    /* ERR_READ_ONLY, perhaps, and that after a failure, which is the cause */
    return status != OK && audit.unhealed != OK ? audit.unhealed : status;
}
