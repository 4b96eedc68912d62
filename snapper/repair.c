#include "kernel/base/crc.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/session.h"
#include "snapper/snapshot_file.h"

enum { PIECE_SIZE = 4096 };

bool is_repairable(enum status status)
{
    return status == ERR_CORRUPT || status == ERR_NOT_FOUND;
}

/* Has the file of this node the checksum of its own content, whatever that is? */
static enum status is_valid_by_itself(struct store *store, u64 node, u8 *piece,
                                      bool *valid)
{
    struct snapshot_file_header header;
    u64 at = SNAPSHOT_FILE_HEADER_SIZE;
    u32 crc = 0;
    size_t got;

    *valid = false;
    enum status status =
        store->operations->read(store, node, 0, piece, SNAPSHOT_FILE_HEADER_SIZE, &got);
    if (status != OK || snapshot_file_header_decode(piece, got, &header) != OK)
        return status;
    do {
        status = store->operations->read(store, node, at, piece, PIECE_SIZE, &got);
        if (status != OK)
            return status;
        crc = crc32_update(crc, piece, got);
        at += got;
    } while (got > 0);
    *valid = crc == header.crc;
    return OK;
}

/* Of a file like that nothing would be learnt by reading it, and that might take for ever. */
static bool has_holes(struct store *store, const struct store_stat *stat)
{
    struct store_space space;

    store->operations->space(store, &space);
    return stat->size_bytes > stat->allocated_bytes ||
           stat->size_bytes / space.block_size >= space.total_blocks;
}

/*
 * A sound file of another size belongs to another archive than the one that calls it damaged; one of the
 * two lies, and the file is not the place to decide that (S3).
 */
static enum status refuse_if_of_another(struct snapper *snapper,
                                        const struct mapping_run *run, u32 ordinal)
{
    struct store *store = snapper->store;
    struct store_stat stat;
    bool valid;
    u64 node;

    enum status status = generation_file(run->generation, store, ordinal, &node);
    if (status == OK)
        status = store->operations->stat(store, node, &stat);
    if (status == ERR_NOT_FOUND || status == ERR_CORRUPT)
        return OK;
    if (status != OK ||
        stat.size_bytes == (u64)run->object_size + SNAPSHOT_FILE_HEADER_SIZE ||
        has_holes(store, &stat))
        return status;
    u8 *piece = port_alloc(PIECE_SIZE);
    if (piece == NULL)
        return ERR_NO_MEMORY;
    status = is_valid_by_itself(store, node, piece, &valid);
    port_free(piece);
    if (status != OK)
        return status == ERR_CORRUPT ? OK : status;
    return valid ? ERR_EXISTS : OK;
}

static enum status replace(struct snapper *snapper, u64 directory, const char *name,
                           const struct snapshot_file_header *header, const void *content,
                           size_t size)
{
    struct store *store = snapper->store;
    u8 *raw = port_alloc(size + SNAPSHOT_FILE_HEADER_SIZE);

    if (raw == NULL)
        return ERR_NO_MEMORY;
    snapshot_file_header_encode(header, raw);
    memcpy(raw + SNAPSHOT_FILE_HEADER_SIZE, content, size);
    enum status status = store->operations->replace_file(
        store, directory, name, raw, size + SNAPSHOT_FILE_HEADER_SIZE);
    port_free(raw);
    return status;
}

/* The rc that was in the damaged file is not to be believed, so nothing is settled any more. */
static enum status commit_unsettled(struct snapper *snapper)
{
    struct state_file next;

    if (snapper->record.settled.count == 0)
        return snapper->store->operations->commit(snapper->store);
    enum status status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    name_list_clear(&next.settled);
    status = record_commit(snapper, &next);
    state_file_destroy(&next);
    return status;
}

enum status repair_copy(struct snapper *snapper, const struct mapping_run *run, u64 id,
                        const void *content)
{
    struct generation *generation = run->generation;
    u32 ordinal = run->first_ordinal + (u32)(id - run->first_id);
    struct snapshot_file_header header = { crc32(content, run->object_size), 1 };
    struct store *store = snapper->store;
    char name[SNAPSHOT_NAME_SIZE];
    struct store_space space;
    u64 directory;

    store->operations->space(store, &space);
    if (space.read_only)
        return ERR_READ_ONLY;
    snapper_forget_settling(snapper);
    enum status status = refuse_if_of_another(snapper, run, ordinal);
    if (status == OK)
        status = generation_level(generation, store, ordinal / generation->threshold,
                                  &directory);
    if (status == OK) {
        snapshot_file_name(ordinal % generation->threshold, name);
        status = replace(snapper, directory, name, &header, content, run->object_size);
        if (status == OK)
            status = commit_unsettled(snapper);
        if (status != OK)
            store->operations->rollback(store);
    }
    if (status == OK)
        log_warning("snapper: object 0x%lx: /snapper/%s file number %u rewritten from a "
                    "good copy",
                    id, generation->name.text, ordinal);
    else
        log_warning("snapper: object 0x%lx: /snapper/%s file number %u stays damaged: %s",
                    id, generation->name.text, ordinal, status_text(status));
    return status;
}
