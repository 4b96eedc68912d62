#include "tests/support/ext4_tree_operations.h"

enum { SPREAD_START = 10, SPREAD_MAX = 800 };

static const u8 content[4096];

static enum status truncate_to(struct ext4 *fs, const char *path, u64 size)
{
    u32 inode;
    enum status status = ext4_resolve(fs, path, &inode);

    return status == OK ? ext4_truncate(fs, inode, size) : status;
}

/* One block of a file, number `number` or, with ~0, the second behind its end. */
static enum status write_block(struct ext4 *fs, const char *path, u64 number)
{
    struct ext4_space space;
    struct ext4_stat stat;
    u32 inode;
    enum status status = ext4_resolve(fs, path, &inode);

    if (status == OK)
        status = ext4_stat(fs, inode, &stat);
    if (status != OK)
        return status;
    ext4_space(fs, &space);
    if (number == ~0ULL)
        number = stat.size_bytes / space.block_size + 1;
    return ext4_write(fs, inode, number * space.block_size, content, space.block_size);
}

static enum status grow_root(struct ext4 *fs)
{
    return write_block(fs, "/root-full", ~0ULL);
}

static enum status split_leaf(struct ext4 *fs)
{
    return write_block(fs, "/leaf-full", ~0ULL);
}

static enum status deepen_tree(struct ext4 *fs)
{
    return write_block(fs, "/tree-full", ~0ULL);
}

static enum status deepen_in_front(struct ext4 *fs)
{
    return write_block(fs, "/tree-full", 0);
}

static enum status unlink_tree(struct ext4 *fs)
{
    return ext4_unlink(fs, EXT4_ROOT_INODE, "tree-full");
}

static enum status split_first_leaf(struct ext4 *fs)
{
    return write_block(fs, "/leaf-full", 0);
}

static enum status merge_extents(struct ext4 *fs)
{
    return write_block(fs, "/leaf-full", SPREAD_START + 1);
}

static enum status unlink_spread(struct ext4 *fs)
{
    return ext4_unlink(fs, EXT4_ROOT_INODE, "leaf-full");
}

static enum status truncate_spread(struct ext4 *fs)
{
    enum status status = grow_root(fs);
    if (status == OK)
        status = truncate_to(fs, "/root-full", 1);
    return status == OK ? truncate_to(fs, "/leaf-full", SPREAD_START * 4096) : status;
}

const struct ext4_operation ext4_tree_operations[] = {
    { "grow root", grow_root, false },
    { "split leaf", split_leaf, false },
    { "split first leaf", split_first_leaf, false },
    { "merge extents", merge_extents, false },
    { "deepen tree", deepen_tree, false },
    { "deepen in front", deepen_in_front, false },
    { "truncate spread", truncate_spread, false },
    { "unlink spread", unlink_spread, true },
    { "unlink tree", unlink_tree, false },
};
const size_t ext4_tree_operation_count = ARRAY_LENGTH(ext4_tree_operations);

/*
 * Single blocks with holes between, until one more would need another block than its own and the `nodes`
 * that the tree has by then. A file of pointers stays short.
 */
static enum status spread(struct ext4 *fs, const char *path, u64 nodes)
{
    struct ext4_space space;
    struct ext4_stat stat;
    u32 inode;
    enum status status = ext4_create(fs, EXT4_ROOT_INODE, path + 1, &inode);

    ext4_space(fs, &space);
    if (status == OK)
        status = ext4_commit(fs);
    for (u64 i = 0; i < SPREAD_MAX && status == OK; i++) {
        status = write_block(fs, path, SPREAD_START + 2 * i);
        if (status == OK)
            status = ext4_resolve(fs, path, &inode);
        if (status == OK)
            status = ext4_stat(fs, inode, &stat);
        bool full = status == OK &&
                    stat.blocks_512 * SECTOR_SIZE / space.block_size > i + 1 + nodes;
        if (full || status == ERR_UNSUPPORTED) {
            ext4_rollback(fs);
            return OK;
        }
        if (status == OK)
            status = ext4_commit(fs);
    }
    return status == OK ? ERR_INVALID_STATE : status;
}

/* In large ones a tree that is full is larger than the image. */
static bool has_small_blocks(const struct ext4 *fs)
{
    struct ext4_space space;

    ext4_space(fs, &space);
    return space.block_size == 1024;
}

enum status ext4_tree_operations_prepare(struct ext4 *fs)
{
    enum status status = spread(fs, "/root-full", 0);
    if (status == OK)
        status = spread(fs, "/leaf-full", 1);
    if (status == OK && has_small_blocks(fs))
        status = spread(fs, "/tree-full", 4);
    return status;
}
