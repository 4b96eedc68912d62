#include "tests/support/ram_store.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "tests/support/ram_store_internal.h"

#include <stdlib.h>

enum { ROOT = 1, ENTRIES_IN_BLOCK = 32, INODES_IN_BLOCK = 4 };
#define PLENTY (1ULL << 40)

static struct ram_store *ram_of(const struct store *store)
{
    return (struct ram_store *)store;
}

static u64 blocks_of(const struct ram_store *ram, const struct ram_node *node)
{
    if (!node)
        return 0;
    return node->is_directory ? 1 + node->entry_count / ENTRIES_IN_BLOCK
                              : divide_up(node->size, ram->limits.block_size);
}

/* One more operation; does it fail by order? */
static enum status begin(struct ram_store *ram)
{
    ram->counters.operations++;
    if (ram->dead)
        return ram->fail_status;
    if (ram->fail_countdown == 0 || --ram->fail_countdown > 0)
        return OK;
    ram->dead = ram->fail_for_good;
    return ram->fail_status;
}

/* ERR_IO and the like in the middle of a change: whoever goes on must roll back first. */
static enum status begin_change(struct ram_store *ram)
{
    if (ram->read_only)
        return ERR_READ_ONLY;
    enum status status = begin(ram);
    if (status)
        ram->half_done = true;
    ASSERT(!ram->half_done || status);
    return status;
}

static enum status take_room(struct ram_store *ram, u32 blocks)
{
    if (ram->room_used + blocks + ram->limits.room_slack > ram->limits.transaction_room)
        return ERR_TRANSACTION_FULL;
    ram->room_used += blocks;
    return OK;
}

/* What the transaction freed is not free before it is durable. */
static enum status take_space(struct ram_store *ram, u64 blocks, u64 nodes)
{
    if (ram->used_blocks + ram->new_blocks + blocks > ram->limits.total_blocks ||
        ram->used_nodes + ram->new_nodes + nodes > ram->limits.total_nodes) {
        ram->half_done = true;
        return ERR_NO_SPACE;
    }
    ram->new_blocks += blocks;
    ram->new_nodes += nodes;
    return OK;
}

static enum status directory_node(struct ram_store *ram, u64 number,
                                  struct ram_node **directory)
{
    *directory = ram_tree_node(&ram->tree, number);
    ASSERT(*directory); /* a node used after it is gone */
    return (*directory)->is_directory ? OK : ERR_NOT_DIRECTORY;
}

static enum status ram_root(struct store *store, u64 *node)
{
    enum status status = begin(ram_of(store));
    if (status == OK)
        *node = ROOT;
    return status;
}

static enum status ram_lookup(struct store *store, u64 number, const char *name,
                              u64 *node)
{
    struct ram_store *ram = ram_of(store);
    struct ram_node *directory;
    enum status status = begin(ram);
    ram->counters.lookups++;
    if (status == OK)
        status = directory_node(ram, number, &directory);
    if (status)
        return status;
    struct ram_entry *entry = ram_node_find(directory, name);
    if (!entry)
        return ERR_NOT_FOUND;
    *node = entry->node;
    return OK;
}

static enum status ram_stat(struct store *store, u64 number, struct store_stat *stat)
{
    struct ram_store *ram = ram_of(store);
    struct ram_node *node = ram_tree_node(&ram->tree, number);
    enum status status = begin(ram);
    ASSERT(node);
    if (status)
        return status;
    *stat = (struct store_stat){
        .node = number,
        .generation = ram->tree.generations[number],
        .is_directory = node->is_directory,
        .size_bytes = node->size,
        .allocated_bytes = blocks_of(ram, node) * ram->limits.block_size,
    };
    return OK;
}

static enum status ram_next_entry(struct store *store, u64 number, u64 *cursor,
                                  struct store_entry *result)
{
    struct ram_store *ram = ram_of(store);
    struct ram_node *directory;
    enum status status = begin(ram);
    if (status == OK)
        status = directory_node(ram, number, &directory);
    if (status)
        return status;
    for (size_t i = 0; i < directory->entry_count; i++) {
        struct ram_entry *entry = &directory->entries[i];
        if (entry->id <= *cursor)
            continue;
        *cursor = entry->id;
        result->node = entry->node;
        result->is_directory = ram_tree_node(&ram->tree, entry->node)->is_directory;
        return text_copy(result->name, sizeof result->name, entry->name) ? OK
                                                                         : ERR_TOO_LARGE;
    }
    return ERR_NOT_FOUND;
}

/* A new node under a name that is free, its blocks taken. */
static enum status add_node(struct ram_store *ram, u64 parent, const char *name,
                            bool is_directory, u64 blocks, u64 *node)
{
    struct ram_node *directory = ram_tree_modify(&ram->tree, parent);
    u64 growth = (directory->entry_count + 1) % ENTRIES_IN_BLOCK == 0;
    enum status status = take_space(ram, blocks + growth, 1);
    if (status)
        return status;
    *node = ram_tree_create(&ram->tree, is_directory);
    ram_node_add(directory, name, *node);
    return OK;
}

static enum status ram_make_directory(struct store *store, u64 parent, const char *name,
                                      u64 *node)
{
    struct ram_store *ram = ram_of(store);
    struct ram_node *directory;
    enum status status = begin_change(ram);
    if (status == OK)
        status = directory_node(ram, parent, &directory);
    if (status)
        return status;
    if (ram_node_find(directory, name))
        return ERR_EXISTS;
    status = take_room(ram, 4);
    return status ? status : add_node(ram, parent, name, true, 1, node);
}

static enum status create_file(struct ram_store *ram, u64 parent,
                               struct store_new_file *file)
{
    u64 size = (u64)file->header_size + file->payload_size;
    enum status status = add_node(ram, parent, file->name, false,
                                  divide_up(size, ram->limits.block_size), &file->node);
    if (status)
        return status;
    struct ram_node *node = ram_tree_node(&ram->tree, file->node);
    ram_node_set_data(node, file->header, file->header_size, file->payload,
                      file->payload_size);
    file->first_block = size > 0 ? file->node * 1000 : 0;
    ram->counters.files_created++;
    ram->counters.bytes_written += size;
    return OK;
}

static enum status ram_create_files(struct store *store, u64 parent,
                                    struct store_new_file *files, size_t count)
{
    struct ram_store *ram = ram_of(store);
    struct ram_node *directory;
    enum status status = begin_change(ram);
    enum status late = OK; /* by order: half of the files are made, then it fails */
    if (status && !ram->dead) {
        late = status;
        status = OK;
        count /= 2;
    }
    if (status == OK)
        status = directory_node(ram, parent, &directory);
    for (size_t i = 0; status == OK && i < count; i++)
        status = ram_node_find(directory, files[i].name) ? ERR_EXISTS : OK;
    if (status == OK && late == OK)
        status = take_room(ram, 3 + (u32)(count / INODES_IN_BLOCK));
    for (size_t i = 0; status == OK && i < count; i++)
        status = create_file(ram, parent, &files[i]);
    return status ? status : late;
}

static enum status ram_replace_file(struct store *store, u64 parent, const char *name,
                                    const void *data, size_t size)
{
    struct ram_store *ram = ram_of(store);
    struct ram_node *directory;
    u64 number, blocks = divide_up(size, ram->limits.block_size);
    enum status status = begin_change(ram);
    if (status == OK)
        status = directory_node(ram, parent, &directory);
    if (status == OK)
        status = take_room(ram, 4 + (u32)blocks);
    if (status)
        return status;

    struct ram_entry *entry = ram_node_find(directory, name);
    if (entry) {
        number = entry->node;
        if (ram_tree_node(&ram->tree, number)->is_directory)
            return ERR_IS_DIRECTORY;
        status = take_space(ram, blocks, 0);
    } else {
        status = add_node(ram, parent, name, false, blocks, &number);
    }
    if (status)
        return status;
    struct ram_node *node = ram_tree_modify(&ram->tree, number);
    ram_node_set_data(node, data, size, NULL, 0);
    node->header = NULL; /* copied, not borrowed */
    ram->counters.bytes_written += size;
    return OK;
}

static enum status ram_read(struct store *store, u64 number, u64 offset, void *data,
                            size_t size, size_t *read)
{
    struct ram_store *ram = ram_of(store);
    struct ram_node *node = ram_tree_node(&ram->tree, number);
    enum status status = begin(ram);
    ASSERT(node);
    if (status == OK && node->is_directory)
        status = ERR_IS_DIRECTORY;
    if (status)
        return status;
    *read = offset < node->size ? min_size(size, node->size - offset) : 0;
    if (*read > 0)
        memcpy(data, node->data + offset, *read);
    ram->counters.reads++;
    ram->counters.bytes_read += *read;
    return OK;
}

static void remember_poke(struct ram_store *ram, const struct ram_poke *poke)
{
    if (ram->poke_count == ram->poke_capacity) {
        ram->poke_capacity = 2 * ram->poke_capacity + 64;
        ram->pokes = realloc(ram->pokes, ram->poke_capacity * sizeof *ram->pokes);
        ASSERT(ram->pokes);
    }
    ram->pokes[ram->poke_count++] = *poke;
}

static enum status ram_poke(struct store *store, u64 number, u64 offset, u8 value)
{
    struct ram_store *ram = ram_of(store);
    struct ram_node *node = ram_tree_node(&ram->tree, number);
    if (ram->read_only)
        return ERR_READ_ONLY;
    enum status status = begin(ram);
    ASSERT(node && !node->is_directory);
    ASSERT(node == ram->tree.committed[number]); /* never a file in the transaction */
    if (status)
        return status;
    if (offset >= node->size)
        return ERR_INVALID_ARGUMENT;
    remember_poke(ram, &(struct ram_poke){ number, offset, node->data[offset] });
    node->data[offset] = value;
    ram->counters.pokes++;
    return OK;
}

static enum status remove_node(struct store *store, u64 parent, const char *name,
                               bool is_directory)
{
    struct ram_store *ram = ram_of(store);
    struct ram_node *directory;
    enum status status = begin_change(ram);
    if (status == OK)
        status = directory_node(ram, parent, &directory);
    if (status)
        return status;
    struct ram_entry *entry = ram_node_find(directory, name);
    if (!entry)
        return ERR_NOT_FOUND;
    struct ram_node *node = ram_tree_node(&ram->tree, entry->node);
    if (node->is_directory != is_directory)
        return is_directory ? ERR_NOT_DIRECTORY : ERR_IS_DIRECTORY;
    if (node->entry_count > 0)
        return ERR_NOT_EMPTY;
    status = take_room(ram, 4);
    if (status)
        return status;
    u64 number = entry->node;
    directory = ram_tree_modify(&ram->tree, parent);
    ram_node_drop(directory, ram_node_find(directory, name));
    ram_tree_remove(&ram->tree, number);
    ram->counters.removals++;
    return OK;
}

static enum status ram_remove_file(struct store *store, u64 directory, const char *name)
{
    return remove_node(store, directory, name, false);
}

static enum status ram_remove_directory(struct store *store, u64 directory,
                                        const char *name)
{
    return remove_node(store, directory, name, true);
}

/* One node of the committed tree gives way to another; either may be NULL. */
static void account(void *context, const struct ram_node *before,
                    const struct ram_node *after)
{
    struct ram_store *ram = context;
    ram->used_blocks += blocks_of(ram, after) - blocks_of(ram, before);
    ram->used_nodes += (u64)(after != NULL) - (u64)(before != NULL);
}

static void end_transaction(struct ram_store *ram)
{
    ram->new_blocks = ram->new_nodes = 0;
    ram->room_used = 0;
    ram->half_done = false;
}

void ram_store_adopt(struct ram_store *ram)
{
    ram_tree_commit(&ram->tree, account, ram);
    end_transaction(ram);
}

static void ram_rollback(struct store *store)
{
    struct ram_store *ram = ram_of(store);
    ram_tree_rollback(&ram->tree);
    end_transaction(ram);
}

static enum status ram_commit(struct store *store)
{
    struct ram_store *ram = ram_of(store);
    enum status status = begin_change(ram);
    if (status) {
        ram_rollback(store);
        return status;
    }
    ram_store_adopt(ram);
    ram->poke_count = 0;
    ram->counters.commits++;
    if (ram->commits_left > 0 && --ram->commits_left == 0) {
        ram->dead = true;
        ram->fail_status = ERR_IO;
    }
    return OK;
}

static enum status ram_flush(struct store *store)
{
    struct ram_store *ram = ram_of(store);
    enum status status = begin(ram);
    if (status)
        return status;
    ram->poke_count = 0;
    ram->counters.flushes++;
    return OK;
}

static u32 ram_transaction_room(const struct store *store)
{
    const struct ram_store *ram = ram_of(store);
    return ram->limits.transaction_room - ram->room_used;
}

static void ram_space(const struct store *store, struct store_space *space)
{
    const struct ram_store *ram = ram_of(store);
    *space = (struct store_space){
        .block_size = ram->limits.block_size,
        .total_blocks = ram->limits.total_blocks,
        .free_blocks =
            ram->limits.total_blocks -
            min_u64(ram->limits.total_blocks, ram->used_blocks + ram->new_blocks),
        .total_nodes = ram->limits.total_nodes,
        .free_nodes = ram->limits.total_nodes -
                      min_u64(ram->limits.total_nodes, ram->used_nodes + ram->new_nodes),
        .uuid = "ram store model",
        .read_only = ram->read_only,
    };
}

static const struct store_operations operations = {
    .root = ram_root,
    .lookup = ram_lookup,
    .stat = ram_stat,
    .next_entry = ram_next_entry,
    .make_directory = ram_make_directory,
    .create_files = ram_create_files,
    .replace_file = ram_replace_file,
    .read = ram_read,
    .poke = ram_poke,
    .remove_file = ram_remove_file,
    .remove_directory = ram_remove_directory,
    .commit = ram_commit,
    .rollback = ram_rollback,
    .flush = ram_flush,
    .transaction_room = ram_transaction_room,
    .space = ram_space,
};

struct ram_store *ram_store_create(const struct ram_limits *limits, u64 seed)
{
    struct ram_store *ram = calloc(1, sizeof *ram);
    ASSERT(ram);
    ram->store.operations = &operations;
    ram->random = seed * 2 + 1;
    if (limits)
        ram->limits = *limits;
    if (ram->limits.block_size == 0)
        ram->limits.block_size = 1024;
    if (ram->limits.total_blocks == 0)
        ram->limits.total_blocks = PLENTY;
    if (ram->limits.total_nodes == 0)
        ram->limits.total_nodes = PLENTY;
    if (ram->limits.transaction_room == 0)
        ram->limits.transaction_room = UINT32_MAX / 2;
    ram_tree_init(&ram->tree);
    ram->used_blocks = ram->used_nodes = 1;
    return ram;
}
