/*
 * Counts of one byte for snapshot files, by generation and ordinal: how many archives list each.
 */
#pragma once

#include "kernel/base/map.h"
#include "snapper/mapping.h"

struct rc_block {
    u32 capacity;
    u8 counts[];
};

struct rc_table {
    struct map blocks; /* generation -> struct rc_block */
};

void rc_table_destroy(struct rc_table *table);

/* Counts every file that the mapping lists, copies included; saturates at 255. ERR_NO_MEMORY. */
enum status rc_table_count(struct rc_table *table, const struct mapping *mapping);

/* 0: no archive lists it. */
u8 rc_table_get(const struct rc_table *table, const struct generation *generation,
                u32 ordinal);

/* Does any archive that was counted list a file of this generation? */
static inline bool rc_table_lists(const struct rc_table *table,
                                  const struct generation *generation)
{
    return map_get_pointer(&table->blocks, (u64)(uintptr_t)generation) != NULL;
}
