#include "snapper/audit.h"

static void tell_orphan(struct audit *audit, const struct generation *generation,
                        u64 ordinal)
{
    audit->report->orphans++;
    audit_tell(audit, &(struct snapper_finding){
                          .kind = FINDING_ORPHAN,
                          .generation = generation->name,
                          .count = 1,
                          .ordinal = (u32)ordinal,
                      });
}

static enum status verify_level(struct audit *audit, const struct generation *generation,
                                u32 level, u64 directory)
{
    struct store *store = audit->snapper->store;
    struct store_entry entry;
    u64 cursor = 0;
    u32 number;

    for (;;) {
        enum status status =
            store->operations->next_entry(store, directory, &cursor, &entry);
        if (status == ERR_NOT_FOUND)
            return OK;
        if (status != OK)
            return status;
        if (entry.is_directory || !snapshot_file_number(entry.name, &number))
            continue;
        u64 ordinal = (u64)level * generation->threshold + number;
        if (ordinal > UINT32_MAX ||
            audit_file_find(audit, generation, (u32)ordinal) == NULL)
            tell_orphan(audit, generation, ordinal);
    }
}

static bool is_listed_at_all(const struct audit *audit,
                             const struct generation *generation)
{
    const struct audit_block *block =
        map_get_pointer(&audit->blocks, (u64)(uintptr_t)generation);

    for (u32 ordinal = 0; block != NULL && ordinal < block->capacity; ordinal++)
        if (block->files[ordinal].listed > 0)
            return true;
    return false;
}

enum status verify_directory(struct audit *audit, struct generation *generation)
{
    struct store *store = audit->snapper->store;
    bool has_archive;
    u64 node;

    enum status status = generation_has_archive(generation, store, &has_archive);
    if (status != OK || generation->node == 0)
        return status;
    if (!has_archive && !is_listed_at_all(audit, generation)) {
        audit->report->incomplete++;
        audit_tell(audit, &(struct snapper_finding){ .kind = FINDING_INCOMPLETE,
                                                     .generation = generation->name });
    }
    for (u32 level = 0; status == OK; level++) {
        status = generation_level(generation, store, level, &node);
        if (status == OK)
            status = verify_level(audit, generation, level, node);
    }
    return status == ERR_NOT_FOUND || status == ERR_NOT_DIRECTORY ? OK : status;
}
