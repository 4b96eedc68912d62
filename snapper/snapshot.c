#include "kernel/base/crc.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/pending.h"

enum status init_snapshot(struct snapper *snapper, const char *base)
{
    struct creation *creation = &snapper->creation;
    struct generation *parent = NULL;
    struct store_space space;

    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    snapper->store->operations->space(snapper->store, &space);
    if (space.read_only)
        return ERR_READ_ONLY;
    enum status status = snapper_find(snapper, base, &parent);
    if (status == ERR_NOT_FOUND && base == NULL)
        status = OK; /* a line of history begins here */
    if (status == OK && parent != NULL)
        status = snapper_load_mapping(snapper, parent, &creation->base);
    if (status != OK)
        return status;
    creation->parent = parent;
    if (parent != NULL)
        parent->views++; /* purging for space must not take it */
    map_init(&creation->index);
    snapper->state = SNAPPER_CREATION;
    snapper_trace(snapper, "snapper: a snapshot begins, based on %s",
                  parent != NULL ? parent->name.text : "nothing");
    return OK;
}

/* Equal checksums prove nothing: the bytes decide (spec 3.2). A bad copy is not an equal one. */
static enum status is_unchanged(struct snapper *snapper, const void *payload, size_t size,
                                u64 id, u32 crc, bool *unchanged)
{
    struct mapping_run *runs;
    u32 known;

    *unchanged = false;
    if (snapper->creation.base == NULL ||
        mapping_find(snapper->creation.base, id, &runs) == 0 || runs->object_size != size)
        return OK;
    if (object_newest_crc(snapper, runs, id, &known) != OK || known != crc)
        return OK;
    void *stored = port_alloc(size);
    if (stored == NULL)
        return ERR_NO_MEMORY;
    enum status status = object_read_copy(snapper, runs, id, stored);
    if (status == OK)
        *unchanged = size == 0 || memcmp(stored, payload, size) == 0;
    port_free(stored);
    return status == ERR_NO_MEMORY ? status : OK;
}

enum status take_snapshot(struct snapper *snapper, const void *payload, size_t size,
                          u64 id)
{
    struct pending entry = { .id = id, .payload = payload };
    bool unchanged;

    if (snapper->state != SNAPPER_CREATION)
        return ERR_INVALID_STATE;
    if (size > snapper->config->bufsize || size > UINT32_MAX) {
        log_error("snapper: object 0x%lx: %zu bytes, bufsize is %lu", id, size,
                  snapper->config->bufsize);
        return ERR_TOO_LARGE;
    }
    entry.size = (u32)size;
    entry.crc = crc32(payload, size);
    enum status status = is_unchanged(snapper, payload, size, id, entry.crc, &unchanged);
    if (status != OK)
        return status;
    entry.kind = unchanged ? PENDING_UNCHANGED : PENDING_NEW;
    return pending_set(&snapper->creation, &entry);
}

enum status forget(struct snapper *snapper, u64 id)
{
    struct pending entry = { .id = id, .kind = PENDING_FORGOTTEN };
    struct mapping_run *runs;

    if (snapper->state != SNAPPER_CREATION)
        return ERR_INVALID_STATE;
    const struct pending *known = pending_find(&snapper->creation, id);
    bool exists = known != NULL ? known->kind != PENDING_FORGOTTEN
                                : snapper->creation.base != NULL &&
                                      mapping_find(snapper->creation.base, id, &runs) > 0;
    if (!exists)
        return ERR_NOT_FOUND;
    return pending_set(&snapper->creation, &entry);
}

static void count_pending(const struct creation *creation,
                          struct snapper_commit_report *report)
{
    for (size_t at = 0; at < creation->count; at++) {
        enum pending_kind kind = creation->pending[at].kind;
        bool own_copy = kind == PENDING_COPY && creation->pending[at].owned;

        report->taken += kind != PENDING_FORGOTTEN && !own_copy;
        report->unchanged +=
            kind == PENDING_UNCHANGED || (kind == PENDING_COPY && !own_copy);
        report->copies += kind == PENDING_COPY;
        report->files_written += kind == PENDING_NEW || kind == PENDING_COPY;
    }
}

/* The generation is made, whatever becomes of older ones. */
static u32 apply_rules(struct snapper *snapper, const struct generation_name *passed)
{
    struct snapper_purge_report report;

    enum status status = purge_expired(snapper, &report);
    if (status == OK)
        status = retention_drop(snapper, passed, &report);
    if (status != OK)
        log_warning("snapper: old generations stay: %s", status_text(status));
    return report.generations;
}

enum status commit_snapshot(struct snapper *snapper, const char *description,
                            struct snapper_commit_report *report)
{
    struct snapper_commit_report result = { 0 };
    struct snapper_purge_report purged = { 0 };
    struct generation_name passed = { 0 };
    struct generation *generation;
    struct mapping *mapping;

    if (snapper->state != SNAPPER_CREATION)
        return ERR_INVALID_STATE;
    if (description == NULL)
        description = "";
    if (snapper->creation.passing)
        passed = snapper->record.passing;
    enum status status =
        strlen(description) > ARCHIVE_DESCRIPTION_MAX ? ERR_TOO_LARGE : OK;
    if (status == OK)
        status = redundancy_plan(snapper);
    if (status == OK) {
        pending_sort(&snapper->creation);
        status = space_prepare(snapper, &purged);
    }
    if (status == OK) {
        result.purged = purged.generations;
        count_pending(&snapper->creation, &result);
        status = snapshot_write(snapper, description, &result, &mapping, &generation);
    }
    creation_clear(&snapper->creation);
    snapper->state = SNAPPER_DORMANT;
    if (status == ERR_TRANSACTION_FULL)
        log_error("snapper: no generation: the journal is too small for one file of it");
    if (status != OK)
        return status;

    session_descend(snapper, generation, mapping);
    result.name = generation->name;
    result.objects = mapping->objects;
    snapper_trace(snapper,
                  "snapper: %s committed: %lu objects, %lu files, %lu copies, %u "
                  "transactions",
                  result.name.text, result.objects, result.files_written, result.copies,
                  result.transactions);
    result.purged += apply_rules(snapper, &passed);
    *report = result;
    return OK;
}

enum status abort_snapshot(struct snapper *snapper)
{
    if (snapper->state != SNAPPER_CREATION)
        return ERR_INVALID_STATE;
    creation_clear(&snapper->creation);
    snapper->state = SNAPPER_DORMANT;
    return OK;
}
