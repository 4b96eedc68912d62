#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

/* A reader of one generation; purge leaves what it holds alone. */
struct snapper_view {
    struct snapper *snapper;
    struct generation *generation;
    struct mapping *mapping;
};

enum status view_open(struct snapper *snapper, const char *name,
                      struct snapper_view **view)
{
    struct generation *generation;

    enum status status = snapper_find(snapper, name, &generation);
    if (status != OK)
        return status;
    struct snapper_view *opened = port_alloc(sizeof *opened);
    if (opened == NULL)
        return ERR_NO_MEMORY;
    status = snapper_load_mapping(snapper, generation, &opened->mapping);
    if (status != OK) {
        port_free(opened);
        return status;
    }
    opened->snapper = snapper;
    opened->generation = generation;
    generation->views++;
    *view = opened;
    return OK;
}

void view_close(struct snapper_view *view)
{
    view->generation->views--;
    mapping_release(view->mapping);
    port_free(view);
}

enum status view_restore(struct snapper_view *view, void *buffer, size_t size, u64 id,
                         size_t *restored)
{
    return object_restore(view->snapper, view->mapping, buffer, size, id, restored);
}

enum status view_next_run(const struct snapper_view *view, u64 *cursor,
                          struct snapper_run *run)
{
    const struct mapping *mapping = view->mapping;

    for (; *cursor < mapping->count; (*cursor)++) {
        const struct mapping_run *next = &mapping->runs[*cursor];
        if (next->rank != 0)
            continue;
        *run = (struct snapper_run){ next->first_id, next->count, next->object_size };
        (*cursor)++;
        return OK;
    }
    return ERR_NOT_FOUND;
}

/* A directory that cannot be looked into counts as one with an archive: it is not hidden. */
static bool is_complete(const struct snapper *snapper, struct generation *generation,
                        enum status *status)
{
    bool has_archive;

    *status = generation_has_archive(generation, snapper->store, &has_archive);
    return *status != OK || has_archive;
}

static struct generation *complete_at(const struct snapper *snapper, size_t index,
                                      enum status *status)
{
    for (size_t at = 0; at < snapper->generations.count; at++) {
        struct generation *generation = snapper->generations.items[at];

        if (is_complete(snapper, generation, status) && index-- == 0)
            return generation;
    }
    return NULL;
}

size_t snapper_generation_count(const struct snapper *snapper)
{
    enum status status;
    size_t count = 0;

    for (size_t at = 0; at < snapper->generations.count; at++)
        count += is_complete(snapper, snapper->generations.items[at], &status);
    return count;
}

enum status snapper_generation_info(struct snapper *snapper, size_t index,
                                    struct snapper_generation_info *info)
{
    enum status status;
    struct generation *generation = complete_at(snapper, index, &status);
    struct archive archive;

    if (generation == NULL)
        return ERR_NOT_FOUND;
    *info = (struct snapper_generation_info){
        .name = generation->name,
        .time = generation->time,
        .pinned = name_list_contains(&snapper->record.pins, &generation->name),
    };
    info->status = status;
    if (status == OK)
        info->status = generation_read_archive(generation, snapper->store, &archive,
                                               &info->archive_bytes);
    if (info->status != OK)
        return OK;
    info->parent = archive.parent;
    info->objects = archive.objects;
    info->files_written = archive.files_written;
    memcpy(info->description, archive.description, sizeof info->description);
    archive_destroy(&archive);
    return OK;
}
