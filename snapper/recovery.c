#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "snapper/session.h"

/* Makes this generation the one that the session descends from. */
static enum status adopt(struct snapper *snapper, struct generation *generation)
{
    struct mapping *mapping;

    enum status status = snapper_load_mapping(snapper, generation, &mapping);
    if (status != OK)
        return status;
    mapping_release(snapper->mapping);
    snapper->mapping = mapping;
    snapper->current = generation;
    return OK;
}

static void say_ways_out(const struct generation *generation)
{
    log_error(
        "snapper: generation %s cannot be read; ways out: generation=NAME for another "
        "one, "
        "snapper.integrity=false for the next older one, snapctl to put a backup back",
        generation->name.text);
}

/* The newest that has an archive; with integrity=false the newest that can be read. */
static enum status adopt_newest(struct snapper *snapper)
{
    for (size_t at = snapper->generations.count; at > 0; at--) {
        struct generation *generation = snapper->generations.items[at - 1];
        bool has_archive;

        enum status status =
            generation_has_archive(generation, snapper->store, &has_archive);
        if (status != OK)
            return status;
        if (!has_archive)
            continue;
        status = adopt(snapper, generation);
        if (status != ERR_CORRUPT && status != ERR_UNSUPPORTED && status != ERR_IO)
            return status;
        if (snapper->config->integrity) {
            say_ways_out(generation);
            return ERR_INTEGRITY;
        }
        log_warning("snapper: generation %s skipped (snapper.integrity=false)",
                    generation->name.text);
    }
    return ERR_NOT_FOUND;
}

static enum status adopt_named(struct snapper *snapper, const char *name)
{
    struct generation *generation;

    enum status status = snapper_find(snapper, name, &generation);
    if (status != OK)
        return status;
    status = adopt(snapper, generation);
    if (status != ERR_CORRUPT && status != ERR_UNSUPPORTED)
        return status;
    say_ways_out(generation);
    return status == ERR_CORRUPT ? ERR_INTEGRITY : status;
}

enum status open_generation(struct snapper *snapper, const char *name)
{
    enum status status;

    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    if (name == NULL && !generation_name_is_empty(&snapper->record.target))
        name = snapper->record.target.text;
    status = name != NULL ? adopt_named(snapper, name) : adopt_newest(snapper);
    if (status == OK)
        snapper->state = SNAPPER_RESTORATION;
    return status;
}

enum status restore(struct snapper *snapper, void *buffer, size_t size, u64 id,
                    size_t *restored)
{
    if (snapper->state != SNAPPER_RESTORATION)
        return ERR_INVALID_STATE;
    return object_restore(snapper, snapper->mapping, buffer, size, id, restored);
}

enum status close_generation(struct snapper *snapper)
{
    if (snapper->state != SNAPPER_RESTORATION)
        return ERR_INVALID_STATE;
    snapper->state = SNAPPER_DORMANT;
    return OK;
}
