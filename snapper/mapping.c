#include "snapper/mapping.h"

#include "kernel/base/log.h"
#include "kernel/base/map.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/run_crcs.h"

struct mapping *mapping_create(void)
{
    struct mapping *mapping = port_alloc(sizeof *mapping);

    if (mapping != NULL)
        mapping->references = 1;
    return mapping;
}

struct mapping *mapping_hold(struct mapping *mapping)
{
    mapping->references++;
    return mapping;
}

void mapping_release(struct mapping *mapping)
{
    if (mapping == NULL || --mapping->references > 0)
        return;
    for (size_t i = 0; i < mapping->count; i++)
        crc_block_release(mapping->runs[i].crcs);
    port_free(mapping->runs);
    port_free(mapping);
}

static enum status reserve(struct mapping *mapping, size_t capacity)
{
    if (capacity <= mapping->capacity)
        return OK;
    struct mapping_run *runs = port_alloc(capacity * sizeof *runs);
    if (runs == NULL)
        return ERR_NO_MEMORY;
    if (mapping->count > 0)
        memcpy(runs, mapping->runs, mapping->count * sizeof *runs);
    port_free(mapping->runs);
    mapping->runs = runs;
    mapping->capacity = capacity;
    return OK;
}

enum status mapping_append(struct mapping *mapping, const struct mapping_run *run)
{
    if (mapping->count == mapping->capacity) {
        enum status status = reserve(mapping, mapping->capacity * 2 + 16);
        if (status != OK)
            return status;
    }
    if (run->crcs != NULL)
        run->crcs->references++;
    mapping->runs[mapping->count++] = *run;
    if (run->rank == 0)
        mapping->objects += run->count;
    return OK;
}

struct mapping_run mapping_slice(const struct mapping_run *run, u32 offset, u32 count)
{
    struct mapping_run slice = *run;

    slice.first_id += offset;
    slice.first_ordinal += offset;
    slice.crc_at += offset;
    slice.count = count;
    if (count < run->count) { /* of these files alone nothing was said yet */
        slice.crc_known = slice.judged = false;
        slice.learned = 0;
    }
    return slice;
}

size_t mapping_group_size(const struct mapping *mapping, size_t at)
{
    size_t size = 1;

    while (at + size < mapping->count && mapping->runs[at + size].rank != 0)
        size++;
    return size;
}

/* The first run that begins beyond the id. */
static size_t first_beyond(const struct mapping *mapping, u64 id)
{
    size_t low = 0, high = mapping->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (mapping->runs[middle].first_id <= id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t mapping_find(const struct mapping *mapping, u64 id, struct mapping_run **runs)
{
    size_t low = first_beyond(mapping, id);

    /* It ends the only group that can cover the id. */
    if (low == 0)
        return 0;
    size_t at = low - 1;
    at -= mapping->runs[at].rank;
    if (id - mapping->runs[at].first_id >= mapping->runs[at].count)
        return 0;
    *runs = &mapping->runs[at];
    return low - at;
}

const struct mapping_run *mapping_seek(const struct mapping *mapping, u64 id)
{
    struct mapping_run *runs;
    if (mapping_find(mapping, id, &runs) > 0)
        return runs;

    size_t at = first_beyond(mapping, id);
    return at < mapping->count ? &mapping->runs[at] : NULL;
}

/* Gives the generation an index in the archive's table; the table has room. */
static enum status table_index(struct archive *archive, struct map *indexes,
                               struct generation *generation, u32 *index)
{
    u64 known;

    if (map_get(indexes, (u64)(uintptr_t)generation, &known)) {
        *index = (u32)known;
        return OK;
    }
    *index = archive->generation_count;
    archive->generations[archive->generation_count++] =
        (struct archive_generation){ generation->name, generation->threshold };
    return map_set(indexes, (u64)(uintptr_t)generation, *index);
}

static enum status put_run(struct archive *archive, struct map *indexes,
                           const struct mapping_run *run)
{
    u32 index;

    enum status status = table_index(archive, indexes, run->generation, &index);
    if (status != OK)
        return status;
    archive->runs[archive->run_count++] = (struct archive_run){
        .first_id = run->first_id,
        .count = run->count,
        .object_size = run->object_size,
        .generation = index,
        .first_ordinal = run->first_ordinal,
        .crc = run->crc_known ? run->crc : 0,
        .age = run->crc_known ? run->age : 0,
        .rank = run->rank,
    };
    return OK;
}

/* How many different generations the runs lie in, at most: each run, and the own one. */
static size_t table_bound(const struct mapping *mapping)
{
    size_t bound = 1;

    for (size_t i = 0; i < mapping->count; i++)
        bound += i == 0 || mapping->runs[i].generation != mapping->runs[i - 1].generation;
    return bound;
}

enum status mapping_to_archive(const struct mapping *mapping, struct generation *own,
                               struct archive *archive)
{
    struct map indexes;
    u32 index;

    archive->generations =
        port_alloc(table_bound(mapping) * sizeof archive->generations[0]);
    archive->runs = port_alloc((mapping->count + 1) * sizeof archive->runs[0]);
    if (archive->generations == NULL || archive->runs == NULL) {
        archive_destroy(archive);
        return ERR_NO_MEMORY;
    }
    archive->objects = mapping->objects;
    map_init(&indexes);
    enum status status = table_index(archive, &indexes, own, &index);
    for (size_t i = 0; i < mapping->count && status == OK; i++)
        status = put_run(archive, &indexes, &mapping->runs[i]);
    map_destroy(&indexes);
    if (status != OK)
        archive_destroy(archive);
    return status;
}

static enum status append_decoded(struct mapping *mapping, const struct archive_run *run,
                                  struct generation **table)
{
    struct mapping_run decoded = {
        .first_id = run->first_id,
        .count = run->count,
        .object_size = run->object_size,
        .generation = table[run->generation],
        .first_ordinal = run->first_ordinal,
        .age = run->age > 0 ? run->age : 1,
        .rank = run->rank,
        .crc_known = run->age > 0,
        .crc = run->crc,
    };
    return mapping_append(mapping, &decoded);
}

/*
 * What the archive says of the threshold of the `index`th generation of its table. A generation's own
 * archive decides; of a dead one the first that speaks, and who differs is not to be trusted.
 */
static enum status learn_threshold(struct generation *generation, u32 index,
                                   const struct archive *archive)
{
    u32 stated = archive->generations[index].threshold;

    if (index == 0 || generation->threshold == 0)
        generation->threshold = stated;
    if (generation->threshold == stated)
        return OK;
    log_error("snapper: /snapper/%s/archive: threshold %u of %s, which has %u",
              archive->generations[0].name.text, stated, generation->name.text,
              generation->threshold);
    return ERR_CORRUPT;
}

enum status mapping_from_archive(const struct archive *archive,
                                 struct generation_list *list, struct mapping **mapping)
{
    struct mapping *result = mapping_create();
    struct generation **table =
        port_alloc(archive->generation_count * sizeof(struct generation *));
    enum status status = result != NULL && table != NULL ? OK : ERR_NO_MEMORY;

    if (status == OK)
        status = reserve(result, archive->run_count);
    for (u32 i = 0; i < archive->generation_count && status == OK; i++) {
        status = generation_add(list, &archive->generations[i].name, &table[i]);
        if (status == OK)
            status = learn_threshold(table[i], i, archive);
    }
    for (u32 i = 0; i < archive->run_count && status == OK; i++)
        status = append_decoded(result, &archive->runs[i], table);
    port_free(table);
    if (status != OK) {
        mapping_release(result);
        return status;
    }
    *mapping = result;
    return OK;
}
