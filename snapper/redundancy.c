#include "kernel/base/crc.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "snapper/pending.h"

/* Has the group been listed often enough to deserve a further copy (spec 3.3)? */
static bool deserves_copy(const struct snapper_config *config,
                          const struct mapping_run *newest, size_t listed)
{
    return newest->age >= config->redundancy && listed <= ARCHIVE_RANK_MAX &&
           (config->copies == 0 || listed < config->copies);
}

/* An object that was taken unchanged lends its payload; any other is read from a good copy. */
static enum status plan_copy(struct snapper *snapper, struct mapping_run *runs,
                             size_t listed, u64 id, bool *planned)
{
    struct pending *known = pending_find(&snapper->creation, id);
    struct pending copy = { .id = id, .size = runs->object_size, .kind = PENDING_COPY };
    void *content;

    *planned = false;
    if (known != NULL && known->kind != PENDING_UNCHANGED)
        return OK;
    *planned = true;
    if (known != NULL) {
        known->kind = PENDING_COPY;
        return OK;
    }
    content = port_alloc(runs->object_size + 1);
    if (content == NULL)
        return ERR_NO_MEMORY;
    enum status status = object_read(snapper, runs, listed, id, content);
    if (status == OK) {
        copy.payload = content;
        copy.owned = true;
        copy.crc = crc32(content, copy.size);
        status = pending_set(&snapper->creation, &copy);
    }
    if (status != OK)
        port_free(content);
    if (status != OK && status != ERR_NO_MEMORY) {
        *planned = false; /* reported; what cannot be read cannot be copied */
        return OK;
    }
    return status;
}

enum status redundancy_plan(struct snapper *snapper)
{
    const struct snapper_config *config = snapper->config;
    struct mapping *base = snapper->creation.base;
    u64 budget = config->copy_budget;
    size_t listed;

    if (base == NULL || config->redundancy == 0)
        return OK;
    for (size_t at = 0; at < base->count && budget > 0; at += listed) {
        struct mapping_run *runs = &base->runs[at];

        listed = mapping_group_size(base, at);
        if (!deserves_copy(config, runs, listed))
            continue;
        for (u32 i = 0; i < runs->count && budget > 0; i++) {
            bool planned;
            enum status status =
                plan_copy(snapper, runs, listed, runs->first_id + i, &planned);
            if (status == ERR_NO_MEMORY) {
                log_info("snapper: no memory for further redundancy copies now");
                return OK;
            }
            if (status != OK)
                return status;
            budget -= planned;
        }
    }
    return OK;
}
