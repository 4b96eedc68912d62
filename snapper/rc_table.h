/*
 * How many archives list each snapshot file, by generation and ordinal.
 *
 * Counted archive by archive, and uncounted again when one is purged: what falls to zero dies. The
 * `rc` byte in the file is this number, 255 at most.
 */
#pragma once

#include "kernel/base/map.h"
#include "snapper/mapping.h"

struct rc_block {
    u32 capacity;
    u32 counts[];
};

struct rc_table {
    struct map blocks; /* generation -> struct rc_block */
};

void rc_table_destroy(struct rc_table *table);

/* Counts every file that the mapping lists, copies included. ERR_NO_MEMORY: counts are off. */
enum status rc_table_count(struct rc_table *table, const struct mapping *mapping);
/* Takes back what rc_table_count() did with the same mapping. */
void rc_table_uncount(struct rc_table *table, const struct mapping *mapping);

/* 0: no archive lists it. */
u32 rc_table_get(const struct rc_table *table, const struct generation *generation,
                 u32 ordinal);

/* One more than the highest ordinal that was ever counted. */
u32 rc_table_limit(const struct rc_table *table, const struct generation *generation);
/* Forgets a generation that nothing lists. */
void rc_table_drop(struct rc_table *table, const struct generation *generation);
