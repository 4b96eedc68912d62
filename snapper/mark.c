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
    next.boots = 0; /* B2 of boots.h */
    return commit_change(snapper, &next, OK);
}

void snapper_mark_passing(struct snapper *snapper)
{
    ASSERT(snapper->state == SNAPPER_CREATION);
    snapper->creation.passing = true;
}

struct generation_name snapper_target(const struct snapper *snapper)
{
    return snapper->record.target;
}
