#include "snapper/import_files.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/sort.h"
#include "snapper/snapshot_file.h"

/* What a burst borrows until the commit. */
struct import_burst {
    struct store_new_file files[IMPORT_FILES_MAX];
    char names[IMPORT_FILES_MAX][SNAPSHOT_NAME_SIZE];
    u8 headers[IMPORT_FILES_MAX][SNAPSHOT_FILE_HEADER_SIZE];
};

enum status import_batch_open(struct import_batch *batch, struct snapper *snapper,
                              u64 expected)
{
    size_t capacity = (size_t)min_u64(expected, IMPORT_BYTES_MAX);

    if (capacity < IMPORT_BYTES_MIN)
        capacity = IMPORT_BYTES_MIN;
    *batch = (struct import_batch){
        .snapper = snapper,
        .files = port_alloc(IMPORT_FILES_MAX * sizeof(struct import_file)),
        .contents = port_alloc(capacity),
        .capacity = capacity,
    };
    if (batch->files != NULL && batch->contents != NULL)
        return OK;
    import_batch_close(batch);
    return ERR_NO_MEMORY;
}

void import_batch_close(struct import_batch *batch)
{
    port_free(batch->files);
    port_free(batch->contents);
    *batch = (struct import_batch){ 0 };
}

bool import_batch_has_room(const struct import_batch *batch, size_t size, size_t files)
{
    return batch->used + size <= batch->capacity &&
           batch->count + files <= IMPORT_FILES_MAX;
}

enum status import_batch_reserve(struct import_batch *batch, size_t size, u8 **content)
{
    if (batch->used == 0 && size > batch->capacity) {
        port_free(batch->contents);
        batch->contents = port_alloc(size);
        batch->capacity = batch->contents != NULL ? size : 0;
    }
    if (size > batch->capacity - batch->used)
        return ERR_NO_MEMORY;
    *content = batch->contents + batch->used;
    batch->used += size;
    return OK;
}

void import_batch_add(struct import_batch *batch, const struct import_file *file)
{
    ASSERT(batch->count < IMPORT_FILES_MAX);
    struct import_file *added = &batch->files[batch->count++];
    *added = *file;
    added->key =
        (u64)generation_position(&batch->snapper->generations, &file->generation->name)
            << 32 |
        file->ordinal;
}

/* --- directories --- */

/* A transaction that is full is ended: what is in it is named in /snapper.state. */
static enum status make_directory(struct store *store, u64 parent, const char *name,
                                  u64 *node)
{
    if (store->operations->transaction_room(store) < STORE_STEP_ROOM) {
        enum status status = store->operations->commit(store);
        if (status != OK)
            return status;
    }
    return store->operations->make_directory(store, parent, name, node);
}

static enum status find_home(struct snapper *snapper, struct generation *generation)
{
    struct store *store = snapper->store;

    if (generation->node != 0)
        return OK;
    return make_directory(store, snapper->home, generation->name.text, &generation->node);
}

static enum status find_level(struct snapper *snapper, struct generation *generation,
                              u32 level, u64 *node)
{
    struct store *store = snapper->store;

    enum status status = find_home(snapper, generation);
    if (status == OK)
        status = generation_level(generation, store, level, node);
    while (status == ERR_NOT_FOUND) {
        u32 known = generation->level_count;
        u64 parent = known == 0 ? generation->node : generation->levels[known - 1];
        u64 made;

        status = make_directory(store, parent, known == 0 ? "snapshot" : "ext", &made);
        if (status == OK)
            status = generation_add_level(generation, made);
        if (status == OK)
            status = generation_level(generation, store, level, node);
    }
    return status;
}

/* --- files --- */

/* In pieces that fit: a full transaction is ended, and a piece too large for any is halved. */
static enum status create_files(struct store *store, u64 directory,
                                struct store_new_file *files, size_t count)
{
    size_t done = 0, piece = count;
    bool fresh = false;

    while (done < count) {
        size_t now = piece < count - done ? piece : count - done;
        enum status status =
            store->operations->create_files(store, directory, files + done, now);
        if (status == OK) {
            done += now;
            fresh = false;
        } else if (status != ERR_TRANSACTION_FULL || (fresh && piece == 1)) {
            return status;
        } else if (fresh) {
            piece = (piece + 1) / 2;
        } else {
            status = store->operations->commit(store);
            if (status != OK)
                return status;
            fresh = true;
        }
    }
    return OK;
}

static void describe(struct import_burst *burst, size_t at,
                     const struct import_file *file)
{
    struct snapshot_file_header header = { file->crc, 1 };

    snapshot_file_name(file->ordinal % file->generation->threshold, burst->names[at]);
    snapshot_file_header_encode(&header, burst->headers[at]);
    burst->files[at] = (struct store_new_file){
        .name = burst->names[at],
        .header = burst->headers[at],
        .header_size = SNAPSHOT_FILE_HEADER_SIZE,
        .payload = file->content,
        .payload_size = file->size,
    };
}

static bool same_directory(const struct import_file *a, const struct import_file *b)
{
    return a->generation == b->generation &&
           a->ordinal / a->generation->threshold == b->ordinal / b->generation->threshold;
}

static enum status write_files(struct import_batch *batch, struct import_burst *burst)
{
    struct snapper *snapper = batch->snapper;
    size_t next;

    for (size_t at = 0; at < batch->count; at = next) {
        const struct import_file *first = &batch->files[at];
        u64 directory;

        for (next = at; next < batch->count && same_directory(first, &batch->files[next]);
             next++)
            describe(burst, next, &batch->files[next]);
        enum status status =
            find_level(snapper, first->generation,
                       first->ordinal / first->generation->threshold, &directory);
        if (status == OK)
            status =
                create_files(snapper->store, directory, burst->files + at, next - at);
        if (status != OK)
            return status;
    }
    return OK;
}

/* After a rollback, directories that were just made are not there. */
static void locate_all(struct import_batch *batch)
{
    struct snapper *snapper = batch->snapper;

    for (size_t at = 0; at < batch->count; at++)
        (void)!generation_locate(batch->files[at].generation, snapper->store,
                                 snapper->home);
}

enum status import_batch_flush(struct import_batch *batch)
{
    struct store *store = batch->snapper->store;

    if (batch->count == 0) {
        batch->used = 0;
        return OK;
    }
    struct import_burst *burst = port_alloc(sizeof *burst);
    if (burst == NULL)
        return ERR_NO_MEMORY;
    sort_by_key(batch->files, batch->count, sizeof batch->files[0]);
    enum status status = write_files(batch, burst);
    if (status == OK)
        status = store->operations->commit(store);
    if (status == OK) {
        batch->written += batch->count;
    } else {
        store->operations->rollback(store);
        locate_all(batch);
    }
    batch->count = 0;
    batch->used = 0;
    port_free(burst);
    return status;
}
