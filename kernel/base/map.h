/*
 * A hash map from u64 to u64 (or to a pointer, by the two wrappers). Grows as needed;
 * removal never allocates. Iteration order is unspecified and must not influence results.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

struct map_slot;
struct map {
    struct map_slot *slots; /* power of two, open addressing */
    size_t capacity;
    size_t count;
};

void map_init(struct map *map); /* allocates nothing */
void map_destroy(struct map *map);
void map_clear(struct map *map);

enum status map_set(struct map *map, u64 key, u64 value); /* ERR_NO_MEMORY: unchanged */
[[nodiscard]] bool map_get(const struct map *map, u64 key, u64 *value);
bool map_remove(struct map *map, u64 key); /* was it there? */

/* Visits every pair: start with *cursor = 0, until false. The map must not change meanwhile. */
[[nodiscard]] bool map_next(const struct map *map, size_t *cursor, u64 *key, u64 *value);

static inline enum status map_set_pointer(struct map *map, u64 key, void *pointer)
{
    return map_set(map, key, (u64)(uintptr_t)pointer);
}

/* NULL if absent. */
static inline void *map_get_pointer(const struct map *map, u64 key)
{
    u64 value;
    return map_get(map, key, &value) ? (void *)(uintptr_t)value : NULL;
}
