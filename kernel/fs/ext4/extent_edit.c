#include "kernel/fs/ext4/extent_edit.h"

#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"

enum { ENTRY_SIZE = 12, ROOT_ROOM = 4 };

void ext4_extent_root_init(struct ext4_inode *inode)
{
    memset(inode->map, 0, sizeof inode->map);
    ext4_extent_node_init(inode->map, ROOT_ROOM, 0);
    inode->flags |= EXT4_INODE_FLAG_EXTENTS;
}

enum status ext4_extent_level_modify(struct ext4 *fs, struct ext4_extent_level *level)
{
    return level->buffer ? journal_modify(fs->journal, level->buffer) : OK;
}

void ext4_extent_level_seal(struct ext4 *fs, const struct ext4_inode *inode,
                            struct ext4_extent_level *level)
{
    if (level->buffer)
        ext4_extent_block_seal(fs, inode, level->raw);
}

/* A zeroed block for a tree node, in the running transaction and counted to the inode. */
static enum status new_node(struct ext4 *fs, struct ext4_inode *inode,
                            struct buffer **node)
{
    struct ext4_block_run run;
    struct buffer *buffer;
    u64 goal = ext4_metadata_goal(fs, inode->number);
    enum status status = ext4_blocks_allocate(fs, goal, 1, &run);
    if (status == OK)
        status = cache_get_fresh(&fs->cache, run.first, &buffer);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, buffer);
    if (status != OK) {
        cache_release(buffer);
        return status;
    }
    memset(buffer->data, 0, fs->superblock.block_size);
    buffer->checked = true;
    inode->blocks_512 += fs->superblock.block_size / SECTOR_SIZE;
    *node = buffer;
    return OK;
}

/* The root's entries move into a new block, and the root becomes an index of that one. */
static enum status grow_depth(struct ext4 *fs, struct ext4_inode *inode,
                              const struct ext4_extent_path *path)
{
    if (path->depth == EXT4_EXTENT_MAX_DEPTH)
        return ERR_TOO_LARGE;
    struct buffer *node;
    enum status status = new_node(fs, inode, &node);
    if (status != OK)
        return status;

    const struct ext4_extent_level *root = &path->levels[0];
    struct ext4_extent_level level = { .raw = node->data };
    ext4_extent_node_init(node->data, ext4_extent_block_room(fs), path->depth);
    memcpy(ext4_extent_entry(&level, 0), ext4_extent_entry(root, 0),
           (size_t)root->entries * ENTRY_SIZE);
    ext4_extent_level_set_entries(&level, root->entries);
    ext4_extent_block_seal(fs, inode, node->data);

    u32 key = ext4_extent_key(ext4_extent_entry(root, 0));
    struct ext4_extent_level new_root = { .raw = inode->map };
    memset(inode->map, 0, sizeof inode->map);
    ext4_extent_node_init(inode->map, ROOT_ROOM, path->depth + 1);
    ext4_extent_child_encode(ext4_extent_entry(&new_root, 0), key, node->block);
    ext4_extent_level_set_entries(&new_root, 1);
    cache_release(node);
    return OK;
}

/* Opens a gap at `position` and puts nothing into it yet. */
static u8 *open_gap(struct ext4_extent_level *level, u32 position)
{
    u8 *entry = ext4_extent_entry(level, position);
    memmove(entry + ENTRY_SIZE, entry, (size_t)(level->entries - position) * ENTRY_SIZE);
    ext4_extent_level_set_entries(level, level->entries + 1);
    return entry;
}

/*
 * Where a full node is cut. Appending leaves it full: an empty leaf follows it, or (an index must
 * not be empty) an index with its last entry.
 */
static u32 cut_position(const struct ext4_extent_path *path, u32 level, u32 file_block)
{
    const struct ext4_extent_level *node = &path->levels[level];
    u32 last_key = ext4_extent_key(ext4_extent_entry(node, node->entries - 1));
    if (file_block <= last_key)
        return node->entries / 2;
    return level == path->depth ? node->entries : node->entries - 1;
}

/* Moves the later part of the full node at `level` to a new one beside it; its parent has room. */
static enum status split(struct ext4 *fs, struct ext4_inode *inode,
                         struct ext4_extent_path *path, u32 level, u32 file_block)
{
    struct ext4_extent_level *node = &path->levels[level];
    struct ext4_extent_level *parent = &path->levels[level - 1];
    struct buffer *buffer;
    enum status status = ext4_extent_level_modify(fs, node);
    if (status == OK)
        status = ext4_extent_level_modify(fs, parent);
    if (status == OK)
        status = new_node(fs, inode, &buffer);
    if (status != OK)
        return status;

    u32 cut = cut_position(path, level, file_block);
    u32 moved = node->entries - cut;
    u32 key = moved == 0 ? file_block : ext4_extent_key(ext4_extent_entry(node, cut));
    struct ext4_extent_level fresh = { .raw = buffer->data };
    ext4_extent_node_init(buffer->data, ext4_extent_block_room(fs), path->depth - level);
    memcpy(ext4_extent_entry(&fresh, 0), ext4_extent_entry(node, cut),
           (size_t)moved * ENTRY_SIZE);
    ext4_extent_level_set_entries(&fresh, moved);
    ext4_extent_block_seal(fs, inode, buffer->data);
    ext4_extent_level_set_entries(node, cut);
    ext4_extent_level_seal(fs, inode, node);

    ext4_extent_child_encode(open_gap(parent, parent->position + 1), key, buffer->block);
    ext4_extent_level_seal(fs, inode, parent);
    cache_release(buffer);
    return OK;
}

/* One step towards room in the leaf: splits below the deepest index with room, or grows. */
static enum status make_room(struct ext4 *fs, struct ext4_inode *inode,
                             struct ext4_extent_path *path, u32 file_block)
{
    for (u32 level = path->depth; level > 0; level--) {
        const struct ext4_extent_level *parent = &path->levels[level - 1];
        if (parent->entries < parent->room)
            return split(fs, inode, path, level, file_block);
    }
    return grow_depth(fs, inode, path);
}

/* X2: the leaf's first key changed, and with it the keys above. */
enum status ext4_extent_update_keys(struct ext4 *fs, struct ext4_inode *inode,
                                    struct ext4_extent_path *path)
{
    u32 key = ext4_extent_key(ext4_extent_entry(&path->levels[path->depth], 0));
    for (u32 level = path->depth; level > 0; level--) {
        struct ext4_extent_level *parent = &path->levels[level - 1];
        u8 *entry = ext4_extent_entry(parent, parent->position);
        if (ext4_extent_key(entry) == key)
            break;
        enum status status = ext4_extent_level_modify(fs, parent);
        if (status != OK)
            return status;
        ext4_extent_set_key(entry, key);
        ext4_extent_level_seal(fs, inode, parent);
        if (parent->position > 0)
            break;
    }
    return OK;
}

static bool can_merge(const struct ext4_extent *first, const struct ext4_extent *second)
{
    u32 limit = first->unwritten ? EXT4_EXTENT_MAX_UNWRITTEN : EXT4_EXTENT_MAX_BLOCKS;
    return first->unwritten == second->unwritten &&
           (u64)first->file_block + first->count == second->file_block &&
           first->disk_block + first->count == second->disk_block &&
           first->count + second->count <= limit;
}

/* Joins the extent to the entry at `position` if they touch. */
static bool merge_at(struct ext4_extent_level *leaf, u32 position,
                     const struct ext4_extent *extent)
{
    struct ext4_extent present;
    u8 *entry = ext4_extent_entry(leaf, position);
    ext4_extent_entry_decode(entry, &present);
    if (can_merge(&present, extent)) {
        present.count += extent->count;
    } else if (can_merge(extent, &present)) {
        present.file_block = extent->file_block;
        present.disk_block = extent->disk_block;
        present.count += extent->count;
    } else {
        return false;
    }
    ext4_extent_entry_encode(entry, &present);
    return true;
}

/* *done: it is in the tree now; else not yet, but there is more room. */
static enum status insert_in_leaf(struct ext4 *fs, struct ext4_inode *inode,
                                  struct ext4_extent_path *path,
                                  const struct ext4_extent *extent, bool *done)
{
    struct ext4_extent_level *leaf = &path->levels[path->depth];
    u32 position = leaf->position;
    if (leaf->entries > 0 &&
        ext4_extent_key(ext4_extent_entry(leaf, position)) <= extent->file_block)
        position++;
    enum status status = ext4_extent_level_modify(fs, leaf);
    if (status != OK)
        return status;
    bool merged = (position > 0 && merge_at(leaf, position - 1, extent)) ||
                  (position < leaf->entries && merge_at(leaf, position, extent));
    if (!merged && leaf->entries == leaf->room)
        return make_room(fs, inode, path, extent->file_block);
    if (!merged)
        ext4_extent_entry_encode(open_gap(leaf, position), extent);
    ext4_extent_level_seal(fs, inode, leaf);
    *done = true;
    return ext4_extent_update_keys(fs, inode, path);
}

enum status ext4_extent_insert(struct ext4 *fs, struct ext4_inode *inode,
                               const struct ext4_extent *extent)
{
    /* Each failed attempt splits or grows one level, so these are enough for any tree. */
    for (u32 attempt = 0; attempt < 2 * (EXT4_EXTENT_MAX_DEPTH + 2); attempt++) {
        struct ext4_extent_path path;
        bool done = false;
        enum status status = ext4_extent_path_find(fs, inode, extent->file_block, &path);
        if (status != OK)
            return status;
        status = insert_in_leaf(fs, inode, &path, extent, &done);
        ext4_extent_path_release(&path);
        if (status != OK || done)
            return status;
    }
    log_error("ext4: inode %u: extent tree: no room made at file block %u", inode->number,
              extent->file_block);
    return ERR_CORRUPT;
}
