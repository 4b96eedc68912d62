#include "kernel/base/map.h"

#include "kernel/base/port.h"

/*
 * Linear probing with backward-shift deletion, so there are no tombstones: a chain ends at the
 * first empty slot. At most three quarters are full.
 */
struct map_slot {
    u64 key;
    u64 value;
    bool used;
};

enum { MAP_INITIAL_CAPACITY = 16 };

void map_init(struct map *map)
{
    *map = (struct map){ 0 };
}

void map_destroy(struct map *map)
{
    port_free(map->slots);
    map_init(map);
}

void map_clear(struct map *map)
{
    for (size_t at = 0; at < map->capacity; at++)
        map->slots[at].used = false;
    map->count = 0;
}

static size_t home_slot(const struct map *map, u64 key)
{
    key ^= key >> 32;
    key *= 0x9E3779B97F4A7C15ULL;
    return (size_t)(key >> 32) & (map->capacity - 1);
}

/* The slot that holds the key, or the empty one where it would go. */
static struct map_slot *find_slot(const struct map *map, u64 key)
{
    size_t at = home_slot(map, key);

    while (map->slots[at].used && map->slots[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return &map->slots[at];
}

static enum status grow(struct map *map)
{
    struct map larger = { .capacity =
                              map->capacity ? map->capacity * 2 : MAP_INITIAL_CAPACITY };

    larger.slots = port_alloc(larger.capacity * sizeof larger.slots[0]);
    if (larger.slots == NULL)
        return ERR_NO_MEMORY;
    for (size_t at = 0; at < map->capacity; at++)
        if (map->slots[at].used)
            *find_slot(&larger, map->slots[at].key) = map->slots[at];
    larger.count = map->count;
    port_free(map->slots);
    *map = larger;
    return OK;
}

enum status map_set(struct map *map, u64 key, u64 value)
{
    u64 old;
    bool present = map_get(map, key, &old);

    if (!present && map->count + 1 > map->capacity / 4 * 3) {
        enum status status = grow(map);
        if (status != OK)
            return status;
    }
    *find_slot(map, key) = (struct map_slot){ key, value, true };
    map->count += !present;
    return OK;
}

bool map_get(const struct map *map, u64 key, u64 *value)
{
    if (map->count == 0)
        return false;
    const struct map_slot *slot = find_slot(map, key);
    if (!slot->used)
        return false;
    *value = slot->value;
    return true;
}

bool map_remove(struct map *map, u64 key)
{
    if (map->count == 0)
        return false;
    struct map_slot *hole = find_slot(map, key);
    if (!hole->used)
        return false;

    /* Close the gap: whatever could not reach its home past the hole moves into it. */
    size_t mask = map->capacity - 1;
    size_t hole_at = (size_t)(hole - map->slots);
    for (size_t at = (hole_at + 1) & mask; map->slots[at].used; at = (at + 1) & mask) {
        size_t distance_to_home = (at - home_slot(map, map->slots[at].key)) & mask;
        size_t distance_to_hole = (at - hole_at) & mask;
        if (distance_to_home < distance_to_hole)
            continue;
        map->slots[hole_at] = map->slots[at];
        hole_at = at;
    }
    map->slots[hole_at].used = false;
    map->count--;
    return true;
}

bool map_next(const struct map *map, size_t *cursor, u64 *key, u64 *value)
{
    for (; *cursor < map->capacity; (*cursor)++) {
        const struct map_slot *slot = &map->slots[*cursor];
        if (!slot->used)
            continue;
        *key = slot->key;
        *value = slot->value;
        (*cursor)++;
        return true;
    }
    return false;
}
