/*
 * Keys and values in memory: a hash table that doubles when it is full, of chained entries.
 */
#pragma once

#include "kernel/base/types.h"

struct key_value_entry;

struct key_value {
    u64 count;
    u64 slots; /* a power of two, or 0 */
    struct key_value_entry **table;
};

void key_value_init(struct key_value *store);
void key_value_free(struct key_value *store);

/* Copies both; a key that is there gets the new value. False: no memory, nothing has changed. */
[[nodiscard]] bool key_value_set(struct key_value *store, const char *key,
                                 const char *value);
/* Borrowed until the key changes; NULL: not there. */
const char *key_value_get(const struct key_value *store, const char *key);
/* False: was not there. */
bool key_value_delete(struct key_value *store, const char *key);
/* Calls `each` with every pair, in no order. */
void key_value_each(const struct key_value *store,
                    void (*each)(const char *, const char *));
