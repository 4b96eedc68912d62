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
    session_descend(snapper, generation, mapping);
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

static bool is_unreadable(enum status status)
{
    return status == ERR_CORRUPT || status == ERR_UNSUPPORTED || status == ERR_IO;
}

/* The newest of the first `count` that has an archive; with integrity=false one that can be read. */
static enum status adopt_newest(struct snapper *snapper, size_t count)
{
    for (size_t at = count; at > 0; at--) {
        struct generation *generation = snapper->generations.items[at - 1];
        bool has_archive = true;

        enum status status =
            generation_has_archive(generation, snapper->store, &has_archive);
        if (!has_archive)
            continue;
        if (status ==
            OK) /* may add dead generations to the list, all older than this one */
            status = adopt(snapper, generation);
        if (!is_unreadable(status))
            return status;
        if (snapper->config->integrity) {
            say_ways_out(generation);
            return ERR_INTEGRITY;
        }
        log_warning("snapper: generation %s skipped (snapper.integrity=false)",
                    generation->name.text);
        at = generation_position(&snapper->generations, &generation->name) + 1;
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
    if (!is_unreadable(status))
        return status;
    say_ways_out(generation);
    return status == ERR_UNSUPPORTED ? status : ERR_INTEGRITY;
}

/* A target that is not there must not pass for "no generation at all". */
static enum status adopt_target(struct snapper *snapper)
{
    const struct generation_name target = snapper->record.target;
    struct generation *generation;

    if (snapper->config->integrity) {
        enum status status = adopt_named(snapper, target.text);
        if (status != ERR_NOT_FOUND)
            return status;
        log_error("snapper: the rollback target %s is not there; ways out: "
                  "generation=NAME, or another rollback with snapctl",
                  target.text);
        return ERR_INTEGRITY;
    }
    enum status status = generation_add(&snapper->generations, &target, &generation);
    if (status != OK)
        return status;
    return adopt_newest(snapper, generation_position(&snapper->generations, &target) + 1);
}

enum status open_generation(struct snapper *snapper, const char *name)
{
    enum status status;

    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    if (name != NULL)
        status = adopt_named(snapper, name);
    else if (!generation_name_is_empty(&snapper->record.target))
        status = adopt_target(snapper);
    else
        status = adopt_newest(snapper, snapper->generations.count);
    if (status != OK)
        return status;
    snapper->state = SNAPPER_RESTORATION;
    snapper_trace(snapper, "snapper: %s opened: %lu objects in %zu runs",
                  snapper->current->name.text, snapper->mapping->objects,
                  snapper->mapping->count);
    return OK;
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
