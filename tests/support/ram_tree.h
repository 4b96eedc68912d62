/*
 * The nodes below ram_store: a current and a committed tree that share what is equal.
 *
 * A node that the running transaction touches is copied first (ram_tree_modify), so that committing
 * and rolling back cost what was touched. Memory comes from the C library, beside port_alloc(), whose
 * failures are a test's business.
 */
#pragma once

#include "kernel/base/types.h"

struct ram_entry {
    u64 id; /* ascending in the order of creation: the cursor of next_entry */
    u64 node;
    char *name;
};

struct ram_node {
    u32 references;
    bool is_directory;
    u8 *data;
    size_t size;
    struct ram_entry *entries; /* of a directory */
    size_t entry_count;
    u64 next_id;
    const void *header, *payload; /* borrowed until commit; NULL: not */
    size_t header_size;
};

struct ram_tree {
    struct ram_node **current, **committed; /* by number; NULL: free */
    u32 *generations;
    u64 capacity;
    u64 lowest_free; /* no free number below */
    u64 *touched;    /* numbers, maybe repeated */
    size_t touched_count, touched_capacity;
};

void ram_tree_init(struct ram_tree *tree); /* node 1 is an empty root directory */
void ram_tree_destroy(struct ram_tree *tree);

/* NULL: there is no such node now. */
struct ram_node *ram_tree_node(const struct ram_tree *tree, u64 number);
struct ram_node *ram_tree_modify(struct ram_tree *tree, u64 number);
u64 ram_tree_create(struct ram_tree *tree, bool is_directory);
void ram_tree_remove(struct ram_tree *tree, u64 number);

struct ram_entry *ram_node_find(const struct ram_node *directory, const char *name);
void ram_node_add(struct ram_node *directory, const char *name, u64 number);
void ram_node_drop(struct ram_node *directory, struct ram_entry *entry);
void ram_node_set_data(struct ram_node *file, const void *header, size_t header_size,
                       const void *payload, size_t payload_size);

/* Checks that borrowed memory is as it was. `replace` sees each node that differs; NULL: none. */
typedef void ram_replace(void *context, const struct ram_node *before,
                         const struct ram_node *after);
void ram_tree_commit(struct ram_tree *tree, ram_replace *replace, void *context);
void ram_tree_rollback(struct ram_tree *tree);
