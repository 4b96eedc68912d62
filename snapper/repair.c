#include "kernel/base/crc.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/session.h"
#include "snapper/snapshot_file.h"

bool is_repairable(enum status status)
{
    return status == ERR_CORRUPT || status == ERR_NOT_FOUND;
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
    enum status status =
        generation_level(generation, store, ordinal / generation->threshold, &directory);
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
