#include "snapper/usage.h"

#include "kernel/base/checked.h"
#include "snapper/session.h"
#include "snapper/snapshot_file.h"

static u64 block_size_of(const struct snapper *snapper)
{
    struct store_space space;

    snapper->store->operations->space(snapper->store, &space);
    return space.block_size > 0 ? space.block_size : 1;
}

static u64 whole_blocks(u64 bytes, u64 block_size)
{
    return divide_up(bytes, block_size) * block_size;
}

static u64 file_bytes(const struct mapping_run *run, u64 block_size)
{
    return whole_blocks((u64)run->object_size + SNAPSHOT_FILE_HEADER_SIZE, block_size);
}

static u32 listings(const struct snapper *snapper, const struct mapping_run *run,
                    u32 offset)
{
    return rc_table_get(&snapper->listed, run->generation, run->first_ordinal + offset);
}

static enum status archive_bytes(struct snapper *snapper, struct generation *generation,
                                 u64 block_size, u64 *bytes)
{
    const struct store_operations *operations = snapper->store->operations;
    struct store_stat stat;
    u64 node;

    enum status status =
        operations->lookup(snapper->store, generation->node, "archive", &node);
    if (status == OK)
        status = operations->stat(snapper->store, node, &stat);
    if (status == OK)
        *bytes = whole_blocks(stat.size_bytes, block_size);
    return status;
}

static void add_run(const struct snapper *snapper, const struct mapping_run *run,
                    u64 block_size, struct snapper_usage *usage)
{
    u64 bytes = file_bytes(run, block_size);
    u32 exclusive = 0;

    for (u32 i = 0; i < run->count; i++)
        exclusive += listings(snapper, run, i) == 1;
    usage->exclusive_files += exclusive;
    usage->exclusive_bytes += exclusive * bytes;
    usage->shared_files += run->count - exclusive;
    usage->shared_bytes += (run->count - exclusive) * bytes;
}

enum status snapper_usage(struct snapper *snapper, const struct generation_name *name,
                          struct snapper_usage *usage)
{
    u64 block_size = block_size_of(snapper), archive;
    struct generation *generation;
    struct mapping *mapping;

    enum status status = snapper_count_listed(snapper);
    if (status == OK)
        status = snapper_find(snapper, name->text, &generation);
    if (status == OK)
        status = archive_bytes(snapper, generation, block_size, &archive);
    if (status == OK)
        status = snapper_load_mapping(snapper, generation, &mapping);
    if (status != OK)
        return status;
    *usage = (struct snapper_usage){ .exclusive_bytes = archive };
    for (size_t i = 0; i < mapping->count; i++)
        add_run(snapper, &mapping->runs[i], block_size, usage);
    mapping_release(mapping);
    return OK;
}

/* A file counts with the oldest generation that lists it: `seen` holds those counted before. */
static enum status add_total(struct snapper *snapper, struct generation *generation,
                             u64 block_size, struct rc_table *seen,
                             struct snapper_total_usage *usage)
{
    struct mapping *mapping;
    u64 archive;

    enum status status = archive_bytes(snapper, generation, block_size, &archive);
    if (status == OK)
        status = snapper_load_mapping(snapper, generation, &mapping);
    if (status != OK)
        return status;
    usage->archive_bytes += archive;
    for (size_t at = 0; at < mapping->count; at++) {
        const struct mapping_run *run = &mapping->runs[at];
        for (u32 i = 0; i < run->count; i++) {
            if (rc_table_get(seen, run->generation, run->first_ordinal + i) > 0)
                continue;
            usage->files++;
            usage->file_bytes += file_bytes(run, block_size);
        }
    }
    status = rc_table_count(seen, mapping);
    mapping_release(mapping);
    return status;
}

enum status snapper_total_usage(struct snapper *snapper,
                                struct snapper_total_usage *usage)
{
    struct snapper_total_usage total = { 0 };
    u64 block_size = block_size_of(snapper);
    struct rc_table seen = { 0 };

    enum status status = snapper_count_listed(snapper);
    for (size_t i = 0; i < snapper->generations.count && status == OK; i++) {
        struct generation *generation = snapper->generations.items[i];
        if (generation->counted)
            status = add_total(snapper, generation, block_size, &seen, &total);
    }
    rc_table_destroy(&seen);
    if (status == OK)
        *usage = total;
    return status;
}
