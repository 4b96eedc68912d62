#include "snapper/pending.h"

#include "kernel/base/port.h"
#include "kernel/base/sort.h"
#include "kernel/base/string.h"

struct pending *pending_find(struct creation *creation, u64 id)
{
    u64 at;

    return map_get(&creation->index, id, &at) ? &creation->pending[at] : NULL;
}

static enum status make_room(struct creation *creation)
{
    if (creation->count < creation->capacity)
        return OK;
    size_t capacity = creation->capacity ? creation->capacity * 2 : 64;
    struct pending *pending = port_alloc(capacity * sizeof *pending);
    if (pending == NULL)
        return ERR_NO_MEMORY;
    if (creation->count > 0)
        memcpy(pending, creation->pending, creation->count * sizeof *pending);
    port_free(creation->pending);
    creation->pending = pending;
    creation->capacity = capacity;
    return OK;
}

void pending_drop_payload(struct pending *entry)
{
    if (entry->owned)
        port_free((void *)entry->payload);
    entry->owned = false;
}

enum status pending_set(struct creation *creation, const struct pending *entry)
{
    struct pending *known = pending_find(creation, entry->id);

    if (known != NULL) {
        pending_drop_payload(known);
        *known = *entry;
        return OK;
    }
    enum status status = make_room(creation);
    if (status == OK)
        status = map_set(&creation->index, entry->id, creation->count);
    if (status == OK)
        creation->pending[creation->count++] = *entry;
    return status;
}

void pending_sort(struct creation *creation)
{
    const struct pending *entries = creation->pending;
    bool sorted = true;

    for (size_t at = 1; at < creation->count && sorted; at++)
        sorted = entries[at - 1].id < entries[at].id;
    if (!sorted) /* pages arrive in order of address, as a rule */
        sort_by_key(creation->pending, creation->count, sizeof *entries);
}

void creation_clear(struct creation *creation)
{
    for (size_t at = 0; at < creation->count; at++)
        pending_drop_payload(&creation->pending[at]);
    port_free(creation->pending);
    map_destroy(&creation->index);
    mapping_release(creation->base);
    if (creation->parent != NULL)
        creation->parent->views--;
    *creation = (struct creation){ 0 };
}
