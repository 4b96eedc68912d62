#include "snapper/boots.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

u64 snapper_boots(const struct snapper *snapper)
{
    return snapper->record.boots;
}

/* --- writing the count --- */

/* The digit of the file on the disk, if that is what was read when the session began. */
static enum status rewrite_digit(struct snapper *snapper, u64 boots)
{
    const struct store_operations *operations = snapper->store->operations;
    char head[STATE_FILE_HEAD_SIZE];
    u64 node;
    size_t size, at;

    enum status status =
        operations->lookup(snapper->store, snapper->root, "snapper.state", &node);
    if (status == OK)
        status = operations->read(snapper->store, node, 0, head, sizeof head, &size);
    if (status != OK)
        return status;
    if (!state_file_find_boots(head, size, &at))
        return ERR_NOT_FOUND;
    status = operations->poke(snapper->store, node, at, (u8)('0' + boots));
    if (status != OK)
        return status;
    snapper->record.boots = boots; /* also if nobody knows whether that is durable */
    status =
        operations->commit(snapper->store); /* were the file's block in the journal */
    return status == OK ? operations->flush(snapper->store) : status;
}

static enum status replace_record(struct snapper *snapper, u64 boots)
{
    struct state_file next;

    enum status status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    next.boots = boots;
    status = record_commit(snapper, &next);
    state_file_destroy(&next);
    return status;
}

static enum status set_boots(struct snapper *snapper, u64 boots)
{
    if (boots == snapper->record.boots)
        return OK;
    enum status status = rewrite_digit(snapper, boots);
    /* no such file, or one that another hand wrote */
    return status == ERR_NOT_FOUND ? replace_record(snapper, boots) : status;
}

/* --- falling back --- */

static bool is_complete(struct snapper *snapper, struct generation *generation)
{
    bool has_archive;

    return generation_has_archive(generation, snapper->store, &has_archive) == OK &&
           has_archive;
}

/* The next one below it in age, whatever it was based on; NULL: none. */
static struct generation *next_older(struct snapper *snapper,
                                     const struct generation *generation)
{
    size_t at = generation_position(&snapper->generations, &generation->name);

    while (at > 0) {
        struct generation *older = snapper->generations.items[--at];
        if (is_complete(snapper, older))
            return older;
        at = min_size(at, generation_position(&snapper->generations, &older->name));
    }
    return NULL;
}

/* What it was based on, if that is still there. */
static struct generation *find_before(struct snapper *snapper,
                                      struct generation *generation)
{
    struct generation *parent = NULL;
    struct archive archive;
    u64 size;

    if (generation_read_archive(generation, snapper->store, &archive, &size) == OK) {
        parent = generation_find(&snapper->generations, &archive.parent);
        archive_destroy(&archive);
    }
    return parent && is_complete(snapper, parent) ? parent
                                                  : next_older(snapper, generation);
}

/* The first that can be read from `generation` on; with integrity=true none is passed over. */
static enum status open_before(struct snapper *snapper, struct generation *generation)
{
    enum status status = ERR_NOT_FOUND;

    while (generation) {
        status = open_generation(snapper, generation->name.text);
        bool unreadable = status == ERR_INTEGRITY || status == ERR_UNSUPPORTED;
        if (!unreadable || snapper->config->integrity)
            break;
        generation = next_older(snapper, generation);
    }
    return status;
}

/* B3 */
static enum status record_fallback(struct snapper *snapper,
                                   const struct generation_name *left)
{
    struct state_file next;

    enum status status = state_file_copy(&snapper->record, &next);
    if (status != OK)
        return status;
    next.target = snapper->current->name;
    next.boots = 1;
    status = name_list_add(&next.pins, left);
    if (status == OK)
        status = record_commit(snapper, &next);
    state_file_destroy(&next);
    return status;
}

static enum status count(struct snapper *snapper)
{
    return set_boots(snapper, min_u64(snapper->record.boots + 1, STATE_FILE_BOOTS_MAX));
}

static void say_what_died(const struct snapper *snapper,
                          const struct generation *generation)
{
    log_error("snapper: %lu boots in a row died on %s, none took a generation or lasted",
              snapper->record.boots, generation->name.text);
}

/* The generation that too many died on is open; another one is afterwards, if there is one. */
static enum status fall_back(struct snapper *snapper, struct generation_name *left)
{
    struct generation *generation = snapper->current;
    struct generation *before = find_before(snapper, generation);

    say_what_died(snapper, generation);
    if (before == NULL) {
        log_error("snapper: there is none before it, so it is tried again; ways out: the "
                  "boot words hold and fresh");
        return count(snapper);
    }
    *left = generation->name;
    enum status status = close_generation(snapper);
    if (status == OK)
        status = open_before(snapper, before);
    if (status != OK)
        return status;
    log_error("snapper: falling back to %s, the one before; %s stays, and is pinned",
              snapper->current->name.text, left->text);
    return record_fallback(snapper, left);
}

enum status snapper_boot_open(struct snapper *snapper, struct snapper_boot *boot)
{
    struct snapper_boot result = { .died = snapper->record.boots };
    u64 limit = snapper->config->fallback;

    enum status status = open_generation(snapper, NULL);
    if (status != OK)
        return status;
    if (limit > 0) {
        status = result.died < limit ? count(snapper) : fall_back(snapper, &result.left);
        if (status != OK && snapper->state != SNAPPER_RESTORATION)
            return status;
        result.uncounted = status;
        if (status != OK && status != ERR_READ_ONLY)
            log_warning("snapper: this boot is not counted: %s", status_text(status));
    }
    *boot = result;
    return OK;
}

enum status snapper_boot_stands(struct snapper *snapper)
{
    if (snapper->state == SNAPPER_CREATION || snapper->state == SNAPPER_PURGE)
        return ERR_INVALID_STATE;
    return set_boots(snapper, 0);
}

enum status snapper_boot_is_void(struct snapper *snapper)
{
    u64 boots = snapper->record.boots;

    return boots > 0 ? set_boots(snapper, boots - 1) : OK;
}
