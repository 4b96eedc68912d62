#include "snapper/retention.h"

#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

static bool has_name(const struct generation *generation,
                     const struct generation_name *name)
{
    return generation_name_compare(&generation->name, name) == 0;
}

const char *retention_obstacle(const struct snapper *snapper,
                               const struct generation *generation)
{
    if (generation == snapper->current)
        return "the system runs on it";
    if (generation->views > 0)
        return "it is being read";
    if (has_name(generation, &snapper->record.target))
        return "it is the rollback target";
    if (name_list_contains(&snapper->record.pins, &generation->name))
        return "it is pinned";
    return NULL;
}

static enum status deny(const struct generation *generation, const char *why)
{
    log_warning("snapper: %s is not purged: %s", generation->name.text, why);
    return ERR_PURGE_DENIED;
}

static bool is_complete(const struct snapper *snapper, struct generation *generation)
{
    bool has_archive;

    return generation_has_archive(generation, snapper->store, &has_archive) != OK ||
           has_archive;
}

static struct generation *oldest_of(const struct snapper *snapper)
{
    for (size_t at = 0; at < snapper->generations.count; at++)
        if (is_complete(snapper, snapper->generations.items[at]))
            return snapper->generations.items[at];
    return NULL;
}

struct generation *retention_newest(const struct snapper *snapper)
{
    for (size_t at = snapper->generations.count; at > 0; at--)
        if (is_complete(snapper, snapper->generations.items[at - 1]))
            return snapper->generations.items[at - 1];
    return NULL;
}

struct generation *retention_next(const struct snapper *snapper,
                                  const struct generation *after)
{
    const struct generation *last = retention_newest(snapper);
    size_t at = after ? generation_position(&snapper->generations, &after->name) + 1 : 0;

    for (; at < snapper->generations.count; at++) {
        struct generation *generation = snapper->generations.items[at];

        if (generation != last && is_complete(snapper, generation) &&
            retention_obstacle(snapper, generation) == NULL)
            return generation;
    }
    return NULL;
}

/* How many generations there are, for certain: a directory that hides must not cost another one. */
enum status retention_count(const struct snapper *snapper, size_t *count)
{
    size_t complete = 0;

    for (size_t at = 0; at < snapper->generations.count; at++) {
        bool has_archive;
        enum status status = generation_has_archive(snapper->generations.items[at],
                                                    snapper->store, &has_archive);
        if (status != OK)
            return status;
        complete += has_archive;
    }
    *count = complete;
    return OK;
}

static enum status purge_aloud(struct snapper *snapper, struct generation *generation,
                               struct snapper_purge_report *report)
{
    log_info("snapper: purging %s", generation->name.text);
    return purge_generation(snapper, generation, report);
}

static enum status find_named(struct snapper *snapper, const char *name,
                              struct generation **generation)
{
    if (name != NULL)
        return snapper_find(snapper, name, generation);
    *generation = oldest_of(snapper);
    return *generation != NULL ? OK : ERR_NOT_FOUND;
}

enum status purge(struct snapper *snapper, const char *name,
                  struct snapper_purge_report *report)
{
    struct generation *generation;
    size_t count;

    *report = (struct snapper_purge_report){ 0 };
    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    enum status status = find_named(snapper, name, &generation);
    if (status != OK)
        return status;
    const char *obstacle = retention_obstacle(snapper, generation);
    if (obstacle != NULL)
        return deny(generation, obstacle);
    status = retention_count(snapper, &count);
    if (status != OK)
        return status;
    if (count <= snapper->config->min_snapshots)
        return deny(generation, "min_snapshots would not be left");
    snapper->state = SNAPPER_PURGE;
    status = purge_aloud(snapper, generation, report);
    snapper->state = SNAPPER_DORMANT;
    return status;
}

enum status retention_drop(struct snapper *snapper, const struct generation_name *name,
                           struct snapper_purge_report *report)
{
    struct generation *generation = generation_find(&snapper->generations, name);
    size_t count;

    if (generation == NULL || !is_complete(snapper, generation) ||
        retention_obstacle(snapper, generation) != NULL)
        return OK;
    enum status status = retention_count(snapper, &count);
    if (status != OK || count <= snapper->config->min_snapshots)
        return status;
    snapper->state = SNAPPER_PURGE;
    status = purge_generation(snapper, generation, report);
    snapper->state = SNAPPER_DORMANT;
    return status;
}

static bool is_unreadable(enum status status)
{
    return status == ERR_CORRUPT || status == ERR_UNSUPPORTED || status == ERR_IO;
}

/* What only it listed goes now, if all others can be read; if not, whenever they can. */
static enum status give_up(struct snapper *snapper, struct generation *generation,
                           struct snapper_purge_report *report)
{
    struct snapper_cleanup_report cleanup = { 0 };

    enum status status = purge_unreadable(snapper, generation, report);
    if (status != OK)
        return status;
    status = cleanup_all(snapper, &cleanup);
    report->files += cleanup.files;
    return status == ERR_PURGE_DENIED ? OK : status;
}

enum status purge_forced(struct snapper *snapper, const char *name,
                         struct snapper_purge_report *report)
{
    struct generation *generation;
    struct mapping *mapping;

    *report = (struct snapper_purge_report){ 0 };
    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    enum status status = find_named(snapper, name, &generation);
    if (status != OK)
        return status;
    const char *obstacle = retention_obstacle(snapper, generation);
    if (obstacle != NULL)
        return deny(generation, obstacle);
    snapper->state = SNAPPER_PURGE;
    status = snapper_load_mapping(snapper, generation, &mapping);
    if (status == OK) {
        mapping_release(mapping);
        status = purge_aloud(snapper, generation, report);
    } else if (is_unreadable(status)) {
        status = give_up(snapper, generation, report);
    }
    snapper->state = SNAPPER_DORMANT;
    return status;
}

/* Seconds that do not fit microseconds mean: for ever. A clock before 1970 + expiration: nothing. */
static bool is_expired(const struct snapper *snapper, const struct generation *generation,
                       u64 now)
{
    u64 age_limit = snapper->config->expiration * 1000000;

    return age_limit > 0 && now > age_limit && generation->time < now - age_limit;
}

static enum status apply_rules(struct snapper *snapper,
                               struct snapper_purge_report *report)
{
    const struct snapper_config *config = snapper->config;
    u64 now = port_now_microseconds();
    size_t count;

    enum status status = retention_count(snapper, &count);
    for (; status == OK && count > config->min_snapshots; count--) {
        struct generation *oldest = retention_next(snapper, NULL);
        bool surplus = config->max_snapshots > 0 && count > config->max_snapshots;

        if (oldest == NULL || (!surplus && !is_expired(snapper, oldest, now)))
            return OK; /* those behind it are younger */
        snapper_trace(snapper, "snapper: purging %s", oldest->name.text);
        status = purge_generation(snapper, oldest, report);
    }
    return status;
}

enum status purge_expired(struct snapper *snapper, struct snapper_purge_report *report)
{
    *report = (struct snapper_purge_report){ 0 };
    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    if (snapper->config->max_snapshots == 0 && snapper->config->expiration == 0)
        return OK;
    snapper->state = SNAPPER_PURGE;
    enum status status = apply_rules(snapper, report);
    snapper->state = SNAPPER_DORMANT;
    return status;
}

/* The list changes under it: a directory that is emptied is dropped. */
static enum status look_through(struct snapper *snapper,
                                struct snapper_zombie_report *report)
{
    for (size_t at = snapper->generations.count; at > 0; at--) {
        struct generation *generation = snapper->generations.items[at - 1];
        u64 files;

        if (generation->node == 0 || is_complete(snapper, generation))
            continue;
        enum status status = cleanup_generation(snapper, generation, &files);
        if (status != OK)
            return status;
        report->directories++;
        report->files += files;
    }
    return OK;
}

enum status purge_zombies(struct snapper *snapper, struct snapper_zombie_report *report)
{
    *report = (struct snapper_zombie_report){ 0 };
    if (snapper->state != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    snapper->state = SNAPPER_PURGE;
    enum status status = snapper_permit_deletion(snapper);
    if (status == OK)
        status = look_through(snapper, report);
    snapper->state = SNAPPER_DORMANT;
    return status;
}
