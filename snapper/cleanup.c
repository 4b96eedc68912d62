#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

struct cleanup {
    struct snapper *snapper;
    struct generation *generation;
    u64 files;
    bool any; /* is a file of it listed? */
};

static enum status keep_transaction_small(struct cleanup *cleanup)
{
    struct store *store = cleanup->snapper->store;

    if (store->operations->transaction_room(store) >= STORE_STEP_ROOM)
        return OK;
    return store->operations->commit(store);
}

/* Ordinals beyond 32 bits are in no archive, but not of our making either. */
static bool is_listed(const struct cleanup *cleanup, u32 level, u32 number)
{
    u64 ordinal = (u64)level * cleanup->generation->threshold + number;

    if (!cleanup->any)
        return false;
    return ordinal > UINT32_MAX ||
           rc_table_get(&cleanup->snapper->listed, cleanup->generation, (u32)ordinal) > 0;
}

/* Files of ours that nobody lists; anything else stays. */
static enum status clean_level(struct cleanup *cleanup, u32 level, u64 directory)
{
    struct store *store = cleanup->snapper->store;
    struct store_entry entry;
    u64 cursor = 0;
    u32 number;

    for (;;) {
        enum status status =
            store->operations->next_entry(store, directory, &cursor, &entry);
        if (status == ERR_NOT_FOUND)
            return OK;
        if (status != OK)
            return status;
        if (entry.is_directory || !snapshot_file_number(entry.name, &number) ||
            is_listed(cleanup, level, number))
            continue;
        status = keep_transaction_small(cleanup);
        if (status == OK)
            status = store->operations->remove_file(store, directory, entry.name);
        if (status != OK)
            return status;
        cleanup->files++;
    }
}

/* An empty directory goes; one that holds something stays, which is no error. */
static enum status remove_if_empty(struct cleanup *cleanup, u64 parent, const char *name,
                                   bool *removed)
{
    struct store *store = cleanup->snapper->store;

    enum status status = keep_transaction_small(cleanup);
    if (status == OK)
        status = store->operations->remove_directory(store, parent, name);
    *removed = status == OK;
    return status == ERR_NOT_EMPTY || status == ERR_NOT_FOUND ? OK : status;
}

/* From the deepest level up, so that emptied directories can go. */
static enum status clean_chain(struct cleanup *cleanup)
{
    struct generation *generation = cleanup->generation;
    struct store *store = cleanup->snapper->store;
    bool removed;

    enum status status = generation_find_levels(generation, store);
    if (status != OK)
        return status;
    u32 levels = generation->level_count;
    while (levels-- > 0) {
        status = clean_level(cleanup, levels, generation->levels[levels]);
        if (status != OK)
            return status;
        u64 parent = levels == 0 ? generation->node : generation->levels[levels - 1];
        status =
            remove_if_empty(cleanup, parent, levels == 0 ? "snapshot" : "ext", &removed);
        if (status != OK)
            return status;
        if (removed)
            generation->level_count = levels;
    }
    return remove_if_empty(cleanup, cleanup->snapper->home, generation->name.text,
                           &removed);
}

/* Off the record, with the last of the removals. */
static enum status finish(struct cleanup *cleanup)
{
    struct snapper *snapper = cleanup->snapper;
    struct store *store = snapper->store;
    const struct generation_name *name = &cleanup->generation->name;
    struct state_file next;

    enum status status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    if (generation_name_compare(&next.writing, name) == 0)
        next.writing = (struct generation_name){ 0 };
    name_list_remove(&next.purging, name);
    if (store->operations->transaction_room(store) < record_room(snapper, &next))
        status = store->operations->commit(store);
    if (status == OK)
        status = record_commit(snapper, &next);
    state_file_destroy(&next);
    return status;
}

enum status cleanup_generation(struct snapper *snapper, struct generation *generation,
                               u64 *files)
{
    struct cleanup cleanup = { .snapper = snapper, .generation = generation };

    enum status status = snapper_permit_deletion(snapper);
    if (status != OK)
        return status;
    cleanup.any = snapper_lists_any(snapper, generation);
    if (generation->node != 0)
        status = clean_chain(&cleanup);
    if (status == OK)
        status = finish(&cleanup);
    else
        snapper->store->operations->rollback(snapper->store);

    enum status located = generation_locate(generation, snapper->store, snapper->home);
    if (status == OK)
        status = located;
    if (status != OK)
        return status;
    snapper_drop_if_gone(snapper, generation);
    *files = cleanup.files;
    return OK;
}

/* One directory that /snapper.state names; an archive in it means that nothing was cut short. */
static enum status cleanup_named(struct snapper *snapper,
                                 const struct generation_name *name,
                                 struct snapper_cleanup_report *report)
{
    struct generation *generation;
    bool has_archive = false;
    u64 files;

    enum status status = generation_add(&snapper->generations, name, &generation);
    if (status == OK) /* an earlier attempt may have lost sight of it */
        status = generation_locate(generation, snapper->store, snapper->home);
    if (status == OK)
        status = generation_has_archive(generation, snapper->store, &has_archive);
    if (status != OK)
        return status;
    if (has_archive) {
        struct cleanup cleanup = { .snapper = snapper, .generation = generation };
        return finish(&cleanup);
    }
    bool there = generation->node != 0;
    status = cleanup_generation(snapper, generation, &files);
    if (status != OK || !there)
        return status;
    log_info("snapper: %s was incomplete, %lu files removed", name->text, files);
    report->generations++;
    report->files += files;
    return OK;
}

enum status cleanup_all(struct snapper *snapper, struct snapper_cleanup_report *report)
{
    const struct state_file *record = &snapper->record;
    enum status status = OK;

    while (status == OK) {
        struct generation_name name = record->writing;

        if (generation_name_is_empty(&name)) {
            if (record->purging.count == 0)
                break;
            name = record->purging.names[0];
        }
        status = cleanup_named(snapper, &name, report);
    }
    return status;
}

enum status snapper_cleanup(struct snapper *snapper,
                            struct snapper_cleanup_report *report)
{
    *report = (struct snapper_cleanup_report){ 0 };
    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    return cleanup_all(snapper, report);
}
