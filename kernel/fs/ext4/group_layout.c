#include "kernel/fs/ext4/group_layout.h"

#include "kernel/base/bitmap.h"
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/feature.h"

u64 ext4_group_first_block(const struct ext4 *fs, u32 number)
{
    return fs->superblock.first_data_block +
           (u64)number * fs->superblock.blocks_per_group;
}

u32 ext4_group_block_count(const struct ext4 *fs, u32 number)
{
    u64 left = fs->superblock.block_count - ext4_group_first_block(fs, number);
    return (u32)min_u64(left, fs->superblock.blocks_per_group);
}

u32 ext4_group_of_block(const struct ext4 *fs, u64 block)
{
    return (u32)((block - fs->superblock.first_data_block) /
                 fs->superblock.blocks_per_group);
}

u32 ext4_group_of_inode(const struct ext4 *fs, u32 inode)
{
    return (inode - 1) / fs->superblock.inodes_per_group;
}

u32 ext4_inode_table_blocks(const struct ext4 *fs)
{
    u64 bytes = (u64)fs->superblock.inodes_per_group * fs->superblock.inode_size;
    return (u32)divide_up(bytes, fs->superblock.block_size);
}

static bool is_power_of(u32 value, u32 base)
{
    while (value % base == 0 && value > 1)
        value /= base;
    return value == 1;
}

bool ext4_group_has_superblock(const struct ext4 *fs, u32 group)
{
    if (group == 0)
        return true;
    if (ext4_has_compat(fs, EXT4_COMPAT_SPARSE_SUPER2))
        return group == fs->superblock.backup_groups[0] ||
               group == fs->superblock.backup_groups[1];
    if (group == 1 || !ext4_has_ro_compat(fs, EXT4_RO_COMPAT_SPARSE_SUPER))
        return true;
    return is_power_of(group, 3) || is_power_of(group, 5) || is_power_of(group, 7);
}

static bool in_meta_group(const struct ext4 *fs, u32 descriptor_block)
{
    return ext4_has_incompat(fs, EXT4_INCOMPAT_META_BG) &&
           descriptor_block >= fs->superblock.first_meta_group;
}

static u32 descriptors_per_block(const struct ext4 *fs)
{
    return fs->superblock.block_size / fs->superblock.descriptor_size;
}

u64 ext4_group_descriptor_block(const struct ext4 *fs, u32 index)
{
    if (!in_meta_group(fs, index)) /* behind the superblock, which is at byte 1024 */
        return 1024 / fs->superblock.block_size + 1 + (u64)index;
    u32 group = index * descriptors_per_block(fs);
    return ext4_group_first_block(fs, group) + ext4_group_has_superblock(fs, group);
}

u32 ext4_group_head_blocks(const struct ext4 *fs, u32 group)
{
    u32 per_block = descriptors_per_block(fs);
    u32 superblocks = ext4_group_has_superblock(fs, group);
    if (in_meta_group(fs, group / per_block)) {
        u32 place = group % per_block;
        return superblocks + (place == 0 || place == 1 || place == per_block - 1);
    }
    if (!superblocks)
        return 0;
    u64 tables = ext4_has_incompat(fs, EXT4_INCOMPAT_META_BG)
                     ? fs->superblock.first_meta_group
                     : divide_up(fs->superblock.group_count, per_block);
    return (u32)min_u64(1 + tables + fs->superblock.reserved_gdt_blocks,
                        ext4_group_block_count(fs, group));
}

/* Sets the bits of the part of [first, first + count) that lies in the group. */
static void mark_within(const struct ext4 *fs, u32 group, u64 first, u64 count,
                        u8 *bitmap)
{
    u64 begin = ext4_group_first_block(fs, group);
    u64 end = begin + ext4_group_block_count(fs, group);
    u64 from = max_u64(first, begin);
    u64 to = min_u64(first + count, end);
    if (from < to)
        bitmap_set_range(bitmap, from - begin, to - from);
}

enum status ext4_group_make_block_bitmap(struct ext4 *fs, u32 group, u8 *bitmap)
{
    u32 blocks = ext4_group_block_count(fs, group);
    u64 bits = (u64)fs->superblock.block_size * 8;
    memset(bitmap, 0, fs->superblock.block_size);
    bitmap_set_range(bitmap, 0, ext4_group_head_blocks(fs, group));
    bitmap_set_range(bitmap, blocks, bits - blocks);

    for (u32 number = 0; number < fs->superblock.group_count; number++) {
        struct ext4_group other;
        enum status status = ext4_group_load(fs, number, &other);
        if (status != OK)
            return status;
        mark_within(fs, group, other.block_bitmap, 1, bitmap);
        mark_within(fs, group, other.inode_bitmap, 1, bitmap);
        mark_within(fs, group, other.inode_table, ext4_inode_table_blocks(fs), bitmap);
    }
    return OK;
}
