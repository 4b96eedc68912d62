#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

enum {
    LEVELS_MAX = 1 << 20,   /* a chain of directories that is longer is a loop */
    ROOM_FOR_ONE_FILE = 64, /* metadata blocks that the removal of one file may touch */
};

struct cleanup {
    struct snapper *snapper;
    struct generation *generation;
    struct rc_table listed; /* how often archives list its files */
    u64 files;
};

/* What all archives list. ERR_PURGE_DENIED: one cannot be read, so nothing may go (spec 4.6). */
static enum status count_listed(struct snapper *snapper, struct rc_table *listed)
{
    /* Reading archives adds dead generations to the list, so it may grow. */
    for (size_t at = 0; at < snapper->generations.count; at++) {
        struct generation *generation = snapper->generations.items[at];
        struct mapping *mapping;
        bool has_archive;

        enum status status =
            generation_has_archive(generation, snapper->store, &has_archive);
        if (status == OK && !has_archive)
            continue;
        if (status == OK)
            status = snapper_load_mapping(snapper, generation, &mapping);
        if (status == ERR_NO_MEMORY)
            return status;
        if (status != OK) {
            log_warning("snapper: nothing is deleted while %s cannot be read",
                        generation->name.text);
            return ERR_PURGE_DENIED;
        }
        status = rc_table_count(listed, mapping);
        mapping_release(mapping);
        if (status != OK)
            return status;
        while (at < snapper->generations.count &&
               snapper->generations.items[at] != generation)
            at++;
    }
    return OK;
}

static enum status keep_transaction_small(struct cleanup *cleanup)
{
    struct store *store = cleanup->snapper->store;

    if (store->operations->transaction_room(store) >= ROOM_FOR_ONE_FILE)
        return OK;
    return store->operations->commit(store);
}

static bool is_listed(const struct cleanup *cleanup, u32 level, u32 number)
{
    u64 ordinal = (u64)level * cleanup->generation->threshold + number;

    if (!rc_table_lists(&cleanup->listed, cleanup->generation))
        return false;
    return ordinal > UINT32_MAX ||
           rc_table_get(&cleanup->listed, cleanup->generation, (u32)ordinal) > 0;
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
    enum status status = OK;
    u32 levels = 0;
    u64 node;
    bool removed;

    while (levels < LEVELS_MAX &&
           (status = generation_level(generation, store, levels, &node)) == OK)
        levels++;
    if (status != ERR_NOT_FOUND && status != ERR_NOT_DIRECTORY)
        return status == OK ? ERR_CORRUPT : status;

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

enum status cleanup_generation(struct snapper *snapper, struct generation *generation,
                               u64 *files)
{
    struct cleanup cleanup = { .snapper = snapper, .generation = generation };
    struct store *store = snapper->store;
    u64 node;

    *files = 0;
    enum status status = count_listed(snapper, &cleanup.listed);
    if (status == OK && generation->node != 0)
        status = clean_chain(&cleanup);
    if (status == OK) {
        struct state_file record = snapper->record;
        record.writing = record.purging = (struct generation_name){ 0 };
        status = snapper_write_record(snapper, &record);
        if (status == OK)
            status = store->operations->commit(store);
        if (status == OK)
            snapper->record = record;
    }
    if (status != OK)
        store->operations->rollback(store);

    generation_forget_directories(generation);
    if (store->operations->lookup(store, snapper->home, generation->name.text, &node) ==
        ERR_NOT_FOUND) {
        bool unknown = !rc_table_lists(&cleanup.listed, generation);
        generation->node = 0;
        if (unknown && generation != snapper->current && generation->views == 0)
            generation_remove(&snapper->generations, generation);
    }
    rc_table_destroy(&cleanup.listed);
    *files = cleanup.files;
    return status;
}

enum status snapper_cleanup(struct snapper *snapper,
                            struct snapper_cleanup_report *report)
{
    const struct generation_name names[] = { snapper->record.writing,
                                             snapper->record.purging };

    *report = (struct snapper_cleanup_report){ 0 };
    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        struct generation *generation = generation_find(&snapper->generations, &names[i]);
        bool has_archive;
        u64 files;

        if (generation_name_is_empty(&names[i]) || generation == NULL)
            continue;
        enum status status =
            generation_has_archive(generation, snapper->store, &has_archive);
        if (status == OK && has_archive)
            continue;
        if (status == OK)
            status = cleanup_generation(snapper, generation, &files);
        if (status != OK)
            return status;
        log_info("snapper: %s was incomplete, %lu files removed", names[i].text, files);
        report->generations++;
        report->files += files;
    }
    return OK;
}
