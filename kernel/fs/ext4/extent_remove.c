#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/extent_edit.h"

enum { ROOT_ROOM = 4, STEP_BLOCKS = 8 };

/* Frees blocks of the file and counts them off. */
static enum status release_blocks(struct ext4 *fs, struct ext4_inode *inode, u64 first,
                                  u64 count)
{
    u64 units = count * (fs->superblock.block_size / SECTOR_SIZE);
    if (units > inode->blocks_512) {
        log_error("ext4: inode %u: more blocks than it counts: %llu", inode->number,
                  (unsigned long long)inode->blocks_512);
        return ERR_CORRUPT;
    }
    enum status status = ext4_blocks_free(fs, first, count);
    if (status == OK)
        inode->blocks_512 -= units;
    return status;
}

/* Bitmaps and descriptors that freeing one extent can touch. */
static u64 groups_cost(const struct ext4 *fs, u64 count)
{
    return 2 * (count / fs->superblock.blocks_per_group + 2);
}

/* The leaf is to go: it, its entry above, and each index that becomes empty by that. */
static enum status drop_leaf(struct ext4 *fs, struct ext4_inode *inode,
                             struct ext4_extent_path *path)
{
    for (u32 level = path->depth; level > 0; level--) {
        struct ext4_extent_level *parent = &path->levels[level - 1];
        u64 block = path->levels[level].buffer->block;
        cache_release(path->levels[level].buffer);
        path->levels[level].buffer = NULL;
        enum status status = release_blocks(fs, inode, block, 1);
        if (status != OK)
            return status;
        if (parent->entries == 1)
            continue;
        status = ext4_extent_level_modify(fs, parent);
        if (status != OK)
            return status;
        ext4_extent_level_set_entries(parent, parent->entries - 1);
        ext4_extent_level_seal(fs, inode, parent);
        return OK;
    }
    memset(inode->map, 0, sizeof inode->map);
    ext4_extent_node_init(inode->map, ROOT_ROOM, 0);
    return OK;
}

/* Frees all extents of the rightmost leaf, and the leaf, without changing its bytes. */
static enum status drop_whole_leaf(struct ext4 *fs, struct ext4_inode *inode,
                                   struct ext4_extent_path *path)
{
    struct ext4_extent_level *leaf = &path->levels[path->depth];
    for (u32 i = leaf->entries; i-- > 0;) {
        struct ext4_extent extent;
        ext4_extent_entry_decode(ext4_extent_entry(leaf, i), &extent);
        enum status status = release_blocks(fs, inode, extent.disk_block, extent.count);
        if (status != OK)
            return status;
    }
    return drop_leaf(fs, inode, path);
}

/* Would freeing the whole leaf at once surely fit the transaction? */
static bool whole_leaf_fits(const struct ext4 *fs, const struct ext4_extent_path *path)
{
    const struct ext4_extent_level *leaf = &path->levels[path->depth];
    u64 cost = 2 * (u64)fs->superblock.group_count;
    u64 by_entry = 0;
    for (u32 i = 0; i < leaf->entries; i++) {
        struct ext4_extent extent;
        ext4_extent_entry_decode(ext4_extent_entry(leaf, i), &extent);
        by_entry += groups_cost(fs, extent.count);
    }
    return ext4_running_require(fs, min_u64(cost, by_entry) + path->depth +
                                        STEP_BLOCKS) == OK;
}

/* Frees what of the last extent lies at or beyond `file_block`. */
static enum status cut_last_extent(struct ext4 *fs, struct ext4_inode *inode,
                                   struct ext4_extent_path *path,
                                   struct ext4_extent *extent, u32 file_block)
{
    struct ext4_extent_level *leaf = &path->levels[path->depth];
    u32 keep = file_block > extent->file_block ? file_block - extent->file_block : 0;
    enum status status = ext4_running_require(fs, groups_cost(fs, extent->count) +
                                                      path->depth + STEP_BLOCKS);
    if (status == OK)
        status = ext4_extent_level_modify(fs, leaf);
    if (status == OK)
        status =
            release_blocks(fs, inode, extent->disk_block + keep, extent->count - keep);
    if (status != OK)
        return status;

    extent->count = keep;
    if (keep > 0)
        ext4_extent_entry_encode(ext4_extent_entry(leaf, leaf->position), extent);
    else
        ext4_extent_level_set_entries(leaf, leaf->entries - 1);
    ext4_extent_level_seal(fs, inode, leaf);
    return leaf->entries == 0 && path->depth > 0 ? drop_leaf(fs, inode, path) : OK;
}

/* One step from the end; *done when nothing at or beyond `file_block` is left. */
static enum status remove_last(struct ext4 *fs, struct ext4_inode *inode,
                               struct ext4_extent_path *path, u32 file_block, bool *done)
{
    struct ext4_extent_level *leaf = &path->levels[path->depth];
    if (leaf->entries == 0) {
        *done = path->depth == 0;
        return *done ? OK : drop_leaf(fs, inode, path);
    }
    struct ext4_extent extent;
    ext4_extent_entry_decode(ext4_extent_entry(leaf, leaf->position), &extent);
    if (extent.file_block + extent.count <= file_block) {
        *done = true;
        return OK;
    }
    bool whole = ext4_extent_key(ext4_extent_entry(leaf, 0)) >= file_block;
    if (path->depth > 0 && whole && whole_leaf_fits(fs, path))
        return drop_whole_leaf(fs, inode, path);
    return cut_last_extent(fs, inode, path, &extent, file_block);
}

enum status ext4_extent_truncate(struct ext4 *fs, struct ext4_inode *inode,
                                 u32 file_block)
{
    bool done = false;
    while (!done) { /* each step frees blocks, and none can be freed twice */
        struct ext4_extent_path path;
        enum status status =
            ext4_extent_path_find(fs, inode, EXT4_FILE_BLOCK_LIMIT, &path);
        if (status != OK)
            return status;
        status = remove_last(fs, inode, &path, file_block, &done);
        ext4_extent_path_release(&path);
        if (status != OK)
            return status;
    }
    return OK;
}

enum status ext4_extent_convert(struct ext4 *fs, struct ext4_inode *inode, u32 file_block,
                                u32 count)
{
    struct ext4_extent_path path;
    struct ext4_extent extent;
    enum status status = ext4_extent_path_find(fs, inode, file_block, &path);
    if (status != OK)
        return status;
    struct ext4_extent_level *leaf = &path.levels[path.depth];
    u8 *entry = ext4_extent_entry(leaf, leaf->position);
    ext4_extent_entry_decode(entry, &extent);
    status = ext4_extent_level_modify(fs, leaf);
    if (status != OK) {
        ext4_extent_path_release(&path);
        return status;
    }

    u32 before = file_block - extent.file_block;
    u32 after = extent.count - before - count;
    struct ext4_extent middle = { file_block, count, extent.disk_block + before, false };
    struct ext4_extent rest = { file_block + count, after, middle.disk_block + count,
                                true };
    extent.count = before;
    ext4_extent_entry_encode(entry, before > 0 ? &extent : &middle);
    ext4_extent_level_seal(fs, inode, leaf);
    ext4_extent_path_release(&path);

    if (before > 0)
        status = ext4_extent_insert(fs, inode, &middle);
    if (status == OK && after > 0)
        status = ext4_extent_insert(fs, inode, &rest);
    return status;
}

enum status ext4_extent_end(struct ext4 *fs, const struct ext4_inode *inode, u64 *end)
{
    struct ext4_extent_path path;
    enum status status = ext4_extent_path_find(fs, inode, EXT4_FILE_BLOCK_LIMIT, &path);
    if (status != OK)
        return status;
    const struct ext4_extent_level *leaf = &path.levels[path.depth];
    struct ext4_extent extent = { 0 };
    if (leaf->entries > 0)
        ext4_extent_entry_decode(ext4_extent_entry(leaf, leaf->position), &extent);
    *end = (u64)extent.file_block + extent.count;
    ext4_extent_path_release(&path);
    return OK;
}
