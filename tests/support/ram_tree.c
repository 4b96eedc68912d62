#include "tests/support/ram_tree.h"

#include "kernel/base/log.h"
#include "kernel/base/string.h"

#include <stdlib.h>

static void *must(void *memory)
{
    ASSERT(memory);
    return memory;
}

static struct ram_node *node_create(bool is_directory)
{
    struct ram_node *node = must(calloc(1, sizeof *node));
    node->references = 1;
    node->is_directory = is_directory;
    return node;
}

static void node_release(struct ram_node *node)
{
    if (!node || --node->references > 0)
        return;
    for (size_t i = 0; i < node->entry_count; i++)
        free(node->entries[i].name);
    free(node->entries);
    free(node->data);
    free(node);
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(must(malloc(size)), text, size);
}

static struct ram_node *node_clone(const struct ram_node *node)
{
    struct ram_node *clone = node_create(node->is_directory);
    clone->next_id = node->next_id;
    clone->entry_count = node->entry_count;
    clone->entries = must(calloc(node->entry_count + 1, sizeof *clone->entries));
    for (size_t i = 0; i < node->entry_count; i++) {
        clone->entries[i] = node->entries[i];
        clone->entries[i].name = copy_text(node->entries[i].name);
    }
    ram_node_set_data(clone, node->data, node->size, NULL, 0);
    clone->header = NULL;
    return clone;
}

void ram_node_set_data(struct ram_node *file, const void *header, size_t header_size,
                       const void *payload, size_t payload_size)
{
    u8 *data = must(malloc(header_size + payload_size + 1));
    if (header_size > 0)
        memcpy(data, header, header_size);
    if (payload_size > 0)
        memcpy(data + header_size, payload, payload_size);
    free(file->data);
    file->data = data;
    file->size = header_size + payload_size;
    file->header = header;
    file->header_size = header_size;
    file->payload = payload;
}

static void grow(struct ram_tree *tree)
{
    u64 capacity = tree->capacity ? 2 * tree->capacity : 64;
    size_t added = capacity - tree->capacity;
    tree->current = must(realloc(tree->current, capacity * sizeof *tree->current));
    tree->committed = must(realloc(tree->committed, capacity * sizeof *tree->committed));
    tree->generations =
        must(realloc(tree->generations, capacity * sizeof *tree->generations));
    memset(tree->current + tree->capacity, 0, added * sizeof *tree->current);
    memset(tree->committed + tree->capacity, 0, added * sizeof *tree->committed);
    memset(tree->generations + tree->capacity, 0, added * sizeof *tree->generations);
    tree->capacity = capacity;
}

static void touch(struct ram_tree *tree, u64 number)
{
    if (tree->touched_count == tree->touched_capacity) {
        tree->touched_capacity = 2 * tree->touched_capacity + 64;
        tree->touched =
            must(realloc(tree->touched, tree->touched_capacity * sizeof *tree->touched));
    }
    tree->touched[tree->touched_count++] = number;
}

void ram_tree_init(struct ram_tree *tree)
{
    *tree = (struct ram_tree){ .lowest_free = 1 };
    grow(tree);
    (void)ram_tree_create(tree, true);
    ram_tree_commit(tree, NULL, NULL);
}

void ram_tree_destroy(struct ram_tree *tree)
{
    ram_tree_rollback(tree);
    for (u64 i = 0; i < tree->capacity; i++)
        node_release(tree->current[i]);
    free(tree->current);
    free(tree->committed);
    free(tree->generations);
    free(tree->touched);
}

struct ram_node *ram_tree_node(const struct ram_tree *tree, u64 number)
{
    return number < tree->capacity ? tree->current[number] : NULL;
}

struct ram_node *ram_tree_modify(struct ram_tree *tree, u64 number)
{
    struct ram_node *node = ram_tree_node(tree, number);
    ASSERT(node);
    if (node != tree->committed[number])
        return node;
    tree->current[number] = node_clone(node);
    touch(tree, number);
    return tree->current[number];
}

u64 ram_tree_create(struct ram_tree *tree, bool is_directory)
{
    u64 number = tree->lowest_free;
    while (number < tree->capacity && (tree->current[number] || tree->committed[number]))
        number++;
    if (number == tree->capacity)
        grow(tree);
    tree->lowest_free = number + 1;
    tree->generations[number]++;
    tree->current[number] = node_create(is_directory);
    touch(tree, number);
    return number;
}

void ram_tree_remove(struct ram_tree *tree, u64 number)
{
    struct ram_node *node = ram_tree_modify(tree, number);
    node_release(node);
    tree->current[number] = NULL;
}

struct ram_entry *ram_node_find(const struct ram_node *directory, const char *name)
{
    for (size_t i = 0; i < directory->entry_count; i++)
        if (text_equal(directory->entries[i].name, name))
            return &directory->entries[i];
    return NULL;
}

void ram_node_add(struct ram_node *directory, const char *name, u64 number)
{
    size_t count = directory->entry_count + 1;
    directory->entries =
        must(realloc(directory->entries, count * sizeof(struct ram_entry)));
    directory->entries[directory->entry_count++] =
        (struct ram_entry){ ++directory->next_id, number, copy_text(name) };
}

void ram_node_drop(struct ram_node *directory, struct ram_entry *entry)
{
    size_t after = (size_t)(directory->entries + directory->entry_count - (entry + 1));
    free(entry->name);
    memmove(entry, entry + 1, after * sizeof *entry);
    directory->entry_count--;
}

static void check_borrowed(struct ram_node *node)
{
    if (!node || !node->header)
        return;
    ASSERT(memcmp(node->data, node->header, node->header_size) == 0);
    if (node->payload)
        ASSERT(memcmp(node->data + node->header_size, node->payload,
                      node->size - node->header_size) == 0);
    node->header = node->payload = NULL;
}

static void forget_touched(struct ram_tree *tree)
{
    for (size_t i = 0; i < tree->touched_count; i++)
        if (tree->touched[i] < tree->lowest_free)
            tree->lowest_free = tree->touched[i];
    tree->touched_count = 0;
}

void ram_tree_commit(struct ram_tree *tree, ram_replace *replace, void *context)
{
    for (size_t i = 0; i < tree->touched_count; i++) {
        u64 number = tree->touched[i];
        if (tree->current[number] == tree->committed[number])
            continue;
        check_borrowed(tree->current[number]);
        if (replace)
            replace(context, tree->committed[number], tree->current[number]);
        node_release(tree->committed[number]);
        tree->committed[number] = tree->current[number];
    }
    forget_touched(tree);
}

void ram_tree_rollback(struct ram_tree *tree)
{
    for (size_t i = 0; i < tree->touched_count; i++) {
        u64 number = tree->touched[i];
        if (tree->current[number] == tree->committed[number])
            continue;
        node_release(tree->current[number]);
        tree->current[number] = tree->committed[number];
    }
    forget_touched(tree);
}
