/* The inodes of an image, and the blocks that belong to them. */
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/extent.h"
#include "kernel/fs/ext4/feature.h"
#include "kernel/fs/ext4/group.h"
#include "tests/support/image_places_internal.h"

enum { LEVELS_OF_POINTERS = 3, DIRECT_POINTERS = 12, INDEX_ROOT_DOTS = 24 };

static struct place owned(const struct image_places *places,
                          const struct ext4_inode *inode, enum place_kind kind, u64 block)
{
    u32 block_size = places->fs->superblock.block_size;

    return (struct place){ .kind = kind,
                           .at = block * block_size,
                           .size = block_size,
                           .owner = inode->number,
                           .generation = inode->generation };
}

static const u8 *content(const struct image_places *places, u64 block)
{
    return places->clean.bytes + block * places->fs->superblock.block_size;
}

/* --- maps --- */

static void find_extent_nodes(struct image_places *places, const struct ext4_inode *inode,
                              const u8 *node)
{
    u32 entries = get_le16(node + 2), depth = get_le16(node + 6);

    for (u32 i = 0; i < entries && depth > 0; i++) {
        u64 child = ext4_extent_child(node + 12 + 12ULL * i);
        struct place place = owned(places, inode, PLACE_EXTENT_NODE, child);
        places_add(places, &place);
        find_extent_nodes(places, inode, content(places, child));
    }
}

static void find_pointers(struct image_places *places, const struct ext4_inode *inode,
                          u32 block, u32 levels)
{
    if (block == 0)
        return;
    struct place place = owned(places, inode, PLACE_POINTERS, block);
    places_add(places, &place);
    for (u32 i = 0; i < places->fs->superblock.block_size / 4 && levels > 1; i++)
        find_pointers(places, inode, get_le32(content(places, block) + 4ULL * i),
                      levels - 1);
}

static void find_map(struct image_places *places, const struct ext4_inode *inode)
{
    if (inode->flags & EXT4_INODE_FLAG_EXTENTS) {
        find_extent_nodes(places, inode, inode->map);
        return;
    }
    for (u32 level = 1; level <= LEVELS_OF_POINTERS; level++)
        find_pointers(places, inode,
                      get_le32(inode->map + 4ULL * (DIRECT_POINTERS + level - 1)), level);
}

/* --- content that is metadata --- */

static enum place_kind directory_kind(const struct image_places *places,
                                      const struct ext4_inode *inode, u64 number,
                                      const u8 *raw)
{
    u32 block_size = places->fs->superblock.block_size;

    if (!(inode->flags & EXT4_INODE_FLAG_INDEXED))
        return PLACE_DIRECTORY;
    if (number == 0)
        return PLACE_INDEX_ROOT;
    bool node = get_le32(raw) == 0 && get_le16(raw + 4) == block_size &&
                get_le16(raw + 8) > 0 && get_le16(raw + 10) > 0;
    return node ? PLACE_INDEX_NODE : PLACE_DIRECTORY;
}

static void find_blocks(struct image_places *places, const struct ext4_inode *inode)
{
    u32 block_size = places->fs->superblock.block_size;
    u64 block, run;

    for (u64 number = 0; number < inode->size_bytes / block_size; number++) {
        places_require(ext4_block_map(places->fs, inode, number, &block, &run));
        if (block == 0)
            continue;
        enum place_kind kind = PLACE_ORPHAN_FILE;
        if (ext4_inode_is(inode, EXT4_MODE_DIRECTORY))
            kind = directory_kind(places, inode, number, content(places, block));
        struct place place = owned(places, inode, kind, block);
        places_add(places, &place);
    }
}

static void find_symlink(struct image_places *places, const struct ext4_inode *inode)
{
    u64 block, run;

    if (inode->size_bytes < sizeof inode->map)
        return;
    places_require(ext4_block_map(places->fs, inode, 0, &block, &run));
    struct place place = owned(places, inode, PLACE_SYMLINK, block);
    places_add(places, &place);
}

static void find_inode(struct image_places *places, const struct ext4_group *group,
                       u32 number)
{
    const struct ext4_superblock *superblock = &places->fs->superblock;
    struct ext4_inode inode;

    if (ext4_inode_load(places->fs, number, &inode) != OK)
        return; /* one of the reserved ones that hold nothing */
    struct place place = owned(places, &inode, PLACE_INODE, group->inode_table);
    place.at +=
        (u64)((number - 1) % superblock->inodes_per_group) * superblock->inode_size;
    place.size = superblock->inode_size;
    places_add(places, &place);
    if (ext4_inode_is(&inode, EXT4_MODE_SYMLINK)) {
        find_symlink(places, &inode);
        return;
    }
    find_map(places, &inode);
    if (ext4_inode_is(&inode, EXT4_MODE_DIRECTORY) ||
        number == superblock->orphan_file_inode)
        find_blocks(places, &inode);
}

void places_find_inodes(struct image_places *places)
{
    const struct ext4_superblock *superblock = &places->fs->superblock;

    for (u32 number = 1; number <= superblock->inode_count; number++) {
        struct ext4_group group;
        u32 index = (number - 1) % superblock->inodes_per_group;
        places_require(
            ext4_group_load(places->fs, ext4_group_of_inode(places->fs, number), &group));
        if (group.flags & EXT4_GROUP_INODES_UNINITIALISED)
            continue;
        const u8 *bitmap = content(places, group.inode_bitmap);
        if (bitmap[index / 8] & 1 << index % 8)
            find_inode(places, &group, number);
    }
}
