/* What tests do to a ram_store from outside: faults, power cuts, files by path. */
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "tests/support/ram_store_internal.h"

#include <stdlib.h>

enum { ROOT = 1, PATH_MAX_SIZE = 65536 };

void ram_store_destroy(struct ram_store *ram)
{
    ram_tree_destroy(&ram->tree);
    free(ram->pokes);
    free(ram);
}

struct store *ram_store_store(struct ram_store *ram)
{
    return &ram->store;
}

struct ram_limits *ram_store_limits(struct ram_store *ram)
{
    return &ram->limits;
}

struct ram_counters *ram_store_counters(struct ram_store *ram)
{
    return &ram->counters;
}

void ram_store_set_read_only(struct ram_store *ram, bool read_only)
{
    ram->read_only = read_only;
}

void ram_store_fail(struct ram_store *ram, u64 nth, enum status status, bool for_good)
{
    ram->fail_countdown = nth;
    ram->fail_status = status;
    ram->fail_for_good = for_good;
    ram->dead = false;
}

void ram_store_fail_after_commit(struct ram_store *ram, u64 nth)
{
    ram->commits_left = nth;
    ram->dead = false;
}

static u64 next_random(struct ram_store *ram)
{
    ram->random ^= ram->random << 13;
    ram->random ^= ram->random >> 7;
    ram->random ^= ram->random << 17;
    return ram->random;
}

void ram_store_crash(struct ram_store *ram)
{
    ram_store_fail(ram, 0, OK, false);
    ram->commits_left = 0;
    ram->store.operations->rollback(&ram->store);
    while (ram->poke_count > 0) {
        const struct ram_poke *poke = &ram->pokes[--ram->poke_count];
        struct ram_node *node = ram_tree_node(&ram->tree, poke->node);
        if (node && poke->offset < node->size && next_random(ram) % 2)
            node->data[poke->offset] = poke->before;
    }
}

/* The next part of a path; false at its end. */
static bool next_part(const char **path, char part[STORE_NAME_MAX + 1])
{
    while (**path == '/')
        (*path)++;
    size_t length = 0;
    while ((*path)[length] && (*path)[length] != '/')
        length++;
    ASSERT(length <= STORE_NAME_MAX);
    memcpy(part, *path, length);
    part[length] = '\0';
    *path += length;
    return length > 0;
}

/* 0: not there. */
static u64 find_node(const struct ram_store *ram, const char *path)
{
    char part[STORE_NAME_MAX + 1];
    u64 number = ROOT;
    while (next_part(&path, part)) {
        const struct ram_node *node = ram_tree_node(&ram->tree, number);
        const struct ram_entry *entry =
            node->is_directory ? ram_node_find(node, part) : NULL;
        if (!entry)
            return 0;
        number = entry->node;
    }
    return number;
}

bool ram_store_exists(struct ram_store *ram, const char *path)
{
    return find_node(ram, path) != 0;
}

u8 *ram_store_bytes(struct ram_store *ram, const char *path, size_t *size)
{
    u64 number = find_node(ram, path);
    if (number == 0)
        return NULL;
    struct ram_node *node = ram_tree_node(&ram->tree, number);
    *size = node->size;
    return node->data;
}

void ram_store_put(struct ram_store *ram, const char *path, const void *data, size_t size)
{
    char part[STORE_NAME_MAX + 1], next[STORE_NAME_MAX + 1];
    u64 number = ROOT;
    bool more = next_part(&path, part);
    while (more) {
        more = next_part(&path, next);
        struct ram_node *directory = ram_tree_node(&ram->tree, number);
        struct ram_entry *entry = ram_node_find(directory, part);
        if (entry) {
            number = entry->node;
        } else {
            u64 made = ram_tree_create(&ram->tree, more || !data);
            ram_node_add(ram_tree_modify(&ram->tree, number), part, made);
            number = made;
        }
        memcpy(part, next, sizeof part);
    }
    if (data) {
        struct ram_node *file = ram_tree_modify(&ram->tree, number);
        ram_node_set_data(file, data, size, NULL, 0);
        file->header = NULL;
    }
    ram_store_adopt(ram);
}

static void remove_below(struct ram_store *ram, u64 number)
{
    struct ram_node *node = ram_tree_node(&ram->tree, number);
    for (size_t i = 0; i < node->entry_count; i++)
        remove_below(ram, node->entries[i].node);
    ram_tree_remove(&ram->tree, number);
}

void ram_store_remove(struct ram_store *ram, const char *path)
{
    char part[STORE_NAME_MAX + 1], next[STORE_NAME_MAX + 1];
    u64 number = find_node(ram, path), parent = ROOT;
    ASSERT(number > ROOT && next_part(&path, part));
    while (next_part(&path, next)) {
        parent = ram_node_find(ram_tree_node(&ram->tree, parent), part)->node;
        memcpy(part, next, sizeof part);
    }
    remove_below(ram, number);
    struct ram_node *directory = ram_tree_modify(&ram->tree, parent);
    ram_node_drop(directory, ram_node_find(directory, part));
    ram_store_adopt(ram);
}

struct walk {
    struct ram_store *ram;
    ram_visit *visit;
    void *context;
    char *path;
};

static void walk_directory(struct walk *walk, u64 number, size_t length)
{
    struct ram_node *directory = ram_tree_node(&walk->ram->tree, number);
    for (size_t i = 0; i < directory->entry_count; i++) {
        const struct ram_entry *entry = &directory->entries[i];
        const struct ram_node *node = ram_tree_node(&walk->ram->tree, entry->node);
        size_t end = length + format_text(walk->path + length, PATH_MAX_SIZE - length,
                                          "/%s", entry->name);
        ASSERT(end < PATH_MAX_SIZE);
        walk->visit(walk->context, walk->path, node->is_directory, node->data,
                    node->size);
        if (node->is_directory)
            walk_directory(walk, entry->node, end);
        walk->path[length] = '\0';
    }
}

void ram_store_walk(struct ram_store *ram, ram_visit *visit, void *context)
{
    struct walk walk = { ram, visit, context, calloc(1, PATH_MAX_SIZE) };
    ASSERT(walk.path);
    walk_directory(&walk, ROOT, 0);
    free(walk.path);
}

u64 ram_store_used_blocks(const struct ram_store *ram)
{
    return ram->used_blocks;
}
