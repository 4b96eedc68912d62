#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/import_files.h"
#include "snapper/run_crcs.h"
#include "snapper/snapshot_file.h"
#include "snapper/transfer.h"

enum { ARCHIVE_CRC_AT = 1, ARCHIVE_SIZE_LEAST = 5 };

/*
 *   header, archive -> is it here? is its base? -> names on record -> objects, in batches
 *   -> end of the stream -> does all that it lists lie there? -> archive, record: one commit (X3)
 */
struct importer {
    struct snapper *snapper;
    struct stream_input *input;
    struct stream_header header;
    u8 *raw; /* the archive */
    struct generation_name name;
    struct archive archive;
    struct mapping *mapping;
    struct state_file before; /* the record; what is on it already, stays on it */
    struct import_batch batch;
    u8 *there; /* an object as it is here, to compare with */
    size_t there_capacity;
    struct snapper_transfer_report *report;
};

/* --- header and archive --- */

static enum status read_archive(struct importer *importer)
{
    const char *why = "";

    enum status status = stream_read_header(importer->input, &importer->header);
    if (status != OK)
        return status;
    u32 size = importer->header.archive_size;
    importer->raw = port_alloc(size);
    if (importer->raw == NULL)
        return ERR_NO_MEMORY;
    status = stream_read(importer->input, importer->raw, size);
    if (status != OK)
        return status;
    status = archive_decode(importer->raw, size, &importer->archive, &why);
    if (status == OK) {
        why = generation_archive_obstacle(&importer->archive, importer->snapper->store);
        status = why != NULL ? ERR_CORRUPT : OK;
    }
    if (status != OK) {
        log_error("stream: its archive cannot be used: %s", why);
        return status;
    }
    importer->name = importer->archive.generations[0].name;
    importer->report->name = importer->name;
    u64 time;
    if (!generation_name_decode(importer->name.text, &time) ||
        time != importer->header.time) {
        log_error("stream: its header and its archive name different generations");
        return ERR_CORRUPT;
    }
    return OK;
}

/* The crc field of a generation's archive. */
static enum status archive_crc(struct snapper *snapper, struct generation *generation,
                               u32 *crc)
{
    size_t size;
    u8 *raw;

    enum status status =
        generation_read_archive_bytes(generation, snapper->store, &raw, &size);
    if (status != OK)
        return status;
    if (size < ARCHIVE_SIZE_LEAST)
        status = ERR_CORRUPT;
    else
        *crc = get_le32(raw + ARCHIVE_CRC_AT);
    port_free(raw);
    return status;
}

static enum status check_base(struct importer *importer)
{
    struct generation_name name;
    struct generation *base;
    u32 crc = 0;

    if (importer->header.base == STREAM_NO_BASE)
        return OK;
    if (generation_name_encode(importer->header.base, &name) != OK) {
        log_error("stream: its base has no possible name");
        return ERR_CORRUPT;
    }
    importer->report->base = name;
    enum status status = snapper_find(importer->snapper, name.text, &base);
    if (status == OK)
        status = archive_crc(importer->snapper, base, &crc);
    if (status == ERR_NOT_FOUND)
        log_error("import: %s builds on %s, which is not on this image",
                  importer->name.text, name.text);
    else if (status == OK && crc != importer->header.base_crc) {
        log_error("import: the %s on this image is not the one that %s builds on",
                  name.text, importer->name.text);
        status = ERR_NOT_FOUND;
    }
    return status;
}

/* The same generation: nothing to do. Another of this name: refused. */
static enum status check_presence(struct importer *importer)
{
    struct snapper *snapper = importer->snapper;
    struct generation *known;
    u32 crc;

    enum status status = snapper_find(snapper, importer->name.text, &known);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status == OK)
        status = archive_crc(snapper, known, &crc);
    if (status != OK)
        return status;
    if (crc == get_le32(importer->raw + ARCHIVE_CRC_AT)) {
        importer->report->was_there = true;
        return OK;
    }
    log_error("import: there is another %s on this image", importer->name.text);
    return ERR_EXISTS;
}

/* --- X2: on record before the first file --- */

static enum status put_on_record(struct importer *importer)
{
    struct snapper *snapper = importer->snapper;
    const struct store_operations *operations = snapper->store->operations;
    struct state_file next;
    u64 home = snapper->home;

    enum status status = state_file_copy(&snapper->record, &importer->before);
    if (status == OK)
        status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    for (u32 i = 0; i < importer->archive.generation_count && status == OK; i++)
        status = name_list_add(&next.purging, &importer->archive.generations[i].name);
    if (status == OK && home == 0)
        status =
            operations->make_directory(snapper->store, snapper->root, "snapper", &home);
    if (status == OK)
        status = record_commit(snapper, &next);
    if (status == OK)
        snapper->home = home;
    else
        operations->rollback(snapper->store);
    state_file_destroy(&next);
    return status;
}

/* --- objects --- */

static enum status compare_with(struct importer *importer, struct mapping_run *run,
                                u64 id, const u8 *content, bool *missing)
{
    if (importer->there_capacity < run->object_size) {
        port_free(importer->there);
        importer->there = port_alloc(run->object_size);
        importer->there_capacity = importer->there != NULL ? run->object_size : 0;
    }
    if (importer->there == NULL)
        return ERR_NO_MEMORY;
    enum status status = object_read_copy(importer->snapper, run, id, importer->there);
    *missing = status == ERR_NOT_FOUND;
    if (status == OK && memcmp(importer->there, content, run->object_size) == 0) {
        importer->report->present++;
        return OK;
    }
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status == ERR_CORRUPT && !run->suspect)
        return repair_copy(importer->snapper, run, id, content);
    log_error("import: /snapper/%s, file number %u, is here already, and is not the one "
              "of the stream",
              run->generation->name.text, run->first_ordinal + (u32)(id - run->first_id));
    return ERR_EXISTS;
}

static enum status place(struct importer *importer, struct mapping_run *runs,
                         size_t count, const struct stream_object *object,
                         const u8 *content)
{
    for (size_t i = 0; i < count; i++) {
        bool missing;
        enum status status =
            compare_with(importer, &runs[i], object->id, content, &missing);
        if (status != OK)
            return status;
        if (!missing)
            continue;
        struct import_file file = {
            .generation = runs[i].generation,
            .ordinal = runs[i].first_ordinal + (u32)(object->id - runs[i].first_id),
            .size = object->size,
            .crc = object->crc,
            .content = content,
        };
        import_batch_add(&importer->batch, &file);
    }
    return OK;
}

static enum status take_object(struct importer *importer, u64 *next_id)
{
    struct stream_object object;
    struct mapping_run *runs;
    u8 *content;

    enum status status = stream_read_object(importer->input, &object);
    if (status != OK)
        return status;
    size_t count = mapping_find(importer->mapping, object.id, &runs);
    if (count == 0 || runs->object_size != object.size || object.id < *next_id) {
        log_error("stream: object 0x%lx of %u bytes is not what the archive lists next",
                  object.id, object.size);
        return ERR_CORRUPT;
    }
    *next_id = object.id + 1;
    if (!import_batch_has_room(&importer->batch, object.size, count))
        status = import_batch_flush(&importer->batch);
    if (status == OK)
        status = import_batch_reserve(&importer->batch, object.size, &content);
    if (status == OK)
        status = stream_read_data(importer->input, &object, content);
    return status != OK ? status : place(importer, runs, count, &object, content);
}

static enum status take_objects(struct importer *importer)
{
    u64 next_id = 0;
    enum status status = import_batch_open(&importer->batch, importer->snapper);

    for (u64 i = 0; i < importer->header.objects && status == OK; i++)
        status = take_object(importer, &next_id);
    if (status == OK)
        status = stream_read_end(importer->input);
    enum status flushed = OK; /* what was good before the damage is kept, to go on from */
    if (importer->batch.files != NULL)
        flushed = import_batch_flush(&importer->batch);
    importer->report->files = importer->batch.written;
    return status != OK ? status : flushed;
}

/* --- X3 --- */

/* Each file that the archive lists is here, with the checksums that its maker saw. */
static enum status check_runs(struct importer *importer)
{
    struct mapping *mapping;
    enum status status = mapping_from_archive(&importer->archive,
                                              &importer->snapper->generations, &mapping);

    if (status != OK)
        return status;
    for (size_t i = 0; i < mapping->count && status == OK; i++) {
        struct mapping_run *run = &mapping->runs[i];
        u32 crc, unreadable;

        status = run_crc_of_all(run, importer->snapper->store, &crc, &unreadable);
        if (status != OK || (unreadable == run->count && crc == run->crc))
            continue;
        log_error("import: of %u files from number %u of %s not all are here as they "
                  "should be",
                  run->count, run->first_ordinal, run->generation->name.text);
        status = ERR_INTEGRITY;
    }
    mapping_release(mapping);
    return status;
}

static enum status write_archive(struct importer *importer, struct generation *generation)
{
    struct snapper *snapper = importer->snapper;
    struct store *store = snapper->store;
    struct state_file next;

    enum status status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    for (u32 i = 0; i < importer->archive.generation_count; i++)
        if (!name_list_contains(&importer->before.purging,
                                &importer->archive.generations[i].name))
            name_list_remove(&next.purging, &importer->archive.generations[i].name);
    if (generation->node == 0)
        status = store->operations->make_directory(
            store, snapper->home, generation->name.text, &generation->node);
    if (status == OK)
        status =
            store->operations->replace_file(store, generation->node, "archive",
                                            importer->raw, importer->header.archive_size);
    if (status == OK)
        status = record_commit(snapper, &next);
    else
        store->operations->rollback(store);
    state_file_destroy(&next);
    enum status located = generation_locate(generation, store, snapper->home);
    return status != OK ? status : located;
}

static enum status take_all(struct importer *importer)
{
    struct snapper *snapper = importer->snapper;
    struct generation *generation;

    enum status status = put_on_record(importer);
    if (status == OK)
        status = mapping_from_archive(&importer->archive, &snapper->generations,
                                      &importer->mapping);
    if (status == OK)
        status = take_objects(importer);
    if (status == OK)
        status = check_runs(importer);
    if (status == OK)
        status = generation_add(&snapper->generations, &importer->name, &generation);
    if (status == OK)
        status = write_archive(importer, generation);
    return status;
}

enum status snapper_import(struct snapper *snapper, struct stream_input *input,
                           struct snapper_transfer_report *report)
{
    struct importer importer = { .snapper = snapper, .input = input, .report = report };

    *report = (struct snapper_transfer_report){ 0 };
    if (snapper_state(snapper) != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    enum status status = read_archive(&importer);
    report->objects = importer.header.objects;
    report->bytes = importer.header.bytes;
    if (status == OK)
        status = check_presence(&importer);
    if (status == OK && !report->was_there)
        status = check_base(&importer);
    if (status == OK && !report->was_there)
        status = take_all(&importer);
    mapping_release(importer.mapping);
    import_batch_close(&importer.batch);
    archive_destroy(&importer.archive);
    state_file_destroy(&importer.before);
    port_free(importer.raw);
    port_free(importer.there);
    return status;
}
