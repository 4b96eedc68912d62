#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

/* Writes what was changed in a copy of the record. */
static enum status commit_change(struct snapper *snapper, struct state_file *next,
                                 enum status status)
{
    if (status == OK)
        status = record_commit(snapper, next);
    state_file_destroy(next);
    return status;
}

static enum status find_dormant(struct snapper *snapper, const char *name,
                                struct generation **generation)
{
    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    return snapper_find(snapper, name, generation);
}

enum status snapper_pin(struct snapper *snapper, const char *name)
{
    struct generation *generation;
    struct state_file next;

    enum status status = find_dormant(snapper, name, &generation);
    if (status != OK || name_list_contains(&snapper->record.pins, &generation->name))
        return status;
    status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    return commit_change(snapper, &next, name_list_add(&next.pins, &generation->name));
}

/* By name alone: a pin may outlive a generation that was removed by hand. */
enum status snapper_unpin(struct snapper *snapper, const char *text)
{
    struct generation_name name;
    struct state_file next;

    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    if (text == NULL || !text_copy(name.text, sizeof name.text, text) ||
        !name_list_contains(&snapper->record.pins, &name))
        return ERR_NOT_FOUND;
    enum status status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    name_list_remove(&next.pins, &name);
    return commit_change(snapper, &next, OK);
}

/* A target that cannot be read would only stop the next start. */
static enum status check_target(struct snapper *snapper, const char *text,
                                struct generation_name *name)
{
    struct generation *generation;
    struct mapping *mapping;

    enum status status = snapper_find(snapper, text, &generation);
    if (status == OK)
        status = snapper_load_mapping(snapper, generation, &mapping);
    if (status != OK)
        return status;
    mapping_release(mapping);
    *name = generation->name;
    return OK;
}

enum status snapper_rollback(struct snapper *snapper, const char *name)
{
    struct generation_name target = { 0 };
    struct state_file next;
    enum status status = OK;

    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    if (name != NULL)
        status = check_target(snapper, name, &target);
    if (status == OK)
        status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    next.target = target;
    return commit_change(snapper, &next, OK);
}

struct generation_name snapper_target(const struct snapper *snapper)
{
    return snapper->record.target;
}

/* The generation that has an archive and `steps` of them behind it. */
static enum status nth_newest(struct snapper *snapper, u64 steps,
                              struct generation_name *name)
{
    for (size_t at = snapper->generations.count; at > 0; at--) {
        struct generation *generation = snapper->generations.items[at - 1];
        bool has_archive;

        if (generation_has_archive(generation, snapper->store, &has_archive) == OK &&
            !has_archive)
            continue;
        if (steps-- == 0) {
            *name = generation->name;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}

static enum status by_beginning(struct snapper *snapper, const char *text,
                                struct generation_name *name)
{
    const struct generation *match = NULL;

    for (size_t at = 0; at < snapper->generations.count; at++) {
        struct generation *generation = snapper->generations.items[at];
        bool has_archive;

        if (!text_starts_with(generation->name.text, text) ||
            (generation_has_archive(generation, snapper->store, &has_archive) == OK &&
             !has_archive))
            continue;
        if (match != NULL) {
            log_warning("snapper: '%s' is %s and %s", text, match->name.text,
                        generation->name.text);
            return ERR_INVALID_ARGUMENT;
        }
        match = generation;
    }
    if (match == NULL)
        return ERR_NOT_FOUND;
    *name = match->name;
    return OK;
}

enum status snapper_resolve(struct snapper *snapper, const char *text,
                            struct generation_name *name)
{
    static const char latest[] = "latest";
    u64 steps = 0;

    if (text[0] == '\0')
        return ERR_INVALID_ARGUMENT;
    if (text_equal(text, "oldest")) {
        size_t count = snapper_generation_count(snapper);
        return count > 0 ? nth_newest(snapper, count - 1, name) : ERR_NOT_FOUND;
    }
    if (!text_starts_with(text, latest))
        return by_beginning(snapper, text, name);
    const char *rest = text + sizeof latest - 1;
    if (rest[0] != '\0' && (rest[0] != '~' || !text_to_u64(rest + 1, &steps)))
        return ERR_INVALID_ARGUMENT;
    return nth_newest(snapper, steps, name);
}
