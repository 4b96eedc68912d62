/* One inode looked over: its map, its blocks, its size. */
#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/fs/ext4/check_internal.h"
#include "kernel/fs/ext4/extent.h"
#include "kernel/fs/ext4/inode.h"

enum { RESIZE_INODE = 7, DIRECT = 12, TREES = 3, DOUBLE_INDIRECT = 13 };
enum { ATTRIBUTE_REFERENCES_AT = 4 };

/* What the walk over an inode's map adds up. */
struct map_sum {
    u64 data_blocks, tree_blocks;
    u64 written_end; /* file block behind the last written one */
    bool broken;     /* a block used twice: the walk ends */
};

static void take_extents(struct ext4_check *check, const struct ext4_inode *inode,
                         const struct ext4_extent_path *path, struct map_sum *sum)
{
    const struct ext4_extent_level *leaf = &path->levels[path->depth];
    for (u32 i = 0; i < leaf->entries && !sum->broken; i++) {
        struct ext4_extent extent;
        ext4_extent_entry_decode(ext4_extent_entry(leaf, i), &extent);
        sum->broken =
            !ext4_check_take(check, extent.disk_block, extent.count, inode->number);
        sum->data_blocks += extent.count;
        if (!extent.unwritten)
            sum->written_end = (u64)extent.file_block + extent.count;
    }
}

/* Each tree block is taken when it is first met; one met twice ends the walk. */
static enum status walk_extents(struct ext4_check *check, const struct ext4_inode *inode,
                                struct map_sum *sum)
{
    u64 seen[EXT4_EXTENT_MAX_DEPTH + 1] = { 0 };
    u32 key = 0;
    while (!sum->broken) {
        struct ext4_extent_path path;
        enum status status = ext4_extent_path_find(check->fs, inode, key, &path);
        if (status != OK)
            return status;
        for (u32 level = 1; level <= path.depth && !sum->broken; level++) {
            u64 block = path.levels[level].buffer->block;
            if (block == seen[level])
                continue;
            seen[level] = block;
            sum->tree_blocks++;
            sum->broken = !ext4_check_take(check, block, 1, inode->number);
        }
        take_extents(check, inode, &path, sum);
        struct ext4_extent_level *leaf = &path.levels[path.depth];
        leaf->position = leaf->entries > 0 ? leaf->entries - 1 : 0;
        u32 next = ext4_extent_path_next_key(&path); /* of the next leaf */
        ext4_extent_path_release(&path);
        if (next <= key || next == EXT4_FILE_BLOCK_LIMIT)
            break;
        key = next;
    }
    return OK;
}

static enum status walk_pointers(struct ext4_check *check, const struct ext4_inode *inode,
                                 u64 block, u32 depth, u64 file_block,
                                 struct map_sum *sum)
{
    u32 per_block = check->fs->superblock.block_size / 4;
    if (block == 0 || sum->broken)
        return OK;
    sum->broken = !ext4_check_take(check, block, 1, inode->number);
    if (sum->broken)
        return OK;
    if (depth == 0) {
        sum->data_blocks++;
        sum->written_end = file_block + 1;
        return OK;
    }
    struct buffer *buffer;
    enum status status = cache_get(&check->fs->cache, block, &buffer);
    if (status != OK)
        return status;
    sum->tree_blocks++;
    u64 span = 1;
    for (u32 level = 1; level < depth; level++)
        span *= per_block;
    for (u32 i = 0; i < per_block && status == OK; i++)
        status = walk_pointers(check, inode, get_le32(buffer->data + 4 * (size_t)i),
                               depth - 1, file_block + i * span, sum);
    cache_release(buffer);
    return status;
}

static enum status walk_map(struct ext4_check *check, const struct ext4_inode *inode,
                            struct map_sum *sum)
{
    if (inode->flags & EXT4_INODE_FLAG_EXTENTS)
        return walk_extents(check, inode, sum);
    u64 file_block = 0;
    u64 span = 1;
    enum status status = OK;
    for (u32 i = 0; i < DIRECT + TREES && status == OK; i++) {
        u32 depth = i < DIRECT ? 0 : i - DIRECT + 1;
        span = depth == 0 ? 1 : span * (check->fs->superblock.block_size / 4);
        status = walk_pointers(check, inode, get_le32(inode->map + 4 * i), depth,
                               file_block, sum);
        file_block += span;
    }
    return status;
}

static enum status take_attribute_block(struct ext4_check *check, u64 block, u32 inode)
{
    u64 users = 0;
    bool shared = map_get(&check->attributes, block, &users);
    if (!shared && !ext4_check_take(check, block, 1, inode))
        return OK;
    return map_set(&check->attributes, block, users + 1);
}

static void compare_size(struct ext4_check *check, const struct ext4_inode *inode,
                         const struct map_sum *sum)
{
    u64 blocks = divide_up(inode->size_bytes, check->fs->superblock.block_size);
    bool directory = ext4_inode_is(inode, EXT4_MODE_DIRECTORY);
    if (sum->written_end > blocks)
        ext4_check_problem(check, "inode %u: blocks behind its end: %llu", inode->number,
                           (unsigned long long)sum->written_end);
    if (directory && (sum->data_blocks != blocks || sum->written_end != blocks))
        ext4_check_problem(check, "directory %u: holes, blocks %llu of %llu",
                           inode->number, (unsigned long long)sum->data_blocks,
                           (unsigned long long)blocks);
}

static u8 kind_of_mode(u16 mode)
{
    static const u8 kinds[16] = {
        [0x8] = 1, [0x4] = 2, [0x2] = 3, [0x6] = 4, [0x1] = 5, [0xC] = 6, [0xA] = 7
    };
    u8 kind = kinds[mode >> 12];
    return kind != 0 ? kind : EXT4_KIND_BROKEN;
}

/* Its blocks other than one are those reserved for descriptors, which the groups have. */
static void check_resize_inode(struct ext4_check *check, const struct ext4_inode *inode)
{
    u32 block = get_le32(inode->map + 4 * DOUBLE_INDIRECT);
    if (block != 0)
        (void)ext4_check_take(check, block, 1, inode->number);
}

static enum status check_map(struct ext4_check *check, const struct ext4_inode *inode)
{
    struct map_sum sum = { 0 };
    u64 attribute = inode->attribute_block != 0;
    enum status status = OK;
    if (attribute)
        status = take_attribute_block(check, inode->attribute_block, inode->number);
    if (status == OK && ext4_inode_has_map(inode))
        status = walk_map(check, inode, &sum);
    if (status != OK || sum.broken)
        return status;
    u64 units = (sum.data_blocks + sum.tree_blocks + attribute) *
                (check->fs->superblock.block_size / SECTOR_SIZE);
    if (units != inode->blocks_512)
        ext4_check_problem(check, "inode %u: counts %llu sectors, has %llu",
                           inode->number, (unsigned long long)inode->blocks_512,
                           (unsigned long long)units);
    if (ext4_inode_has_map(inode))
        compare_size(check, inode, &sum);
    return OK;
}

enum status ext4_check_inode(struct ext4_check *check, u32 number)
{
    struct ext4_inode inode;
    check->kinds[number] = EXT4_KIND_BROKEN;
    enum status status = ext4_inode_load(check->fs, number, &inode);
    if (status == OK && number == RESIZE_INODE) {
        check_resize_inode(check, &inode);
        check->kinds[number] = EXT4_KIND_RESERVED;
        return OK;
    }
    if (status == OK)
        status = check_map(check, &inode);
    if (status != OK)
        return ext4_check_settle(check, status, "broken inode", number);

    u64 ignored;
    if (inode.links == 0 && !map_get(&check->orphans, number, &ignored))
        ext4_check_problem(check, "inode %u: in use, without links, no orphan", number);
    check->kinds[number] = kind_of_mode(inode.mode);
    if (number == EXT4_ROOT_INODE && !ext4_inode_is(&inode, EXT4_MODE_DIRECTORY))
        ext4_check_problem(check, "inode %u: the root is no directory", number);
    return OK;
}

enum status ext4_check_attributes(struct ext4_check *check)
{
    size_t cursor = 0;
    u64 block, users;
    enum status status = OK;
    while (status == OK && map_next(&check->attributes, &cursor, &block, &users)) {
        struct buffer *buffer;
        status = cache_get(&check->fs->cache, block, &buffer);
        if (status != OK)
            break;
        u32 stated = get_le32(buffer->data + ATTRIBUTE_REFERENCES_AT);
        cache_release(buffer);
        if (stated != users)
            ext4_check_problem(check, "attribute block %llu: counts %u users, has %llu",
                               (unsigned long long)block, stated,
                               (unsigned long long)users);
    }
    return status;
}
