/*
 * Settling: writing into each snapshot file how many generations list it (spec 3.5).
 *
 * The truth comes from the archives. What the disk holds is known without reading it where
 * /snapper.state says for which archives it was settled: files of these have that count, all
 * others still have the 1 they were written with. While bytes change, /snapper.state says nothing,
 * so a cut in between costs one full reading and no wrong count.
 *
 * It may be stopped and gone on with later. What is known stays in the session meanwhile, and holds
 * as long as the archives are the same: everything before (`reached`, `ordinal`) is right.
 */
#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/session.h"
#include "snapper/snapshot_file.h"

/* Files between two questions whether to go on. */
enum { STRIDE = 64 };

struct settling {
    struct snapper *snapper;
    const struct snapper_pace *pace; /* NULL: to the end */
    struct rc_table on_disk; /* counts over the settled archives; holds if `known` */
    bool known;
    bool announced; /* /snapper.state says nothing any more */
    struct name_list archives;
    size_t settled; /* of them, by the record */
    u64 looked_at;
    u64 changed;
    struct generation_name reached;
    u32 ordinal;
};

/* Adds one archive, counted already, to what is on the disk if it was settled. */
static enum status add_archive(struct settling *settling, struct generation *generation)
{
    struct snapper *snapper = settling->snapper;
    struct mapping *mapping;

    enum status status = name_list_add(&settling->archives, &generation->name);
    if (status != OK || !name_list_contains(&snapper->record.settled, &generation->name))
        return status;
    status = snapper_load_mapping(snapper, generation, &mapping);
    if (status != OK)
        return status;
    status = rc_table_count(&settling->on_disk, mapping);
    mapping_release(mapping);
    settling->settled++;
    return status;
}

static enum status count_archives(struct settling *settling)
{
    struct snapper *snapper = settling->snapper;

    enum status status = snapper_count_listed(snapper);
    for (size_t at = 0; at < snapper->generations.count && status == OK; at++)
        if (snapper->generations.items[at]->counted)
            status = add_archive(settling, snapper->generations.items[at]);
    /* A settled archive that is gone leaves counts that nobody can derive any more. */
    settling->known =
        settling->settled > 0 && settling->settled == snapper->record.settled.count;
    return status;
}

/* Before the first byte changes: what is on the disk is no longer known. */
static enum status announce(struct settling *settling)
{
    struct snapper *snapper = settling->snapper;
    struct state_file record = snapper->record;

    if (settling->announced || snapper->record.settled.count == 0)
        return OK;
    record.settled = (struct name_list){ 0 };
    enum status status = record_write(snapper, &record);
    if (status == OK)
        status = snapper->store->operations->commit(snapper->store);
    if (status == OK)
        name_list_clear(&snapper->record.settled);
    settling->announced = status == OK;
    return status;
}

static enum status settle_file(struct settling *settling, struct generation *generation,
                               u32 ordinal, u8 count)
{
    struct store *store = settling->snapper->store;
    struct snapshot_file_header header;
    u8 raw[SNAPSHOT_FILE_HEADER_SIZE];
    size_t size;
    u64 node;

    enum status status = generation_file(generation, store, ordinal, &node);
    if (status == OK)
        status = store->operations->read(store, node, 0, raw, sizeof raw, &size);
    if (status == OK)
        status = snapshot_file_header_decode(raw, size, &header);
    if (status == ERR_NOT_FOUND || status == ERR_CORRUPT || status == ERR_UNSUPPORTED) {
        log_warning("snapper: /snapper/%s file number %u cannot be counted: %s",
                    generation->name.text, ordinal, status_text(status));
        return OK;
    }
    if (status != OK || header.rc == count)
        return status;
    status = announce(settling);
    if (status == OK)
        status = store->operations->poke(store, node, SNAPSHOT_FILE_RC_OFFSET, count);
    settling->changed += status == OK;
    return status;
}

/* The count that the disk has, if that follows from the last settling. */
static bool is_right_already(const struct settling *settling,
                             const struct generation *generation, u32 ordinal, u8 count)
{
    if (!settling->known)
        return false;
    u32 old = rc_table_get(&settling->on_disk, generation, ordinal);
    return count == min_u64(old > 0 ? old : 1, UINT8_MAX);
}

static bool may_go_on(struct settling *settling)
{
    const struct snapper_pace *pace = settling->pace;

    return pace == NULL || ++settling->looked_at % STRIDE != 0 ||
           pace->go_on(pace->context);
}

static enum status settle_generation(struct settling *settling,
                                     struct generation *generation)
{
    const struct rc_table *truth = &settling->snapper->listed;
    u32 limit = rc_table_limit(truth, generation);

    for (; settling->ordinal < limit; settling->ordinal++) {
        u32 ordinal = settling->ordinal;
        u8 count = (u8)min_u64(rc_table_get(truth, generation, ordinal), UINT8_MAX);
        if (count == 0 || is_right_already(settling, generation, ordinal, count))
            continue;
        if (!may_go_on(settling))
            return ERR_INTERRUPTED;
        enum status status = settle_file(settling, generation, ordinal, count);
        if (status != OK)
            return status;
    }
    settling->ordinal = 0;
    return OK;
}

/* Names sort by age, as the list does. */
static enum status settle_generations(struct settling *settling)
{
    struct generation_list *list = &settling->snapper->generations;
    enum status status = OK;

    for (size_t at = 0; at < list->count && status == OK; at++) {
        struct generation *generation = list->items[at];
        int order = generation_name_compare(&generation->name, &settling->reached);

        if (order < 0)
            continue;
        if (order > 0) {
            settling->reached = generation->name;
            settling->ordinal = 0;
        }
        status = settle_generation(settling, generation);
    }
    return status;
}

/* All bytes are durable before /snapper.state vouches for them. */
static enum status finish(struct settling *settling)
{
    struct snapper *snapper = settling->snapper;
    struct state_file record = snapper->record;
    struct name_list old = snapper->record.settled;

    enum status status = snapper->store->operations->flush(snapper->store);
    record.settled = settling->archives;
    if (status == OK)
        status = record_write(snapper, &record);
    if (status == OK)
        status = snapper->store->operations->commit(snapper->store);
    if (status == OK) {
        snapper->record.settled = settling->archives;
        settling->archives = old;
    }
    return status;
}

/* Does the list name the archives that there are, and no others? */
static bool names_all_archives(const struct snapper *snapper,
                               const struct name_list *names)
{
    size_t archives = 0;

    for (size_t at = 0; at < snapper->generations.count; at++) {
        struct generation *generation = snapper->generations.items[at];
        bool has_archive;

        if (generation_has_archive(generation, snapper->store, &has_archive) != OK)
            return false;
        if (!has_archive)
            continue;
        if (!name_list_contains(names, &generation->name))
            return false;
        archives++;
    }
    return archives == names->count;
}

bool snapper_is_settled(const struct snapper *snapper)
{
    return names_all_archives(snapper, &snapper->record.settled);
}

void snapper_forget_settling(struct snapper *snapper)
{
    struct settling *settling = snapper->settling;

    if (settling == NULL)
        return;
    rc_table_destroy(&settling->on_disk);
    state_file_destroy(&(struct state_file){ .settled = settling->archives });
    port_free(settling);
    snapper->settling = NULL;
}

/* Where the last call was stopped, if that still holds. */
static enum status begin_or_resume(struct snapper *snapper)
{
    if (snapper->settling != NULL &&
        names_all_archives(snapper, &snapper->settling->archives))
        return snapper_count_listed(snapper);

    snapper_forget_settling(snapper);
    snapper->settling = port_alloc(sizeof *snapper->settling);
    if (snapper->settling == NULL)
        return ERR_NO_MEMORY;
    snapper->settling->snapper = snapper;
    return count_archives(snapper->settling);
}

enum status snapper_settle_paced(struct snapper *snapper, const struct snapper_pace *pace,
                                 u64 *changed)
{
    *changed = 0;
    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    if (snapper_is_settled(snapper))
        return OK;
    enum status status = begin_or_resume(snapper);
    if (status == OK) {
        snapper->settling->pace = pace;
        status = settle_generations(snapper->settling);
    }
    if (status == ERR_INTERRUPTED)
        return status;
    if (status == OK)
        status = finish(snapper->settling);
    if (status != OK)
        snapper->store->operations->rollback(snapper->store);
    if (snapper->settling != NULL)
        *changed = snapper->settling->changed;
    snapper_forget_settling(snapper);
    if (status == OK)
        snapper_trace(snapper, "snapper: settled, %lu counts rewritten", *changed);
    return status;
}

enum status snapper_settle(struct snapper *snapper, u64 *changed)
{
    return snapper_settle_paced(snapper, NULL, changed);
}
