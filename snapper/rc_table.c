#include "snapper/rc_table.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"

void rc_table_destroy(struct rc_table *table)
{
    size_t cursor = 0;
    u64 key, block;

    while (map_next(&table->blocks, &cursor, &key, &block))
        port_free((void *)(uintptr_t)block);
    map_destroy(&table->blocks);
}

/* The generation's block, with room for ordinals below `limit`. */
static enum status block_for(struct rc_table *table, struct generation *generation,
                             u32 limit, struct rc_block **block)
{
    u64 key = (u64)(uintptr_t)generation;
    struct rc_block *known = map_get_pointer(&table->blocks, key);

    if (known == NULL || known->capacity < limit) {
        u32 old = known ? known->capacity : 0;
        u32 capacity = (u32)max_u64(limit, min_u64((u64)old * 2, UINT32_MAX));
        struct rc_block *larger = port_alloc(sizeof *larger + capacity);
        if (larger == NULL)
            return ERR_NO_MEMORY;
        larger->capacity = capacity;
        if (known != NULL)
            memcpy(larger->counts, known->counts, old);
        enum status status = map_set_pointer(&table->blocks, key, larger);
        if (status != OK) {
            port_free(larger);
            return status;
        }
        port_free(known);
        known = larger;
    }
    *block = known;
    return OK;
}

enum status rc_table_count(struct rc_table *table, const struct mapping *mapping)
{
    for (size_t at = 0; at < mapping->count; at++) {
        const struct mapping_run *run = &mapping->runs[at];
        struct rc_block *block;

        enum status status =
            block_for(table, run->generation, run->first_ordinal + run->count, &block);
        if (status != OK)
            return status;
        u8 *counts = block->counts + run->first_ordinal;
        for (u32 i = 0; i < run->count; i++)
            counts[i] = (u8)(counts[i] + (counts[i] < UINT8_MAX));
    }
    return OK;
}

u8 rc_table_get(const struct rc_table *table, const struct generation *generation,
                u32 ordinal)
{
    const struct rc_block *block =
        map_get_pointer(&table->blocks, (u64)(uintptr_t)generation);

    return block != NULL && ordinal < block->capacity ? block->counts[ordinal] : 0;
}
