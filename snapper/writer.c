#include "snapper/writer.h"

static const struct store_operations *operations_of(const struct writer *writer)
{
    return writer->snapper->store->operations;
}

u64 writer_block_size(const struct writer *writer)
{
    struct store_space space;

    operations_of(writer)->space(writer->snapper->store, &space);
    return space.block_size;
}

enum status writer_commit_part(struct writer *writer)
{
    struct snapper *snapper = writer->snapper;
    struct state_file next;

    writer->record.writing = writer->generation->name;
    enum status status = state_file_copy(&writer->record, &next);
    if (status != OK)
        return status;
    if (writer->transactions == 0)
        status = record_commit(snapper, &next);
    else
        status = operations_of(writer)->commit(snapper->store);
    state_file_destroy(&next);
    writer_free_bursts(writer);
    if (status != OK)
        return status;
    snapper->home = writer->home;
    writer->record_changes = true;
    writer->transactions++;
    return OK;
}

enum status writer_make_room(struct writer *writer, u64 blocks)
{
    struct store *store = writer->snapper->store;

    if (operations_of(writer)->transaction_room(store) >=
        blocks + record_room(writer->snapper, &writer->record))
        return OK;
    return writer_commit_part(writer);
}

enum status writer_make_directory(struct writer *writer, u64 parent, const char *name,
                                  u64 *node)
{
    struct store *store = writer->snapper->store;

    enum status status = writer_make_room(writer, STORE_STEP_ROOM);
    if (status == OK)
        status = store->operations->make_directory(store, parent, name, node);
    return status;
}

enum status writer_make_level(struct writer *writer, u32 level, u64 *node)
{
    struct generation *generation = writer->generation;

    if (level < generation->level_count) {
        *node = generation->levels[level];
        return OK;
    }
    u64 parent = level == 0 ? generation->node : generation->levels[level - 1];
    enum status status =
        writer_make_directory(writer, parent, level == 0 ? "snapshot" : "ext", node);
    if (status == OK)
        status = generation_add_level(generation, *node);
    return status;
}
