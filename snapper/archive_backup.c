#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/transfer_check.h"

enum status snapper_archive_save(struct snapper *snapper, const char *name, u8 **raw,
                                 size_t *size, bool *good)
{
    struct generation *generation;
    struct mapping *mapping;

    enum status status = snapper_find(snapper, name, &generation);
    if (status == OK)
        status = generation_read_archive_bytes(generation, snapper->store, raw, size);
    if (status != OK)
        return status;
    *good = snapper_read_mapping(snapper, generation, &mapping) == OK;
    if (*good)
        mapping_release(mapping);
    return OK;
}

/* --- putting back --- */

static enum status decode(struct snapper *snapper, const u8 *raw, size_t size,
                          struct archive *archive)
{
    const char *why = "";

    enum status status = archive_decode(raw, size, archive, &why);
    if (status != OK) {
        log_error("snapper: not an archive that can be put back: %s", why);
        return status;
    }
    why = generation_archive_obstacle(archive, snapper->store);
    if (why == NULL)
        return OK;
    log_error("snapper: not an archive of this image: %s", why);
    archive_destroy(archive);
    return ERR_CORRUPT;
}

/* A readable archive is replaced by no other. */
static enum status check_place(struct snapper *snapper, struct generation *generation,
                               const u8 *raw, size_t size)
{
    struct archive archive;
    size_t there_size = 0;
    u64 archive_size;
    u8 *there = NULL;

    if (generation->node == 0)
        return OK;
    enum status status =
        generation_read_archive_bytes(generation, snapper->store, &there, &there_size);
    bool same = status == OK && there_size == size && memcmp(there, raw, size) == 0;
    if (status == OK)
        port_free(there);
    if (same || status == ERR_NOT_FOUND)
        return OK;
    if (generation_read_archive(generation, snapper->store, &archive, &archive_size) !=
        OK)
        return OK;
    archive_destroy(&archive);
    log_error("snapper: %s has a readable archive, and not this one",
              generation->name.text);
    return ERR_EXISTS;
}

/* A new file: overwriting the damaged one would send all of it through the journal. */
static enum status replace_archive(struct store *store, u64 directory, const u8 *raw,
                                   size_t size)
{
    enum status status = store->operations->remove_file(store, directory, "archive");

    if (status == OK || status == ERR_NOT_FOUND)
        status = store->operations->replace_file(store, directory, "archive", raw, size);
    return status;
}

static enum status write_archive(struct snapper *snapper, struct generation *generation,
                                 const u8 *raw, size_t size)
{
    struct store *store = snapper->store;
    const struct store_operations *operations = store->operations;
    u64 home = snapper->home, node = generation->node;
    enum status status = OK;

    if (home == 0)
        status = operations->make_directory(store, snapper->root, "snapper", &home);
    if (status == OK && node == 0)
        status = operations->make_directory(store, home, generation->name.text, &node);
    if (status == OK)
        status = replace_archive(store, node, raw, size);
    if (status == OK)
        status = operations->commit(store);
    if (status == OK)
        snapper->home = home;
    else
        operations->rollback(store);
    snapper_forget_listed(snapper); /* what it lists now may be other files */
    snapper_forget_settling(snapper);
    enum status located = generation_locate(generation, store, snapper->home);
    return status != OK ? status : located;
}

static enum status put_back(struct snapper *snapper, const struct archive *archive,
                            const u8 *raw, size_t size, bool complete_only)
{
    struct generation *generation;

    enum status status =
        generation_add(&snapper->generations, &archive->generations[0].name, &generation);
    if (status == OK)
        status = check_place(snapper, generation, raw, size);
    if (status == OK && complete_only)
        status = transfer_ask_named(snapper, archive);
    if (status == OK && complete_only)
        status = transfer_check_files(snapper, archive);
    if (status == OK)
        status = write_archive(snapper, generation, raw, size);
    return status;
}

static enum status restore_archive(struct snapper *snapper, const u8 *raw, size_t size,
                                   bool complete_only, struct generation_name *name)
{
    struct archive archive;

    if (snapper_state(snapper) != SNAPPER_DORMANT)
        return ERR_INVALID_STATE;
    enum status status = decode(snapper, raw, size, &archive);
    if (status != OK)
        return status;
    *name = archive.generations[0].name;
    status = put_back(snapper, &archive, raw, size, complete_only);
    archive_destroy(&archive);
    return status;
}

enum status snapper_archive_restore(struct snapper *snapper, const u8 *raw, size_t size,
                                    struct generation_name *name)
{
    return restore_archive(snapper, raw, size, true, name);
}

enum status snapper_archive_force(struct snapper *snapper, const u8 *raw, size_t size,
                                  struct generation_name *name)
{
    return restore_archive(snapper, raw, size, false, name);
}
