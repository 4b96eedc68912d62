/* The two bitmaps of a group, read and checked or made up: see rule G1 in group.h. */
#include "kernel/base/bitmap.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/group_layout.h"
#include "kernel/fs/ext4/read_ahead.h"

enum { WIDE_DESCRIPTOR = 64, NEIGHBOURS_MAX = 64 };

static u64 place_of(const struct ext4_group *group, enum ext4_bitmap_kind kind)
{
    return kind == EXT4_BLOCK_BITMAP ? group->block_bitmap : group->inode_bitmap;
}

/*
 * The bitmap of the group, in the cache with those of the next groups if it follows the last one that
 * was read: with flex_bg they lie side by side.
 */
static enum status read_with_neighbours(struct ext4 *fs, const struct ext4_group *group,
                                        enum ext4_bitmap_kind kind,
                                        struct buffer **buffer)
{
    struct ext4_reader *reader = &fs->read_ahead.of_bitmaps[kind];
    u64 first = place_of(group, kind), end = first + 1;
    struct ext4_group next = *group;

    if (first == reader->next)
        while (end - first < NEIGHBOURS_MAX &&
               next.number + 1 < fs->superblock.group_count &&
               ext4_group_load(fs, next.number + 1, &next) == OK &&
               place_of(&next, kind) == end)
            end++;
    ext4_read_ahead_metadata(fs, reader, first, end);
    return cache_get(&fs->cache, first, buffer);
}

/* Reads a bitmap and compares it with what its descriptor states, once while it is cached. */
static enum status read_checked(struct ext4 *fs, const struct ext4_group *group,
                                enum ext4_bitmap_kind kind, u32 bits, u32 stated,
                                struct buffer **bitmap)
{
    struct buffer *buffer;
    enum status status = read_with_neighbours(fs, group, kind, &buffer);
    if (status != OK)
        return status;
    if (ext4_has_checksums(fs) && !buffer->checked) {
        u32 mask = fs->superblock.descriptor_size >= WIDE_DESCRIPTOR ? ~0U : 0xFFFF;
        u32 checksum = ext4_bitmap_checksum(fs, buffer->data, bits) & mask;
        if (checksum != stated) {
            log_error("ext4: group %u: bitmap in block %llu: bad checksum %#x",
                      group->number, (unsigned long long)place_of(group, kind), checksum);
            cache_release(buffer);
            return ERR_CORRUPT;
        }
        buffer->checked = true;
    }
    *bitmap = buffer;
    return OK;
}

/* A buffer of zeros in the running transaction, for a bitmap to be made up in. */
static enum status start_bitmap(struct ext4 *fs, u64 block, struct buffer **bitmap)
{
    struct buffer *buffer;
    enum status status = cache_get_fresh(&fs->cache, block, &buffer);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, buffer);
    if (status != OK) {
        cache_release(buffer);
        return status;
    }
    memset(buffer->data, 0, fs->superblock.block_size);
    buffer->checked = true;
    *bitmap = buffer;
    return OK;
}

static enum status make_block_bitmap(struct ext4 *fs, struct ext4_group *group,
                                     struct buffer **bitmap)
{
    struct buffer *buffer;
    enum status status = start_bitmap(fs, group->block_bitmap, &buffer);
    if (status != OK)
        return status;
    group->flags &= (u16)~EXT4_GROUP_BLOCKS_UNINITIALISED;
    status = ext4_group_make_block_bitmap(fs, group->number, buffer->data);
    if (status == OK)
        status = ext4_group_store_bitmaps(fs, group, buffer, NULL);
    if (status == OK)
        *bitmap = buffer;
    else
        cache_release(buffer);
    return status;
}

static enum status make_inode_bitmap(struct ext4 *fs, struct ext4_group *group,
                                     struct buffer **bitmap)
{
    u32 inodes = fs->superblock.inodes_per_group;
    struct buffer *buffer;
    enum status status = start_bitmap(fs, group->inode_bitmap, &buffer);
    if (status != OK)
        return status;
    bitmap_set_range(buffer->data, inodes, (u64)fs->superblock.block_size * 8 - inodes);
    group->flags &= (u16)~EXT4_GROUP_INODES_UNINITIALISED;
    group->unused_inodes = inodes;
    status = ext4_group_store_bitmaps(fs, group, NULL, buffer);
    if (status == OK)
        *bitmap = buffer;
    else
        cache_release(buffer);
    return status;
}

enum status ext4_group_block_bitmap(struct ext4 *fs, struct ext4_group *group,
                                    struct buffer **bitmap)
{
    if (group->flags & EXT4_GROUP_BLOCKS_UNINITIALISED)
        return make_block_bitmap(fs, group, bitmap);

    u32 block_checksum, inode_checksum;
    enum status status =
        ext4_group_bitmap_checksums(fs, group->number, &block_checksum, &inode_checksum);
    if (status != OK)
        return status;
    return read_checked(fs, group, EXT4_BLOCK_BITMAP, fs->superblock.blocks_per_group,
                        block_checksum, bitmap);
}

enum status ext4_group_inode_bitmap(struct ext4 *fs, struct ext4_group *group,
                                    struct buffer **bitmap)
{
    if (group->flags & EXT4_GROUP_INODES_UNINITIALISED)
        return make_inode_bitmap(fs, group, bitmap);

    u32 block_checksum, inode_checksum;
    enum status status =
        ext4_group_bitmap_checksums(fs, group->number, &block_checksum, &inode_checksum);
    if (status != OK)
        return status;
    return read_checked(fs, group, EXT4_INODE_BITMAP, fs->superblock.inodes_per_group,
                        inode_checksum, bitmap);
}
