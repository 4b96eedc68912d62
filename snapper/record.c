#include "kernel/base/port.h"
#include "snapper/session.h"

enum status record_write(struct snapper *snapper, const struct state_file *record)
{
    char *text;
    size_t size;

    enum status status = state_file_encode(record, &text, &size);
    if (status != OK)
        return status;
    status = snapper->store->operations->replace_file(snapper->store, snapper->root,
                                                      "snapper.state", text, size);
    port_free(text);
    return status;
}

u64 record_room(const struct snapper *snapper, const struct state_file *record)
{
    enum { LINE = 48 };
    u64 lines = 5 + record->purging.count + record->pins.count + record->settled.count;
    struct store_space space;

    snapper->store->operations->space(snapper->store, &space);
    return lines * LINE / space.block_size + STORE_STEP_ROOM;
}

enum status record_commit(struct snapper *snapper, struct state_file *next)
{
    struct store *store = snapper->store;

    enum status status = record_write(snapper, next);
    if (status == OK)
        status = store->operations->commit(store);
    if (status != OK) {
        store->operations->rollback(store);
        return status;
    }
    state_file_destroy(&snapper->record);
    snapper->record = *next;
    *next = (struct state_file){ 0 };
    return OK;
}
