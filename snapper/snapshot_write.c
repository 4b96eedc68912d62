#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/pending.h"
#include "snapper/snapshot_file.h"

/* Files that one call hands to the store; their memory lives until the transaction ends. */
enum { BURST_MAX = 512 };

struct burst {
    struct burst *next;
    u32 count;
    struct store_new_file files[BURST_MAX];
    char names[BURST_MAX][SNAPSHOT_NAME_SIZE];
    u8 headers[BURST_MAX][SNAPSHOT_FILE_HEADER_SIZE];
};

/*
 * A generation on its way to the disk:
 *
 *   name, directories -> bursts of files -> archive and state -> commit    (S1)
 *
 * If that is too much for one transaction the bursts are committed in parts; the first part names
 * the generation in /snapper.state (`writing`), so that the next open finishes it off after a cut.
 */
struct writer {
    struct snapper *snapper;
    struct generation *generation;
    struct state_file record; /* as it will be */
    bool record_changes;
    struct burst *bursts;
    u64 home; /* /snapper */
    u32 transactions;
};

static const struct store_operations *operations_of(const struct writer *writer)
{
    return writer->snapper->store->operations;
}

static void free_bursts(struct writer *writer)
{
    while (writer->bursts != NULL) {
        struct burst *burst = writer->bursts;
        writer->bursts = burst->next;
        port_free(burst);
    }
}

static u64 block_size(const struct writer *writer)
{
    struct store_space space;

    operations_of(writer)->space(writer->snapper->store, &space);
    return space.block_size;
}

/* Metadata blocks that `files` new files may take: inode table, directory, and the rest. */
static u64 room_for_files(const struct writer *writer, u64 files)
{
    return divide_up(files * 256, block_size(writer)) * 2 +
           divide_up(files * 24, block_size(writer)) + STORE_STEP_ROOM;
}

/* Ends a transaction; the generation is not whole yet, which /snapper.state says. */
static enum status commit_part(struct writer *writer)
{
    struct snapper *snapper = writer->snapper;
    struct state_file next;

    writer->record.writing = writer->generation->name;
    enum status status = state_file_copy(&writer->record, &next);
    if (status != OK)
        return status;
    if (writer->transactions == 0)
        status = record_commit(snapper, &next);
    else
        status = operations_of(writer)->commit(snapper->store);
    state_file_destroy(&next);
    free_bursts(writer);
    if (status != OK)
        return status;
    snapper->home = writer->home;
    writer->record_changes = true;
    writer->transactions++;
    return OK;
}

/* So that what comes next fits the transaction, and the end of a part after it. */
static enum status make_room(struct writer *writer, u64 blocks)
{
    struct store *store = writer->snapper->store;

    if (operations_of(writer)->transaction_room(store) >=
        blocks + record_room(writer->snapper, &writer->record))
        return OK;
    return commit_part(writer);
}

static enum status make_directory(struct writer *writer, u64 parent, const char *name,
                                  u64 *node)
{
    struct store *store = writer->snapper->store;

    enum status status = make_room(writer, STORE_STEP_ROOM);
    if (status == OK)
        status = store->operations->make_directory(store, parent, name, node);
    return status;
}

/* The directory of level `level`, made if it is not there. */
static enum status make_level(struct writer *writer, u32 level, u64 *node)
{
    struct generation *generation = writer->generation;

    if (level < generation->level_count) {
        *node = generation->levels[level];
        return OK;
    }
    u64 parent = level == 0 ? generation->node : generation->levels[level - 1];
    enum status status =
        make_directory(writer, parent, level == 0 ? "snapshot" : "ext", node);
    if (status == OK)
        status = generation_add_level(generation, *node);
    return status;
}

static void describe_file(struct burst *burst, const struct pending *entry, u32 number)
{
    u32 at = burst->count++;
    struct snapshot_file_header header = { entry->crc, 1 };

    snapshot_file_name(number, burst->names[at]);
    snapshot_file_header_encode(&header, burst->headers[at]);
    burst->files[at] = (struct store_new_file){
        .name = burst->names[at],
        .header = burst->headers[at],
        .header_size = SNAPSHOT_FILE_HEADER_SIZE,
        .payload = entry->payload,
        .payload_size = entry->size,
    };
}

static bool has_file(const struct pending *entry)
{
    return entry->kind == PENDING_NEW || entry->kind == PENDING_COPY;
}

/* Where the estimate was too low: in a transaction of its own, then in smaller pieces. */
static enum status create_files(struct writer *writer, u64 directory, struct burst *burst)
{
    struct store *store = writer->snapper->store;
    u32 done = 0, piece = burst->count;
    bool fresh = false; /* nothing is in the transaction yet */

    while (done < burst->count) {
        u32 count = (u32)min_u64(piece, burst->count - done);
        enum status status =
            store->operations->create_files(store, directory, burst->files + done, count);

        if (status == OK) {
            done += count;
            fresh = false;
        } else if (status != ERR_TRANSACTION_FULL || (fresh && piece == 1)) {
            return status;
        } else if (fresh) {
            piece = (piece + 1) / 2;
        } else {
            status = commit_part(writer);
            if (status != OK)
                return status;
            fresh = true;
        }
    }
    return OK;
}

/* Up to BURST_MAX files of one level, beginning with `ordinal`; moves on both. */
static enum status write_burst(struct writer *writer, struct pending **entry,
                               const struct pending *limit, u32 *ordinal)
{
    u32 threshold = writer->generation->threshold;
    u32 room = (u32)min_u64(threshold - *ordinal % threshold, BURST_MAX);
    u64 directory;

    enum status status = make_level(writer, *ordinal / threshold, &directory);
    if (status == OK)
        status = make_room(writer, room_for_files(writer, room));
    if (status != OK)
        return status;
    struct burst *burst = port_alloc(sizeof *burst);
    if (burst == NULL)
        return ERR_NO_MEMORY;
    for (; *entry < limit && burst->count < room; (*entry)++) {
        if (!has_file(*entry))
            continue;
        (*entry)->ordinal = *ordinal;
        describe_file(burst, *entry, (*ordinal)++ % threshold);
    }
    status = create_files(writer, directory, burst);
    burst->next =
        writer->bursts; /* its memory is the store's until the transaction ends */
    writer->bursts = burst;
    return status;
}

static enum status write_files(struct writer *writer, u32 *files)
{
    struct creation *creation = &writer->snapper->creation;
    struct pending *entry = creation->pending;
    const struct pending *limit = entry + creation->count;

    *files = 0;
    for (;;) {
        while (entry < limit && !has_file(entry))
            entry++;
        if (entry == limit)
            return OK;
        enum status status = write_burst(writer, &entry, limit, files);
        if (status != OK)
            return status;
    }
}

/* /snapper if this is the first generation, the generation's directory and its snapshot root. */
static enum status make_directories(struct writer *writer)
{
    enum status status = OK;
    u64 level;

    if (writer->home == 0)
        status = make_directory(writer, writer->snapper->root, "snapper", &writer->home);
    if (status == OK)
        status = make_directory(writer, writer->home, writer->generation->name.text,
                                &writer->generation->node);
    if (status == OK)
        status = make_level(writer, 0, &level);
    return status;
}

/* Archives hold text alone: what a reader would refuse is not written. */
static enum status put_description(struct archive *archive, const char *description)
{
    if (!text_copy(archive->description, sizeof archive->description, description))
        return ERR_TOO_LARGE;
    for (char *at = archive->description; *at != '\0'; at++)
        if ((u8)*at < ' ' || *at == 0x7f)
            *at = '?';
    return OK;
}

/* The archive and, if it says something else now, /snapper.state; then the commit point. */
static enum status write_archive(struct writer *writer, const char *description,
                                 u32 files, const struct mapping *mapping,
                                 u64 *archive_bytes)
{
    struct snapper *snapper = writer->snapper;
    struct store *store = snapper->store;
    struct archive archive = { .files_written = files };
    size_t size;
    u8 *raw;

    if (snapper->creation.parent != NULL)
        archive.parent = snapper->creation.parent->name;
    enum status status = put_description(&archive, description);
    if (status == OK)
        status = mapping_to_archive(mapping, writer->generation, &archive);
    if (status != OK)
        return status;
    status = archive_encode(&archive, &raw, &size);
    archive_destroy(&archive);
    if (status != OK)
        return status;
    *archive_bytes = size;
    status = make_room(writer, STORE_STEP_ROOM + size / block_size(writer) / 16);
    if (status == OK)
        status = store->operations->replace_file(store, writer->generation->node,
                                                 "archive", raw, size);
    port_free(raw);
    if (status != OK)
        return status;

    /* With the archive the rollback target is reached; not before. */
    writer->record.writing = writer->record.target = (struct generation_name){ 0 };
    writer->record.boots = 0;
    if (writer->record_changes)
        status = record_write(snapper, &writer->record);
    if (status == OK)
        status = store->operations->commit(store);
    return status;
}

/* What an earlier attempt left is not forgotten. */
static enum status prepare_record(struct writer *writer)
{
    struct state_file *record = &writer->record;

    enum status status = state_file_copy(&writer->snapper->record, record);
    if (status != OK)
        return status;
    /* The first generation makes the file: upkeep of a full disk must not need a block for it. */
    writer->record_changes =
        writer->home == 0 || !generation_name_is_empty(&record->target) ||
        !generation_name_is_empty(&record->writing) || record->boots > 0;
    if (!generation_name_is_empty(&record->writing))
        status = name_list_add(&record->purging, &record->writing);
    record->writing = (struct generation_name){ 0 };
    return status;
}

/* The clock's time, or just after the newest name if the clock is not beyond it. */
static enum status choose_name(const struct snapper *snapper,
                               struct generation_name *name)
{
    u64 newest = snapper->generations.newest_time;
    u64 time = max_u64(port_now_microseconds(), newest + 1);

    enum status status = generation_name_encode(time, name);
    if (status != OK && generation_name_encode(newest, name) == OK)
        log_error("snapper: no name for a generation: /snapper/%s is the last there is",
                  name->text);
    return status;
}

/* A failed generation leaves nothing: neither in this transaction nor in committed parts. */
static void undo(struct writer *writer)
{
    struct snapper *snapper = writer->snapper;
    struct generation *generation = writer->generation;
    u64 files;

    operations_of(writer)->rollback(snapper->store);
    free_bursts(writer);
    enum status status = OK;
    if (writer->transactions > 0) {
        status = generation_locate(generation, snapper->store, snapper->home);
        if (status == OK)
            status = cleanup_generation(snapper, generation, &files);
    } else {
        generation_remove(&snapper->generations, generation);
    }
    if (status != OK)
        log_warning("snapper: %s is incomplete and stays until the next open",
                    generation->name.text);
}

static enum status begin(struct writer *writer)
{
    struct snapper *snapper = writer->snapper;
    struct generation_name name;

    enum status status = prepare_record(writer);
    if (status == OK)
        status = choose_name(snapper, &name);
    if (status == OK)
        status = generation_add(&snapper->generations, &name, &writer->generation);
    if (status == OK)
        writer->generation->threshold = (u32)snapper->config->threshold;
    return status;
}

/* What the commit made true. */
static void adopt(struct writer *writer)
{
    struct snapper *snapper = writer->snapper;

    free_bursts(writer);
    state_file_destroy(&snapper->record);
    snapper->record = writer->record;
    snapper->home = writer->home;
    writer->generation->has_archive = writer->generation->looked_up = true;
}

enum status snapshot_write(struct snapper *snapper, const char *description,
                           struct snapper_commit_report *report, struct mapping **mapping,
                           struct generation **generation)
{
    struct writer writer = { .snapper = snapper, .home = snapper->home };
    struct mapping *result = NULL;
    u32 files;

    enum status status = begin(&writer);
    if (status != OK) {
        state_file_destroy(&writer.record);
        return status;
    }
    status = make_directories(&writer);
    if (status == OK)
        status = write_files(&writer, &files);
    if (status == OK)
        status = snapshot_map(snapper, writer.generation, &result);
    if (status == OK)
        status = mapping_seal(&result, snapper->store);
    if (status == OK)
        status =
            write_archive(&writer, description, files, result, &report->archive_bytes);
    if (status != OK) {
        mapping_release(result);
        undo(&writer);
        state_file_destroy(&writer.record);
        return status;
    }
    adopt(&writer);
    report->transactions = writer.transactions + 1;
    *mapping = result;
    *generation = writer.generation;
    return OK;
}
