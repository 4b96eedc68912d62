#include "kernel/base/log.h"
#include "snapper/session.h"

static enum status count_archive(struct snapper *snapper, struct generation *generation)
{
    struct mapping *mapping;

    enum status status = snapper_load_mapping(snapper, generation, &mapping);
    if (status != OK)
        return status;
    status = rc_table_count(&snapper->listed, mapping);
    mapping_release(mapping);
    generation->counted = status == OK;
    return status;
}

/* The next generation with an archive that is not counted yet, or NULL. */
static enum status next_uncounted(struct snapper *snapper, struct generation **next)
{
    *next = NULL;
    for (size_t at = 0; at < snapper->generations.count; at++) {
        struct generation *generation = snapper->generations.items[at];
        bool has_archive;

        if (generation->counted)
            continue;
        enum status status =
            generation_has_archive(generation, snapper->store, &has_archive);
        if (status == OK && !has_archive)
            continue;
        *next = generation;
        return status;
    }
    return OK;
}

enum status snapper_count_listed(struct snapper *snapper)
{
    for (;;) {
        struct generation *generation;

        enum status status = next_uncounted(snapper, &generation);
        if (generation == NULL)
            return status;
        if (status == OK)
            status = count_archive(snapper, generation);
        if (status == ERR_NO_MEMORY) {
            snapper_forget_listed(snapper);
            return status;
        }
        if (status != OK) {
            log_warning("snapper: nothing is deleted or settled while "
                        "/snapper/%s/archive cannot be read",
                        generation->name.text);
            return status;
        }
    }
}

enum status snapper_permit_deletion(struct snapper *snapper)
{
    enum status status = snapper_count_listed(snapper);

    return status == OK || status == ERR_NO_MEMORY ? status : ERR_PURGE_DENIED;
}

void snapper_forget_listed(struct snapper *snapper)
{
    rc_table_destroy(&snapper->listed);
    for (size_t at = 0; at < snapper->generations.count; at++)
        snapper->generations.items[at]->counted = false;
}

bool snapper_lists_any(const struct snapper *snapper, const struct generation *generation)
{
    u32 limit = rc_table_limit(&snapper->listed, generation);

    for (u32 ordinal = 0; ordinal < limit; ordinal++)
        if (rc_table_get(&snapper->listed, generation, ordinal) > 0)
            return true;
    return false;
}

void snapper_drop_if_gone(struct snapper *snapper, struct generation *generation)
{
    if (generation->node != 0 || generation->unlocated_in != 0 ||
        generation == snapper->current || generation->views > 0 ||
        snapper_lists_any(snapper, generation))
        return;
    rc_table_drop(&snapper->listed, generation);
    generation_remove(&snapper->generations, generation);
}
