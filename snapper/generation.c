#include "snapper/generation.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/reference.h"

enum { ARCHIVE_SIZE_MAX = 1 << 30 };

size_t generation_position(const struct generation_list *list,
                           const struct generation_name *name)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (generation_name_compare(&list->items[middle]->name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct generation *generation_find(const struct generation_list *list,
                                   const struct generation_name *name)
{
    size_t at = generation_position(list, name);

    if (at < list->count && generation_name_compare(&list->items[at]->name, name) == 0)
        return list->items[at];
    return NULL;
}

static enum status make_room(struct generation_list *list)
{
    if (list->count < list->capacity)
        return OK;
    size_t capacity = list->capacity ? list->capacity * 2 : 16;
    struct generation **items = port_alloc(capacity * sizeof(struct generation *));
    if (items == NULL)
        return ERR_NO_MEMORY;
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof(struct generation *));
    port_free(list->items);
    list->items = items;
    list->capacity = capacity;
    return OK;
}

enum status generation_add(struct generation_list *list,
                           const struct generation_name *name,
                           struct generation **generation)
{
    struct generation *known = generation_find(list, name);

    if (known == NULL) {
        enum status status = make_room(list);
        if (status != OK)
            return status;
        known = port_alloc(sizeof *known);
        if (known == NULL)
            return ERR_NO_MEMORY;
        known->name = *name;
        if (!generation_name_decode(name->text, &known->time))
            known->time = 0;
        list->newest_time = max_u64(list->newest_time, known->time);
        size_t at = generation_position(list, name);
        memmove(list->items + at + 1, list->items + at,
                (list->count - at) * sizeof list->items[0]);
        list->items[at] = known;
        list->count++;
    }
    *generation = known;
    return OK;
}

void generation_remove(struct generation_list *list, struct generation *generation)
{
    size_t at = generation_position(list, &generation->name);

    list->count--;
    memmove(list->items + at, list->items + at + 1,
            (list->count - at) * sizeof list->items[0]);
    port_free(generation->levels);
    port_free(generation);
}

void generation_list_destroy(struct generation_list *list)
{
    while (list->count > 0)
        generation_remove(list, list->items[list->count - 1]);
    port_free(list->items);
    *list = (struct generation_list){ 0 };
}

enum status generation_list_read(struct generation_list *list, struct store *store,
                                 u64 root)
{
    struct store_entry entry;
    struct generation *generation;
    struct generation_name name;
    u64 cursor = 0, time;

    for (;;) {
        enum status status = store->operations->next_entry(store, root, &cursor, &entry);
        if (status == ERR_NOT_FOUND)
            return OK;
        if (status != OK)
            return status;
        list->references +=
            entry.is_directory && reference_name_decode(entry.name, &time);
        if (!generation_name_decode(entry.name, &time) ||
            !text_copy(name.text, sizeof name.text, entry.name))
            continue;
        list->newest_time = max_u64(list->newest_time, time);
        if (!entry.is_directory)
            continue;
        status = generation_add(list, &name, &generation);
        if (status != OK)
            return status;
        generation->node = entry.node;
    }
}

enum status generation_locate(struct generation *generation, struct store *store,
                              u64 home)
{
    generation->node = 0;
    generation->unlocated_in = 0;
    generation->level_count = 0;
    generation->looked_up = false;
    if (home == 0)
        return OK;
    enum status status =
        store->operations->lookup(store, home, generation->name.text, &generation->node);
    if (status == OK || status == ERR_NOT_FOUND)
        return OK;
    generation->unlocated_in = home;
    return status;
}

static enum status find_directory(struct generation *generation, struct store *store)
{
    if (generation->unlocated_in == 0)
        return OK;
    return generation_locate(generation, store, generation->unlocated_in);
}

enum status generation_has_archive(struct generation *generation, struct store *store,
                                   bool *has_archive)
{
    u64 node;

    enum status status = find_directory(generation, store);
    if (status != OK)
        return status;
    if (!generation->looked_up && generation->node != 0) {
        status = store->operations->lookup(store, generation->node, "archive", &node);
        if (status != OK && status != ERR_NOT_FOUND)
            return status;
        generation->has_archive = status == OK;
        generation->looked_up = true;
    }
    *has_archive = generation->node != 0 && generation->has_archive;
    return OK;
}

/* Archives have no holes: a size beyond what the disk holds of it is a lie that costs memory. */
static bool may_be_archive(struct store *store, const struct store_stat *stat)
{
    struct store_space space;

    store->operations->space(store, &space);
    return !stat->is_directory && stat->size_bytes <= ARCHIVE_SIZE_MAX &&
           stat->size_bytes <= stat->allocated_bytes &&
           stat->size_bytes / space.block_size <= space.total_blocks;
}

/* All of a file; the caller frees it. */
static enum status read_whole(struct store *store, u64 node, u8 **raw, size_t *size)
{
    struct store_stat stat;
    size_t read;

    enum status status = store->operations->stat(store, node, &stat);
    if (status != OK)
        return status;
    if (!may_be_archive(store, &stat))
        return ERR_CORRUPT;
    u8 *bytes = port_alloc(stat.size_bytes + 1);
    if (bytes == NULL)
        return ERR_NO_MEMORY;
    status = store->operations->read(store, node, 0, bytes, stat.size_bytes, &read);
    if (status != OK) {
        port_free(bytes);
        return status;
    }
    *raw = bytes;
    *size = read;
    return OK;
}

const char *generation_archive_obstacle(const struct archive *archive,
                                        struct store *store)
{
    struct store_space space;
    u64 files = 0;

    store->operations->space(store, &space);
    for (u32 i = 0; i < archive->run_count; i++) {
        const struct archive_run *run = &archive->runs[i];

        if (!range_inside(run->first_ordinal, run->count, space.total_nodes))
            return "ordinals beyond the inodes of the file system";
        if (run->object_size / space.block_size > space.total_blocks)
            return "an object larger than the file system";
        files += run->count;
    }
    return files <= space.total_nodes ? NULL
                                      : "more files than the file system has inodes";
}

enum status generation_read_archive_bytes(struct generation *generation,
                                          struct store *store, u8 **raw, size_t *size)
{
    u64 node;

    enum status status =
        store->operations->lookup(store, generation->node, "archive", &node);
    return status != OK ? status : read_whole(store, node, raw, size);
}

enum status generation_read_archive(struct generation *generation, struct store *store,
                                    struct archive *archive, u64 *archive_size)
{
    const char *why = "unreadable";
    u8 *raw;
    size_t size;

    enum status status = generation_read_archive_bytes(generation, store, &raw, &size);
    if (status == ERR_NOT_FOUND)
        return status;
    if (status == OK) {
        status = archive_decode(raw, size, archive, &why);
        port_free(raw);
    }
    if (status == OK) {
        why = generation_archive_obstacle(archive, store);
        if (generation_name_compare(&archive->generations[0].name, &generation->name) !=
            0)
            why = "it belongs to another generation";
        if (why != NULL) {
            archive_destroy(archive);
            status = ERR_CORRUPT;
        }
    }
    if (status != OK) {
        log_error("snapper: /snapper/%s/archive: %s (%s)", generation->name.text, why,
                  status_text(status));
        return status;
    }
    *archive_size = size;
    return OK;
}

enum status generation_add_level(struct generation *generation, u64 node)
{
    if (generation->level_count == generation->level_capacity) {
        u32 capacity = generation->level_capacity ? generation->level_capacity * 2 : 8;
        u64 *levels = port_alloc(capacity * sizeof *levels);
        if (levels == NULL)
            return ERR_NO_MEMORY;
        if (generation->level_count > 0)
            memcpy(levels, generation->levels, generation->level_count * sizeof *levels);
        port_free(generation->levels);
        generation->levels = levels;
        generation->level_capacity = capacity;
    }
    generation->levels[generation->level_count++] = node;
    return OK;
}

/* Against two that it may not be again: the top, and one that moves down as the chain grows (Brent). */
static bool leads_back(const struct generation *generation, u64 child)
{
    u32 known = generation->level_count, mark = 1;

    while (mark <= known / 2)
        mark *= 2;
    return child == generation->node ||
           (known > 0 && child == generation->levels[mark - 1]);
}

static enum status refuse_chain(const struct generation *generation, const char *why)
{
    log_error("snapper: %s: directory at level %u %s", generation->name.text,
              generation->level_count, why);
    return ERR_CORRUPT;
}

enum status generation_level(struct generation *generation, struct store *store,
                             u32 level, u64 *node)
{
    enum status located = find_directory(generation, store);
    if (located != OK)
        return located;
    if (generation->node == 0)
        return ERR_NOT_FOUND;
    while (generation->level_count <= level) {
        u32 known = generation->level_count;
        u64 parent = known == 0 ? generation->node : generation->levels[known - 1];
        u64 child;

        enum status status = store->operations->lookup(
            store, parent, known == 0 ? "snapshot" : "ext", &child);
        if (status == OK && leads_back(generation, child))
            status = refuse_chain(generation, "leads back to one above it");
        if (status == OK && known == GENERATION_LEVELS_MAX)
            status = refuse_chain(generation, "is one too many");
        if (status == OK)
            status = generation_add_level(generation, child);
        if (status != OK)
            return status;
    }
    *node = generation->levels[level];
    return OK;
}

enum status generation_find_levels(struct generation *generation, struct store *store)
{
    enum status status;
    u32 level = 0;
    u64 node;

    while ((status = generation_level(generation, store, level, &node)) == OK)
        level++;
    return status == ERR_NOT_FOUND || status == ERR_NOT_DIRECTORY ? OK : status;
}

enum status generation_file(struct generation *generation, struct store *store,
                            u32 ordinal, u64 *node)
{
    char name[SNAPSHOT_NAME_SIZE];
    u64 directory;

    if (generation->threshold == 0)
        return ERR_NOT_FOUND;
    enum status status =
        generation_level(generation, store, ordinal / generation->threshold, &directory);
    if (status != OK)
        return status;
    snapshot_file_name(ordinal % generation->threshold, name);
    return store->operations->lookup(store, directory, name, node);
}

/* Called for each file of each generation, so without format_text(). */
void snapshot_file_name(u32 number, char name[SNAPSHOT_NAME_SIZE])
{
    u32 digits = 4;

    while (digits < 8 && number >> (4 * digits) != 0)
        digits++;
    name[digits] = '\0';
    for (; digits > 0; number >>= 4)
        name[--digits] = "0123456789abcdef"[number & 15];
}

bool snapshot_file_number(const char *name, u32 *number)
{
    char again[SNAPSHOT_NAME_SIZE];
    u64 value;
    size_t length = strlen(name);

    if (length > 8 || !digits_to_u64(name, length, 16, &value))
        return false;
    snapshot_file_name((u32)value, again);
    if (!text_equal(name, again))
        return false;
    *number = (u32)value;
    return true;
}
