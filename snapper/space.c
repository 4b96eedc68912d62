#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "snapper/pending.h"
#include "snapper/snapshot_file.h"

/*
 * Room on the disk for the generation in creation, before its first byte is written (spec 5). If it is
 * short, redundancy copies are left for a better day; if it still is, the oldest generations go,
 * provided that this will do.
 */
struct room {
    u64 blocks;
    u64 nodes;
};

struct estimate {
    struct store_space space;
    struct room need;
    u64 files;
    u64 segments; /* of consecutive ids that change alike */
};

static void add_file(struct room *room, const struct store_space *space, u64 size)
{
    room->blocks += divide_up(size + SNAPSHOT_FILE_HEADER_SIZE, space->block_size);
    room->nodes++;
}

static void add_objects(struct estimate *estimate, const struct creation *creation)
{
    for (size_t at = 0; at < creation->count; at++) {
        const struct pending *entry = &creation->pending[at];

        if (entry->kind == PENDING_UNCHANGED)
            continue;
        estimate->segments +=
            at == 0 || entry[-1].kind != entry->kind || entry[-1].id + 1 != entry->id;
        if (entry->kind == PENDING_FORGOTTEN)
            continue;
        estimate->files++;
        add_file(&estimate->need, &estimate->space, entry->size);
    }
}

/* Directories, the archive with all the cuts that there can be, the state, and a little more. */
static void add_frame(struct estimate *estimate, const struct snapper *snapper)
{
    enum { ENTRY = 16, RUN = 20, GENERATION = 12, HEAD = 300, SPARE = 16 };
    u64 block_size = estimate->space.block_size, threshold = snapper->config->threshold;
    u64 levels = estimate->files / threshold + 1;
    u64 entries = min_u64(estimate->files, threshold) * ENTRY;
    u64 runs = estimate->segments * 4;
    struct room *need = &estimate->need;

    if (snapper->creation.base != NULL)
        runs += snapper->creation.base->count;
    need->nodes += levels + 4;
    need->blocks += levels * (1 + divide_up(entries, block_size)) +
                    divide_up(HEAD + runs * (RUN + GENERATION), block_size) +
                    record_room(snapper, &snapper->record) - STORE_STEP_ROOM + SPARE;
}

static void make_estimate(const struct snapper *snapper, struct estimate *estimate)
{
    *estimate = (struct estimate){ 0 };
    snapper->store->operations->space(snapper->store, &estimate->space);
    add_objects(estimate, &snapper->creation);
    add_frame(estimate, snapper);
}

/* With `gained` more than there is now, beside what is to stay free. */
static bool fits(const struct snapper *snapper, const struct estimate *estimate,
                 const struct room *gained)
{
    const struct store_space *space = &estimate->space;
    u64 kept = space->total_blocks / 100 * snapper->config->reserve;

    return space->free_blocks + gained->blocks >= estimate->need.blocks + kept &&
           space->free_nodes + gained->nodes >= estimate->need.nodes;
}

static void drop_copies(struct creation *creation)
{
    size_t kept = 0;

    for (size_t at = 0; at < creation->count; at++) {
        struct pending *entry = &creation->pending[at];

        if (entry->kind == PENDING_COPY && entry->owned) {
            pending_drop_payload(entry);
            continue;
        }
        if (entry->kind == PENDING_COPY)
            entry->kind = PENDING_UNCHANGED;
        creation->pending[kept++] = *entry;
    }
    creation->count = kept;
}

/* What falls to no archive at all once this mapping is not counted. */
static void add_dying(struct room *gained, const struct snapper *snapper,
                      const struct mapping *mapping, const struct store_space *space)
{
    for (size_t at = 0; at < mapping->count; at++) {
        const struct mapping_run *run = &mapping->runs[at];

        for (u32 i = 0; i < run->count; i++)
            if (rc_table_get(&snapper->listed, run->generation, run->first_ordinal + i) ==
                0)
                add_file(gained, space, run->object_size);
    }
}

/* And its archive, and its directories if no file stays in them. */
static void add_directories(struct room *gained, const struct snapper *snapper,
                            const struct generation *generation)
{
    u64 nodes = 1;

    if (!snapper_lists_any(snapper, generation))
        nodes += 2 + rc_table_limit(&snapper->listed, generation) / generation->threshold;
    gained->nodes += nodes;
    gained->blocks += nodes;
}

/* As if this generation were purged: what that would free. */
static enum status pretend_purge(struct snapper *snapper,
                                 const struct generation *generation, struct room *gained)
{
    struct generation *purged = (struct generation *)generation;
    struct store_space space;
    struct mapping *mapping;

    enum status status = snapper_load_mapping(snapper, purged, &mapping);
    if (status != OK)
        return status;
    snapper->store->operations->space(snapper->store, &space);
    rc_table_uncount(&snapper->listed, mapping);
    add_dying(gained, snapper, mapping, &space);
    add_directories(gained, snapper, generation);
    mapping_release(mapping);
    return OK;
}

/* Would it do to purge what may be purged? Afterwards everything is counted as before. */
static enum status can_be_made(struct snapper *snapper, const struct estimate *estimate)
{
    const struct generation *next = NULL;
    struct room gained = { 0 };
    size_t count;

    enum status status = snapper_permit_deletion(snapper);
    if (status == OK)
        status = retention_count(snapper, &count);
    while (status == OK && !fits(snapper, estimate, &gained)) {
        next = retention_next(snapper, next);
        if (next == NULL || count-- <= snapper->config->min_snapshots)
            status = ERR_NO_SPACE;
        else
            status = pretend_purge(snapper, next, &gained);
    }
    snapper_forget_listed(snapper);
    return status;
}

/* One after the other, until it fits. */
static enum status purge_oldest(struct snapper *snapper, struct estimate *estimate,
                                struct snapper_purge_report *report)
{
    static const struct room nothing;
    enum status status = OK;

    while (status == OK && !fits(snapper, estimate, &nothing)) {
        struct generation *oldest = retention_next(snapper, NULL);
        if (oldest == NULL)
            return ERR_NO_SPACE;
        log_info("snapper: space is short, %s goes", oldest->name.text);
        status = purge_generation(snapper, oldest, report);
        snapper->store->operations->space(snapper->store, &estimate->space);
    }
    return status;
}

static void say_no_space(const struct estimate *estimate, enum status status)
{
    log_error("snapper: no generation: %s; %lu blocks and %lu inodes are needed, %lu and "
              "%lu are free",
              status == ERR_NO_SPACE ? "not enough space, nor would purging make it"
                                     : "space is short, and nothing can be purged",
              estimate->need.blocks, estimate->need.nodes, estimate->space.free_blocks,
              estimate->space.free_nodes);
}

enum status space_prepare(struct snapper *snapper, struct snapper_purge_report *report)
{
    static const struct room nothing;
    struct estimate estimate;

    make_estimate(snapper, &estimate);
    if (fits(snapper, &estimate, &nothing))
        return OK;
    drop_copies(&snapper->creation);
    make_estimate(snapper, &estimate);
    if (fits(snapper, &estimate, &nothing))
        return OK;
    enum status status = can_be_made(snapper, &estimate);
    if (status == OK)
        return purge_oldest(snapper, &estimate, report);
    if (status == ERR_NO_SPACE || status == ERR_PURGE_DENIED) {
        say_no_space(&estimate, status);
        return ERR_NO_SPACE;
    }
    return status;
}
