/*
 * The generation that the session descends from, for a pager: which objects it has, and their bytes.
 */
#include "kernel/base/checked.h"
#include "snapper/session.h"

bool current_run(const struct snapper *snapper, u64 id, struct snapper_run *run)
{
    const struct mapping *mapping = snapper->mapping;
    if (mapping == NULL)
        return false;

    const struct mapping_run *found = mapping_seek(mapping, id);
    if (found == NULL)
        return false;
    u64 skipped = id > found->first_id ? id - found->first_id : 0;
    *run = (struct snapper_run){ found->first_id + skipped, found->count - skipped,
                                 found->object_size };
    return true;
}

enum status current_restore(struct snapper *snapper, void *buffer, size_t size, u64 id,
                            size_t *restored)
{
    if (snapper->mapping == NULL)
        return ERR_NOT_FOUND;
    return object_restore(snapper, snapper->mapping, buffer, size, id, restored);
}

enum status forget_range(struct snapper *snapper, u64 first_id, u64 last_id)
{
    const struct mapping *base = snapper->creation.base;
    if (snapper->state != SNAPPER_CREATION)
        return ERR_INVALID_STATE;

    while (base != NULL && first_id <= last_id) {
        const struct mapping_run *run = mapping_seek(base, first_id);
        if (run == NULL)
            break;
        u64 id = max_u64(run->first_id, first_id);
        u64 end = min_u64(run->first_id + (run->count - 1), last_id);
        for (u64 left = id > end ? 0 : end - id + 1; left > 0; left--) {
            enum status status = forget(snapper, id++);
            if (status != OK && status != ERR_NOT_FOUND)
                return status;
        }
        if (end == last_id)
            break;
        first_id = end + 1;
    }
    return OK;
}
