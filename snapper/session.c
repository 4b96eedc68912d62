#include "snapper/session.h"

#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"

enum { STATE_FILE_MAX = 1 << 20 };

static enum status read_text(struct snapper *snapper, char **text, size_t *size)
{
    const struct store_operations *operations = snapper->store->operations;
    struct store_stat stat;
    u64 node;

    enum status status =
        operations->lookup(snapper->store, snapper->root, "snapper.state", &node);
    if (status == OK)
        status = operations->stat(snapper->store, node, &stat);
    if (status != OK)
        return status;
    if (stat.is_directory)
        return ERR_IS_DIRECTORY;
    if (stat.size_bytes > STATE_FILE_MAX)
        return ERR_TOO_LARGE;
    char *bytes = port_alloc(stat.size_bytes + 1);
    if (bytes == NULL)
        return ERR_NO_MEMORY;
    status = operations->read(snapper->store, node, 0, bytes, stat.size_bytes, size);
    if (status != OK) {
        port_free(bytes);
        return status;
    }
    *text = bytes;
    return OK;
}

/*
 * Losing it loses no generation, so a damaged one does not stop the session. One that the disk does not
 * give does: it may come back, and without it pinned generations would go and another one be resumed.
 */
static enum status read_record(struct snapper *snapper)
{
    char *text;
    size_t size;

    enum status status = read_text(snapper, &text, &size);
    if (status == OK) {
        status = state_file_decode(text, size, &snapper->record);
        port_free(text);
    }
    if (status == OK || status == ERR_NOT_FOUND)
        return OK;
    bool is_damaged = status != ERR_NO_MEMORY && status != ERR_IO;
    log_warning("snapper: /snapper.state cannot be read (%s)%s", status_text(status),
                is_damaged ? ": pins are not known" : "");
    return is_damaged ? OK : status;
}

static enum status read_home(struct snapper *snapper)
{
    const struct store_operations *operations = snapper->store->operations;

    enum status status = operations->root(snapper->store, &snapper->root);
    if (status != OK)
        return status;
    status = operations->lookup(snapper->store, snapper->root, "snapper", &snapper->home);
    if (status == ERR_NOT_FOUND) {
        snapper->home = 0;
        return OK;
    }
    if (status == OK)
        status =
            generation_list_read(&snapper->generations, snapper->store, snapper->home);
    if (status != OK)
        log_error("snapper: /snapper cannot be read: %s", status_text(status));
    if (snapper->generations.references > 0)
        log_info("snapper: /snapper holds %u generations of the original program, which "
                 "are left alone; snapctl can import them",
                 snapper->generations.references);
    return status;
}

enum status snapper_open(struct store *store, const struct snapper_config *config,
                         struct snapper **snapper)
{
    struct snapper *session = port_alloc(sizeof *session);

    if (session == NULL)
        return ERR_NO_MEMORY;
    session->store = store;
    session->config = config;
    enum status status = read_home(session);
    if (status == OK)
        status = read_record(session);
    if (status != OK) {
        snapper_close(session);
        return status;
    }
    *snapper = session;
    return OK;
}

void snapper_close(struct snapper *snapper)
{
    if (snapper->state == SNAPPER_CREATION && abort_snapshot(snapper) != OK)
        log_warning("snapper: the snapshot in creation could not be aborted");
    mapping_release(snapper->mapping);
    snapper_forget_settling(snapper);
    rc_table_destroy(&snapper->listed);
    generation_list_destroy(&snapper->generations);
    state_file_destroy(&snapper->record);
    port_free(snapper);
}

enum snapper_state snapper_state(const struct snapper *snapper)
{
    return snapper->state;
}

struct generation_name snapper_current(const struct snapper *snapper)
{
    return snapper->current ? snapper->current->name : (struct generation_name){ 0 };
}

enum status snapper_find(struct snapper *snapper, const char *text,
                         struct generation **generation)
{
    struct generation_name name;
    bool has_archive;

    if (text == NULL) {
        *generation = snapper->current;
        return snapper->current ? OK : ERR_NOT_FOUND;
    }
    if (!text_copy(name.text, sizeof name.text, text))
        return ERR_NOT_FOUND;
    struct generation *found = generation_find(&snapper->generations, &name);
    if (found == NULL)
        return ERR_NOT_FOUND;
    enum status status = generation_has_archive(found, snapper->store, &has_archive);
    if (status != OK)
        return status;
    if (!has_archive)
        return ERR_NOT_FOUND;
    *generation = found;
    return OK;
}

enum status snapper_load_mapping(struct snapper *snapper, struct generation *generation,
                                 struct mapping **mapping)
{
    if (generation != snapper->current || snapper->mapping == NULL)
        return snapper_read_mapping(snapper, generation, mapping);
    *mapping = mapping_hold(snapper->mapping);
    return OK;
}

enum status snapper_read_mapping(struct snapper *snapper, struct generation *generation,
                                 struct mapping **mapping)
{
    struct archive archive;
    u64 size;

    enum status status =
        generation_read_archive(generation, snapper->store, &archive, &size);
    if (status != OK)
        return status;
    status = mapping_from_archive(&archive, &snapper->generations, mapping);
    archive_destroy(&archive);
    return status;
}

void session_descend(struct snapper *snapper, struct generation *generation,
                     struct mapping *mapping)
{
    struct mapping *before = snapper->mapping;

    /* An interrupt may look (current_run()): it finds the one or the other. */
    __atomic_store_n(&snapper->mapping, mapping, __ATOMIC_SEQ_CST);
    snapper->current = generation;
    mapping_release(before);
}
