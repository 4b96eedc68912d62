#include "kernel/base/checked.h"
#include "kernel/base/crc.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/import_files.h"
#include "snapper/transfer_check.h"

enum { ARCHIVE_PIECE = 64 * KIB };

/*
 *   header, archive -> is it here? is its base? -> names on record -> whose files? -> objects
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

/* Memory grows with what has come, not with what is said to come. */
static enum status read_piece(struct importer *importer, size_t size, size_t *got)
{
    size_t piece = min_size(size - *got, *got > ARCHIVE_PIECE ? *got : ARCHIVE_PIECE);
    u8 *raw = port_alloc(*got + piece);

    if (raw == NULL)
        return ERR_NO_MEMORY;
    if (*got > 0)
        memcpy(raw, importer->raw, *got);
    port_free(importer->raw);
    importer->raw = raw;
    enum status status = stream_read(importer->input, raw + *got, piece);
    if (status == OK)
        *got += piece;
    return status;
}

static enum status read_archive(struct importer *importer)
{
    const char *why = "";

    enum status status = stream_read_header(importer->input, &importer->header);
    if (status != OK)
        return status;
    u32 size = importer->header.archive_size;
    for (size_t got = 0; got < size && status == OK;)
        status = read_piece(importer, size, &got);
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
    if (importer->there == NULL || importer->there_capacity < run->object_size) {
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
    if (status == ERR_CORRUPT && !run->suspect) {
        status = repair_copy(importer->snapper, run, id, content);
        if (status != ERR_EXISTS)
            return status;
    }
    if (status == ERR_NO_MEMORY || status == ERR_IO)
        return status;
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
            .crc = crc32(content, object->size),
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

static bool is_missing(struct importer *importer, const struct mapping_run *run, u64 id)
{
    u64 node;

    return generation_file(run->generation, importer->snapper->store,
                           run->first_ordinal + (u32)(id - run->first_id),
                           &node) == ERR_NOT_FOUND;
}

/* The content from whichever copy is here and good, without a word about the others. */
static enum status read_any(struct importer *importer, struct mapping_run *runs,
                            size_t count, u64 id, u8 *content)
{
    for (size_t i = 0; i < count; i++) {
        enum status status = object_read_copy(importer->snapper, &runs[i], id, content);
        if (status == OK || status == ERR_NO_MEMORY)
            return status;
    }
    log_error("import: object 0x%lx: none of its files is here", id);
    return ERR_INTEGRITY;
}

/* Those of an object's copies that are not here; a batch has room for them. */
static enum status add_missing(struct importer *importer, struct mapping_run *runs,
                               size_t count, u64 id)
{
    u8 *content = NULL;

    for (size_t i = 0; i < count; i++) {
        if (!is_missing(importer, &runs[i], id))
            continue;
        enum status status = OK;
        if (content == NULL) {
            status = import_batch_reserve(&importer->batch, runs->object_size, &content);
            if (status == OK)
                status = read_any(importer, runs, count, id, content);
        }
        if (status != OK)
            return status;
        struct import_file file = {
            .generation = runs[i].generation,
            .ordinal = runs[i].first_ordinal + (u32)(id - runs[i].first_id),
            .size = runs->object_size,
            .crc = crc32(content, runs->object_size),
            .content = content,
        };
        import_batch_add(&importer->batch, &file);
    }
    return OK;
}

/* Copies of what the base has: the stream does not bring it again. */
static enum status complete_copies(struct importer *importer)
{
    const struct mapping *mapping = importer->mapping;
    size_t group;

    for (size_t at = 0; at < mapping->count; at += group) {
        struct mapping_run *runs = &mapping->runs[at];
        group = mapping_group_size(mapping, at);
        for (u32 i = 0; i < runs->count && group > 1; i++) {
            enum status status = OK;
            if (!import_batch_has_room(&importer->batch, runs->object_size, group))
                status = import_batch_flush(&importer->batch);
            if (status == OK)
                status = add_missing(importer, runs, group, runs->first_id + i);
            if (status != OK)
                return status;
        }
    }
    return OK;
}

static enum status take_objects(struct importer *importer)
{
    u64 next_id = 0;
    enum status status =
        import_batch_open(&importer->batch, importer->snapper, importer->header.bytes);

    for (u64 i = 0; i < importer->header.objects && status == OK; i++)
        status = take_object(importer, &next_id);
    if (status == OK)
        status = stream_read_end(importer->input);
    enum status flushed = OK; /* what was good before the damage is kept, to go on from */
    if (importer->batch.files != NULL)
        flushed = import_batch_flush(&importer->batch);
    if (status == OK && flushed == OK)
        flushed = complete_copies(importer);
    if (status == OK && flushed == OK)
        flushed = import_batch_flush(&importer->batch);
    importer->report->files = importer->batch.written;
    return status != OK ? status : flushed;
}

/* --- X3 --- */

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
    next.boots = 0; /* B2 of boots.h */
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

    enum status status = transfer_ask_named(snapper, &importer->archive);
    if (status == OK)
        status = put_on_record(importer);
    if (status == OK)
        status = mapping_from_archive(&importer->archive, &snapper->generations,
                                      &importer->mapping);
    if (status == OK)
        status = transfer_check_claims(snapper, &importer->archive, importer->mapping);
    if (status == OK)
        status = take_objects(importer);
    if (status == OK)
        status = transfer_check_files(importer->snapper, &importer->archive);
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
        status =
            transfer_check_presence(snapper, &importer.name, importer.raw,
                                    importer.header.archive_size, &report->was_there);
    if (status == OK && !report->was_there)
        status =
            transfer_check_base(snapper, &importer.header, &importer.name, &report->base);
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
