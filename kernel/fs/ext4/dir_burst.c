/* A burst of names: each block of the directory is filled in memory and touched once. */
#include "kernel/base/checked.h"
#include "kernel/base/crc.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/dir_index.h"
#include "kernel/fs/ext4/inode.h"

/* What one more block at the end touches beside itself: bitmap, descriptor, extent blocks. */
enum { APPEND_BLOCKS = 16 };

static struct ext4_dir_name name_of(const struct ext4_burst_file *file)
{
    return (struct ext4_dir_name){ file->name, ext4_name_length(file->name), file->inode,
                                   EXT4_ENTRY_FILE };
}

u64 ext4_dir_add_many_cost(const struct ext4 *fs, const struct ext4_inode *directory,
                           const struct ext4_burst_file *files, size_t count)
{
    u64 bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += ext4_dir_entry_size(name_of(&files[i]).length);
    u64 usable = fs->superblock.block_size - ext4_dir_entry_size(EXT4_NAME_MAX);
    u64 blocks = divide_up(bytes, usable) + 1;
    /* By an index each name goes to another leaf, and leaves that are split are half full. */
    if (ext4_dir_is_indexed(fs, directory))
        blocks = min_u64(count, ext4_dir_block_count(fs, directory)) + 2 * blocks;
    return blocks + APPEND_BLOCKS;
}

/* A hash; names that share it are told apart by comparing them. */
static u64 key_of(const void *name, u32 length)
{
    const u8 *bytes = name;
    u64 key = length;
    for (u32 i = 0; i < length; i++)
        key = (key ^ bytes[i]) * 0x9e3779b97f4a7c15;
    return key ^ key >> 32;
}

/* The burst's names by their keys; ERR_EXISTS if one is there twice. */
static enum status collect_names(struct ext4 *fs, const struct ext4_inode *directory,
                                 const struct ext4_burst_file *files, size_t count,
                                 struct map *names)
{
    enum status status = OK;
    for (size_t i = 0; i < count && status == OK; i++) {
        u64 other;
        u32 inode;
        u64 key = key_of(files[i].name, ext4_name_length(files[i].name));
        if (!map_get(names, key, &other)) {
            status = map_set(names, key, i);
            continue;
        }
        if (text_equal(files[i].name, files[other].name))
            return ERR_EXISTS;
        status = ext4_dir_lookup(fs, directory, files[i].name, &inode);
        if (status == OK)
            return ERR_EXISTS;
        status = status == ERR_NOT_FOUND ? OK : status;
    }
    return status;
}

static bool is_among(const struct map *names, const struct ext4_burst_file *files,
                     const struct ext4_dir_entry *entry)
{
    u64 index;
    return map_get(names, key_of(entry->name, entry->name_length), &index) &&
           ext4_name_length(files[index].name) == entry->name_length &&
           memcmp(files[index].name, entry->name, entry->name_length) == 0;
}

static enum status scan_for(struct ext4 *fs, const struct ext4_inode *directory,
                            const struct ext4_burst_file *files, const struct map *names)
{
    u64 count = ext4_dir_block_count(fs, directory);
    for (u64 number = 0; number < count; number++) {
        struct ext4_dir_block block;
        struct ext4_dir_entry entry;
        enum status status = ext4_dir_leaf_read(fs, directory, number, &block);
        if (status != OK)
            return status;
        u32 offset = 0;
        while ((status = ext4_dir_block_entry(&block, offset, &entry)) == OK) {
            if (entry.inode != 0 && is_among(names, files, &entry))
                break;
            offset += entry.size;
        }
        ext4_dir_block_release(&block);
        if (status != ERR_NOT_FOUND)
            return status == OK ? ERR_EXISTS : status;
    }
    return OK;
}

static enum status look_up_each(struct ext4 *fs, const struct ext4_inode *directory,
                                const struct ext4_burst_file *files, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        u32 inode;
        enum status status = ext4_dir_lookup(fs, directory, files[i].name, &inode);
        if (status != ERR_NOT_FOUND)
            return status == OK ? ERR_EXISTS : status;
    }
    return OK;
}

enum status ext4_dir_require_new(struct ext4 *fs, const struct ext4_inode *directory,
                                 const struct ext4_burst_file *files, size_t count)
{
    struct map names;
    enum status status = ext4_dir_check(fs, directory);
    if (status != OK)
        return status;
    map_init(&names);
    status = collect_names(fs, directory, files, count, &names);
    if (status == OK)
        status = ext4_dir_is_indexed(fs, directory)
                     ? look_up_each(fs, directory, files, count)
                     : scan_for(fs, directory, files, &names);
    map_destroy(&names);
    return status;
}

static enum status add_many_linear(struct ext4 *fs, struct ext4_inode *directory,
                                   const struct ext4_burst_file *files, size_t count)
{
    struct ext4_dir_block block;
    u32 from = 0;
    enum status status = ext4_dir_leaf_read(
        fs, directory, ext4_dir_block_count(fs, directory) - 1, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_modify(fs, &block);

    for (size_t i = 0; i < count && status == OK; i++) {
        struct ext4_dir_name name = name_of(&files[i]);
        status = ext4_dir_block_insert_from(&block, &from, &name);
        if (status != ERR_NO_SPACE)
            continue;
        ext4_dir_block_seal(&block);
        ext4_dir_block_release(&block);
        status = ext4_dir_append(fs, directory, &block);
        if (status != OK)
            return status;
        from = 0;
        status = ext4_dir_block_insert_from(&block, &from, &name);
    }
    if (status == OK)
        ext4_dir_block_seal(&block);
    ext4_dir_block_release(&block);
    return status;
}

enum status ext4_dir_add_many(struct ext4 *fs, struct ext4_inode *directory,
                              const struct ext4_burst_file *files, size_t count)
{
    enum status status =
        ext4_running_require(fs, ext4_dir_add_many_cost(fs, directory, files, count));
    if (status != OK)
        return status;
    if (!ext4_dir_is_indexed(fs, directory))
        status = add_many_linear(fs, directory, files, count);
    else
        for (size_t i = 0; i < count && status == OK; i++) {
            struct ext4_dir_name name = name_of(&files[i]);
            status = ext4_index_insert(fs, directory, &name);
        }
    return status == OK ? ext4_dir_store_touched(fs, directory) : status;
}
