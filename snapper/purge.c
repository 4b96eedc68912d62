#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

/*
 * A purge on its way:
 *
 *   archive removed -> files that nobody lists any more -> empty directories -> commit    (R1, R2)
 *
 * If that is too much for one transaction it is committed in parts, the first of which names in
 * /snapper.state every directory that files are removed from.
 */
struct purging {
    struct snapper *snapper;
    struct generation *generation;
    struct mapping *mapping;  /* of the archive; NULL: it cannot be read */
    struct state_file record; /* as it will be */
    bool record_changes;
    u32 parts; /* committed */
    struct snapper_purge_report removed;
};

static const struct store_operations *operations_of(const struct purging *purging)
{
    return purging->snapper->store->operations;
}

/* Directories of other, dead generations: only there can files die with this archive. */
static bool is_dead(const struct generation *generation)
{
    return generation->node != 0 && generation->looked_up && !generation->has_archive;
}

/* Puts all directories concerned on the record; it is written if there is more than one part. */
static enum status name_directories(struct purging *purging)
{
    const struct mapping *mapping = purging->mapping;
    struct name_list *names = &purging->record.purging;

    enum status status = name_list_add(names, &purging->generation->name);
    for (size_t at = 0; at < mapping->count && status == OK; at++)
        if (is_dead(mapping->runs[at].generation))
            status = name_list_add(names, &mapping->runs[at].generation->name);
    return status;
}

/* Of an archive that cannot be read: any dead directory may hold files that it alone listed. */
static enum status name_all_directories(struct purging *purging)
{
    const struct generation_list *list = &purging->snapper->generations;
    struct name_list *names = &purging->record.purging;

    enum status status = name_list_add(names, &purging->generation->name);
    for (size_t at = 0; at < list->count && status == OK; at++) {
        bool has_archive;

        status = generation_has_archive(list->items[at], purging->snapper->store,
                                        &has_archive);
        if (status == OK && is_dead(list->items[at]))
            status = name_list_add(names, &list->items[at]->name);
    }
    return status;
}

static enum status commit_part(struct purging *purging)
{
    struct state_file next;

    if (purging->parts++ > 0)
        return operations_of(purging)->commit(purging->snapper->store);
    purging->record_changes = true;
    enum status status = state_file_copy(&purging->record, &next);
    if (status == OK) {
        status = record_commit(purging->snapper, &next);
        state_file_destroy(&next);
    }
    return status;
}

static enum status make_room(struct purging *purging)
{
    u64 needed = STORE_STEP_ROOM + record_room(purging->snapper, &purging->record);

    if (operations_of(purging)->transaction_room(purging->snapper->store) >= needed)
        return OK;
    return commit_part(purging);
}

/* A file that is not there is one that need not be removed. */
static enum status remove_file(struct purging *purging, const struct mapping_run *run,
                               u32 ordinal)
{
    struct store *store = purging->snapper->store;
    struct generation *generation = run->generation;
    char name[SNAPSHOT_NAME_SIZE];
    u64 directory;

    enum status status = make_room(purging);
    if (status == OK)
        status = generation_level(generation, store, ordinal / generation->threshold,
                                  &directory);
    if (status == OK) {
        snapshot_file_name(ordinal % generation->threshold, name);
        status = store->operations->remove_file(store, directory, name);
    }
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status != OK)
        return status;
    generation->touched = true;
    purging->removed.files++;
    purging->removed.bytes += run->object_size;
    return OK;
}

static enum status remove_files(struct purging *purging)
{
    const struct mapping *mapping = purging->mapping;
    const struct rc_table *listed = &purging->snapper->listed;

    for (size_t at = 0; at < mapping->count; at++) {
        const struct mapping_run *run = &mapping->runs[at];

        for (u32 i = 0; i < run->count; i++) {
            u32 ordinal = run->first_ordinal + i;
            if (rc_table_get(listed, run->generation, ordinal) > 0)
                continue;
            enum status status = remove_file(purging, run, ordinal);
            if (status != OK)
                return status;
        }
    }
    return OK;
}

/* From the deepest level up, as far as they are empty; then the generation's own. */
static enum status remove_directories(struct purging *purging,
                                      struct generation *generation)
{
    struct snapper *snapper = purging->snapper;
    struct store *store = snapper->store;

    enum status status = generation_find_levels(generation, store);
    if (status != OK)
        return status;
    u32 levels = generation->level_count;
    for (; levels > 0 && status == OK; levels--) {
        u64 parent = levels == 1 ? generation->node : generation->levels[levels - 2];
        status = make_room(purging);
        if (status == OK)
            status = store->operations->remove_directory(
                store, parent, levels == 1 ? "snapshot" : "ext");
    }
    if (status == OK)
        status = make_room(purging);
    if (status == OK)
        status = store->operations->remove_directory(store, snapper->home,
                                                     generation->name.text);
    return status == ERR_NOT_EMPTY ? OK : status;
}

/* The generation's own directory also if no file of it died: there may be none. */
static enum status remove_empty_directories(struct purging *purging)
{
    struct generation_list *list = &purging->snapper->generations;
    enum status status = OK;

    purging->generation->touched = true;
    for (size_t at = 0; at < list->count && status == OK; at++)
        if (list->items[at]->touched)
            status = remove_directories(purging, list->items[at]);
    return status;
}

/* What was settled counted this archive, and nobody can say any more which files it listed. */
static void unsettle(struct purging *purging)
{
    struct state_file *record = &purging->record;

    if (!name_list_contains(&record->settled, &purging->generation->name))
        return;
    name_list_clear(&record->settled);
    purging->record_changes = true;
}

/* B2 of boots.h: without the newest another one is resumed. */
static void uncount_boots(struct purging *purging)
{
    if (purging->record.boots == 0 ||
        purging->generation != retention_newest(purging->snapper))
        return;
    purging->record.boots = 0;
    purging->record_changes = true;
}

static enum status remove_archive(struct purging *purging)
{
    unsettle(purging);
    uncount_boots(purging);
    enum status status = make_room(purging);
    if (status == OK)
        status = operations_of(purging)->remove_file(
            purging->snapper->store, purging->generation->node, "archive");
    return status;
}

static enum status finish(struct purging *purging)
{
    if (purging->record_changes)
        return record_commit(purging->snapper, &purging->record);
    return operations_of(purging)->commit(purging->snapper->store);
}

static enum status remove_all(struct purging *purging)
{
    enum status status = remove_archive(purging);
    if (status == OK)
        status = remove_files(purging);
    if (status == OK)
        status = remove_empty_directories(purging);
    if (status != OK)
        return status;
    name_list_clear(&purging->record.purging);
    return finish(purging);
}

/* Where the directories are now, whatever became of the transaction. */
static enum status look_again(struct snapper *snapper)
{
    enum status result = OK;

    for (size_t at = 0; at < snapper->generations.count; at++) {
        struct generation *generation = snapper->generations.items[at];

        if (!generation->touched)
            continue;
        generation->touched = false;
        enum status status = generation_locate(generation, snapper->store, snapper->home);
        if (status != OK)
            result = status;
    }
    return result;
}

/* Only while it is known what all archives list. */
static void drop_gone(struct snapper *snapper)
{
    if (snapper_count_listed(snapper) != OK)
        return;
    for (size_t at = snapper->generations.count; at > 0; at--)
        snapper_drop_if_gone(snapper, snapper->generations.items[at - 1]);
}

/* Ends a purge: what failed is rolled back, as far as it was not committed in parts. */
static enum status end(struct purging *purging, enum status status,
                       struct snapper_purge_report *report)
{
    struct snapper *snapper = purging->snapper;

    if (status != OK) {
        snapper->store->operations->rollback(snapper->store);
        snapper_forget_listed(snapper);
    }
    snapper->changes++;
    purging->generation->touched = true;
    purging->generation->counted = false;
    state_file_destroy(&purging->record);
    mapping_release(purging->mapping);
    enum status found = look_again(snapper);
    if (status != OK || found != OK)
        return status != OK ? status : found;
    drop_gone(snapper);
    snapper_trace(snapper, "snapper: purged: %lu files, %lu bytes of objects",
                  purging->removed.files, purging->removed.bytes);
    report->generations++;
    report->files += purging->removed.files;
    report->bytes += purging->removed.bytes;
    return OK;
}

/* What earlier purges left comes first, so that the record names what belongs to this one alone. */
static enum status begin(struct purging *purging)
{
    struct snapper *snapper = purging->snapper;
    struct snapper_cleanup_report report = { 0 };

    enum status status = cleanup_all(snapper, &report);
    if (status == OK)
        status = snapper_permit_deletion(snapper);
    if (status == OK)
        status = snapper_load_mapping(snapper, purging->generation, &purging->mapping);
    return status;
}

enum status purge_generation(struct snapper *snapper, struct generation *generation,
                             struct snapper_purge_report *report)
{
    struct purging purging = { .snapper = snapper, .generation = generation };

    enum status status = begin(&purging);
    if (status != OK)
        return status;
    rc_table_uncount(&snapper->listed, purging.mapping);
    status = state_file_copy(&snapper->record, &purging.record);
    if (status == OK)
        status = name_directories(&purging);
    if (status == OK)
        status = remove_all(&purging);
    return end(&purging, status, report);
}

enum status purge_unreadable(struct snapper *snapper, struct generation *generation,
                             struct snapper_purge_report *report)
{
    struct purging purging = { .snapper = snapper,
                               .generation = generation,
                               .record_changes = true };

    log_warning("snapper: giving up %s, whose archive cannot be read",
                generation->name.text);
    enum status status = state_file_copy(&snapper->record, &purging.record);
    if (status == OK)
        status = name_all_directories(&purging);
    if (status == OK)
        status = remove_archive(&purging);
    if (status == OK)
        status = finish(&purging);
    snapper_forget_listed(snapper);
    return end(&purging, status, report);
}
