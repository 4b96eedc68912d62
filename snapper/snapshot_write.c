#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/writer.h"

/* /snapper if this is the first generation, the generation's directory and its snapshot root. */
static enum status make_directories(struct writer *writer)
{
    enum status status = OK;
    u64 level;

    if (writer->home == 0)
        status = writer_make_directory(writer, writer->snapper->root, "snapper",
                                       &writer->home);
    if (status == OK)
        status =
            writer_make_directory(writer, writer->home, writer->generation->name.text,
                                  &writer->generation->node);
    if (status == OK)
        status = writer_make_level(writer, 0, &level);
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
    status =
        writer_make_room(writer, STORE_STEP_ROOM + size / writer_block_size(writer) / 16);
    if (status == OK)
        status = store->operations->replace_file(store, writer->generation->node,
                                                 "archive", raw, size);
    port_free(raw);
    if (status != OK)
        return status;

    /* With the archive the rollback target is reached; not before. */
    writer->record.writing = writer->record.target = (struct generation_name){ 0 };
    writer->record.boots = 0;
    if (snapper->creation.passing)
        writer->record.passing = writer->generation->name;
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
    writer->record_changes = writer->home == 0 ||
                             !generation_name_is_empty(&record->target) ||
                             !generation_name_is_empty(&record->writing) ||
                             record->boots > 0 || writer->snapper->creation.passing;
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

    writer->snapper->store->operations->rollback(snapper->store);
    writer_free_bursts(writer);
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

    writer_free_bursts(writer);
    state_file_destroy(&snapper->record);
    snapper->record = writer->record;
    snapper->home = writer->home;
    snapper->changes++;
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
        status = writer_write_files(&writer, &files);
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
