#include "kernel/base/port.h"
#include "snapper/transfer_check.h"

struct exporter {
    struct snapper *snapper;
    struct mapping *mapping;
    struct rc_table base; /* files that the base lists; empty without one */
    struct stream_output *output;
    struct stream_header header;
    u8 *buffer;
    u32 capacity;
};

/* Who has the base has none of the object's files, and so not its content. */
static bool is_wanted(const struct exporter *exporter, const struct mapping_run *runs,
                      size_t count, u32 offset)
{
    for (size_t i = 0; i < count; i++)
        if (rc_table_get(&exporter->base, runs[i].generation,
                         runs[i].first_ordinal + offset) > 0)
            return false;
    return true;
}

static void count_objects(struct exporter *exporter)
{
    const struct mapping *mapping = exporter->mapping;
    size_t group;

    for (size_t at = 0; at < mapping->count; at += group) {
        const struct mapping_run *runs = &mapping->runs[at];
        group = mapping_group_size(mapping, at);
        for (u32 i = 0; i < runs->count; i++) {
            if (!is_wanted(exporter, runs, group, i))
                continue;
            exporter->header.objects++;
            exporter->header.bytes += runs->object_size;
        }
    }
}

static enum status make_room(struct exporter *exporter, u32 size)
{
    if (exporter->buffer != NULL && size <= exporter->capacity)
        return OK;
    port_free(exporter->buffer);
    exporter->buffer = port_alloc(size);
    exporter->capacity = size;
    return exporter->buffer != NULL ? OK : ERR_NO_MEMORY;
}

static enum status send_object(struct exporter *exporter, struct mapping_run *runs,
                               size_t count, u64 id)
{
    u32 size = runs->object_size;

    enum status status = make_room(exporter, size);
    if (status == OK)
        status = object_read(exporter->snapper, runs, count, id, exporter->buffer);
    if (status != OK)
        return status;
    return stream_write_object(exporter->output, id, exporter->buffer, size);
}

static enum status send_objects(struct exporter *exporter)
{
    const struct mapping *mapping = exporter->mapping;
    size_t group;

    for (size_t at = 0; at < mapping->count; at += group) {
        struct mapping_run *runs = &mapping->runs[at];
        group = mapping_group_size(mapping, at);
        for (u32 i = 0; i < runs->count; i++) {
            if (!is_wanted(exporter, runs, group, i))
                continue;
            enum status status = send_object(exporter, runs, group, runs->first_id + i);
            if (status != OK)
                return status;
        }
    }
    return OK;
}

/* What the one who imports must have: its name, and which archive that was. */
static enum status use_base(struct exporter *exporter, const char *name,
                            struct snapper_transfer_report *report)
{
    struct snapper *snapper = exporter->snapper;
    struct generation *generation;
    struct mapping *mapping;

    enum status status = snapper_find(snapper, name, &generation);
    if (status == OK)
        status = snapper_load_mapping(snapper, generation, &mapping);
    if (status != OK)
        return status;
    status = rc_table_count(&exporter->base, mapping);
    mapping_release(mapping);
    if (status == OK)
        status = transfer_archive_crc(snapper, generation, &exporter->header.base_crc);
    exporter->header.base = generation->time;
    report->base = generation->name;
    return status;
}

static enum status send_stream(struct exporter *exporter, struct generation *generation)
{
    size_t size;
    u8 *raw;

    enum status status =
        generation_read_archive_bytes(generation, exporter->snapper->store, &raw, &size);
    if (status != OK)
        return status;
    count_objects(exporter);
    exporter->header.archive_size = (u32)size;
    status = stream_write_header(exporter->output, &exporter->header);
    if (status == OK)
        status = stream_write(exporter->output, raw, size);
    port_free(raw);
    if (status == OK)
        status = send_objects(exporter);
    if (status == OK)
        status = stream_write_end(exporter->output);
    return status;
}

enum status snapper_export(struct snapper *snapper, const char *name, const char *base,
                           struct stream_output *output,
                           struct snapper_transfer_report *report)
{
    struct exporter exporter = { .snapper = snapper,
                                 .output = output,
                                 .header.base = STREAM_NO_BASE };
    struct generation *generation;

    *report = (struct snapper_transfer_report){ 0 };
    enum status status = snapper_find(snapper, name, &generation);
    if (status == OK)
        status = snapper_load_mapping(snapper, generation, &exporter.mapping);
    if (status != OK)
        return status;
    exporter.header.time = generation->time;
    report->name = generation->name;
    if (base != NULL)
        status = use_base(&exporter, base, report);
    if (status == OK)
        status = send_stream(&exporter, generation);
    report->objects = exporter.header.objects;
    report->bytes = exporter.header.bytes;
    mapping_release(exporter.mapping);
    rc_table_destroy(&exporter.base);
    port_free(exporter.buffer);
    return status;
}
