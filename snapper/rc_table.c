#include "snapper/rc_table.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"

static u64 key_of(const struct generation *generation)
{
    return (u64)(uintptr_t)generation;
}

void rc_table_destroy(struct rc_table *table)
{
    size_t cursor = 0;
    u64 key, block;

    while (map_next(&table->blocks, &cursor, &key, &block))
        port_free((void *)(uintptr_t)block);
    map_destroy(&table->blocks);
    *table = (struct rc_table){ 0 };
}

/* The generation's block, with room for ordinals below `limit`. */
static enum status block_for(struct rc_table *table, const struct generation *generation,
                             u32 limit, struct rc_block **block)
{
    struct rc_block *known = map_get_pointer(&table->blocks, key_of(generation));

    if (known == NULL || known->capacity < limit) {
        u32 old = known ? known->capacity : 0;
        u32 capacity = (u32)max_u64(limit, min_u64((u64)old * 2, UINT32_MAX));
        struct rc_block *larger = port_alloc(sizeof *larger + capacity * sizeof(u32));
        if (larger == NULL)
            return ERR_NO_MEMORY;
        larger->capacity = capacity;
        if (known != NULL)
            memcpy(larger->counts, known->counts, old * sizeof(u32));
        enum status status = map_set_pointer(&table->blocks, key_of(generation), larger);
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
        for (u32 i = 0; i < run->count; i++)
            block->counts[run->first_ordinal + i]++;
    }
    return OK;
}

void rc_table_uncount(struct rc_table *table, const struct mapping *mapping)
{
    for (size_t at = 0; at < mapping->count; at++) {
        const struct mapping_run *run = &mapping->runs[at];
        struct rc_block *block = map_get_pointer(&table->blocks, key_of(run->generation));

        for (u32 i = 0; block != NULL && i < run->count; i++)
            block->counts[run->first_ordinal + i]--;
    }
}

u32 rc_table_get(const struct rc_table *table, const struct generation *generation,
                 u32 ordinal)
{
    const struct rc_block *block = map_get_pointer(&table->blocks, key_of(generation));

    return block != NULL && ordinal < block->capacity ? block->counts[ordinal] : 0;
}

u32 rc_table_limit(const struct rc_table *table, const struct generation *generation)
{
    const struct rc_block *block = map_get_pointer(&table->blocks, key_of(generation));

    return block != NULL ? block->capacity : 0;
}

void rc_table_drop(struct rc_table *table, const struct generation *generation)
{
    port_free(map_get_pointer(&table->blocks, key_of(generation)));
    map_remove(&table->blocks, key_of(generation));
}
