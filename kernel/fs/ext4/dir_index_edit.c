/*
 * Names added to an indexed directory.
 *
 * An attempt that finds its leaf full makes one step of room (the leaf is split; or, if the node
 * above it is full, that node is split or the root pushed down a level) and starts again from the
 * root. Each step leaves a valid index.
 */
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/dir_index.h"

/* Two to grow the index, and a leaf of the longest names is split three times at most. */
enum { STEPS_LIMIT = 8 };
enum {
    BLOCK_SIZE_LIMIT = 4096,
    SMALLEST_ENTRY = 12,
    ENTRIES_LIMIT = BLOCK_SIZE_LIMIT / SMALLEST_ENTRY
};

/* The names of a leaf, in a copy of it, by hash. */
struct leaf_names {
    u8 copy[BLOCK_SIZE_LIMIT];
    u32 count;
    u32 bytes; /* all entries as tight as can be */
    struct hashed_name {
        u32 hash;
        struct ext4_dir_entry entry;
    } names[ENTRIES_LIMIT];
};

static void insert_sorted(struct leaf_names *leaf, u32 hash,
                          const struct ext4_dir_entry *entry)
{
    u32 at = leaf->count++;
    for (; at > 0 && leaf->names[at - 1].hash > hash; at--)
        leaf->names[at] = leaf->names[at - 1];
    leaf->names[at] = (struct hashed_name){ hash, *entry };
    leaf->bytes += ext4_dir_entry_size(entry->name_length);
}

static enum status collect(const struct ext4_dir_block *block,
                           const struct ext4_hash_method *method, struct leaf_names *leaf)
{
    struct ext4_dir_block copy = *block;
    struct ext4_dir_entry entry;
    enum status status;
    memcpy(leaf->copy, block->raw, block->size);
    copy.raw = leaf->copy;

    for (u32 offset = 0; (status = ext4_dir_block_entry(&copy, offset, &entry)) == OK;
         offset += entry.size)
        if (entry.inode != 0)
            insert_sorted(leaf, ext4_name_hash(method, entry.name, entry.name_length),
                          &entry);
    if (status != ERR_NOT_FOUND)
        return status;
    return leaf->count >= 2
               ? OK
               : ext4_dir_block_refuse(block, "full, with names", leaf->count);
}

static enum status pack(const struct ext4_dir_block *block, const struct leaf_names *leaf,
                        u32 first, u32 end)
{
    ext4_dir_block_init(block);
    for (u32 i = first; i < end; i++) {
        const struct ext4_dir_entry *entry = &leaf->names[i].entry;
        struct ext4_dir_name name = { (const char *)entry->name, entry->name_length,
                                      entry->inode, entry->type };
        enum status status = ext4_dir_block_insert(block, &name);
        if (status != OK)
            return status;
    }
    ext4_dir_block_seal(block);
    return OK;
}

/* The first name of the upper half, by bytes. */
static u32 middle_of(const struct leaf_names *leaf)
{
    u32 at = 0;
    u32 bytes = 0;
    while (at < leaf->count - 1 && bytes < leaf->bytes / 2)
        bytes += ext4_dir_entry_size(leaf->names[at++].entry.name_length);
    return at > 0 ? at : 1;
}

static enum status add_entry(struct ext4 *fs, struct ext4_index_node *node, u32 hash,
                             u32 block)
{
    enum status status = ext4_dir_block_modify(fs, &node->block);
    if (status != OK)
        return status;
    u32 at = node->position + 1;
    ext4_index_set_count(node, node->count + 1);
    for (u32 i = node->count - 1; i > at; i--)
        ext4_index_entry_encode(node, i, ext4_index_entry_hash(node, i - 1),
                                ext4_index_entry_block(node, i - 1));
    ext4_index_entry_encode(node, at, hash, block);
    ext4_index_seal(node);
    return OK;
}

/* A leaf with names that the index would not look for in it must not spread its disorder. */
static enum status check_order(const struct ext4_index_node *node,
                               const struct leaf_names *leaf)
{
    u32 at = node->position;
    u32 lowest = leaf->names[0].hash;
    u32 highest = leaf->names[leaf->count - 1].hash;
    if (lowest < (ext4_index_entry_hash(node, at) & ~1U))
        return ext4_dir_block_refuse(&node->block, "leaf with a hash too low", lowest);
    if (at + 1 < node->count && highest > ext4_index_entry_hash(node, at + 1))
        return ext4_dir_block_refuse(&node->block, "leaf with a hash too high", highest);
    return OK;
}

static enum status move_upper_half(struct ext4 *fs, struct ext4_inode *directory,
                                   struct ext4_index_node *node,
                                   const struct ext4_dir_block *block,
                                   const struct leaf_names *leaf)
{
    struct ext4_dir_block upper;
    u32 middle = middle_of(leaf);
    u32 hash = leaf->names[middle].hash;
    if (leaf->names[middle - 1].hash == hash)
        hash |= 1;

    enum status status = ext4_dir_append(fs, directory, &upper);
    if (status != OK)
        return status;
    status = ext4_dir_block_modify(fs, block);
    if (status == OK)
        status = pack(&upper, leaf, middle, leaf->count);
    if (status == OK)
        status = pack(block, leaf, 0, middle);
    if (status == OK)
        status = add_entry(fs, node, hash, (u32)upper.number);
    ext4_dir_block_release(&upper);
    return status;
}

static enum status split_leaf(struct ext4 *fs, struct ext4_inode *directory,
                              struct ext4_index_path *path)
{
    struct ext4_index_node *node = &path->nodes[path->depth - 1];
    struct ext4_dir_block block;
    struct leaf_names *leaf = port_alloc(sizeof *leaf);
    if (!leaf)
        return ERR_NO_MEMORY;
    enum status status =
        ext4_dir_leaf_read(fs, directory, ext4_index_path_leaf(path), &block);
    if (status != OK)
        goto free_leaf;
    status = collect(&block, &path->method, leaf);
    if (status == OK)
        status = check_order(node, leaf);
    if (status == OK)
        status = move_upper_half(fs, directory, node, &block, leaf);
    ext4_dir_block_release(&block);
free_leaf:
    port_free(leaf);
    return status;
}

static void copy_entries(struct ext4_index_node *to, const struct ext4_index_node *from,
                         u32 first)
{
    ext4_index_set_count(to, from->count - first);
    for (u32 i = first; i < from->count; i++)
        ext4_index_entry_encode(to, i - first, ext4_index_entry_hash(from, i),
                                ext4_index_entry_block(from, i));
    ext4_index_seal(to);
}

/* The root's entries move to a node of their own. */
static enum status push_root_down(struct ext4 *fs, struct ext4_inode *directory,
                                  struct ext4_index_node *root)
{
    struct ext4_dir_block block;
    struct ext4_index_node node;
    enum status status = ext4_dir_append(fs, directory, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_modify(fs, &root->block);
    if (status == OK) {
        ext4_index_node_init(&block, &node);
        copy_entries(&node, root, 0);
        ext4_index_set_count(root, 1);
        ext4_index_entry_encode(root, 0, 0, (u32)block.number);
        ext4_index_root_set_levels(root, 1);
        ext4_index_seal(root);
    }
    ext4_dir_block_release(&block);
    return status;
}

static enum status split_node(struct ext4 *fs, struct ext4_inode *directory,
                              struct ext4_index_node *root, struct ext4_index_node *node)
{
    struct ext4_dir_block block;
    struct ext4_index_node upper;
    u32 middle = node->count / 2;
    enum status status = ext4_dir_append(fs, directory, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_modify(fs, &node->block);
    if (status == OK) {
        u32 hash = ext4_index_entry_hash(node, middle);
        ext4_index_node_init(&block, &upper);
        copy_entries(&upper, node, middle);
        ext4_index_set_count(node, middle);
        ext4_index_seal(node);
        status = add_entry(fs, root, hash, (u32)block.number);
    }
    ext4_dir_block_release(&block);
    return status;
}

static enum status make_room(struct ext4 *fs, struct ext4_inode *directory,
                             struct ext4_index_path *path)
{
    struct ext4_index_node *root = &path->nodes[0];
    struct ext4_index_node *last = &path->nodes[path->depth - 1];
    if (last->count < last->limit)
        return split_leaf(fs, directory, path);
    if (path->depth == 1)
        return push_root_down(fs, directory, root);
    if (root->count < root->limit)
        return split_node(fs, directory, root, last);
    return ERR_NO_SPACE;
}

enum status ext4_index_insert(struct ext4 *fs, struct ext4_inode *directory,
                              const struct ext4_dir_name *name)
{
    for (int step = 0; step < STEPS_LIMIT; step++) {
        struct ext4_index_path path;
        enum status status =
            ext4_index_path_find(fs, directory, name->text, name->length, &path);
        if (status != OK)
            return status;
        status = ext4_dir_block_add(fs, directory, ext4_index_path_leaf(&path), name);
        bool full = status == ERR_NO_SPACE;
        if (full)
            status = make_room(fs, directory, &path);
        ext4_index_path_release(&path);
        if (!full || status != OK)
            return status;
    }
    return ERR_NO_SPACE;
}
