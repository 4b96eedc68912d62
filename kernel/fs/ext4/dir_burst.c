/* A burst of names: each block of the directory is filled in memory and touched once. */
#include "kernel/base/checked.h"
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

/* All names must be possible, and all their blocks must fit the transaction, before the first. */
static enum status require_room(struct ext4 *fs, const struct ext4_inode *directory,
                                const struct ext4_burst_file *files, size_t count)
{
    u64 bytes = 0;
    for (size_t i = 0; i < count; i++) {
        struct ext4_dir_name name = name_of(&files[i]);
        if (name.length == 0 || name.length > EXT4_NAME_MAX)
            return name.length == 0 ? ERR_INVALID_ARGUMENT : ERR_TOO_LARGE;
        bytes += ext4_dir_entry_size(name.length);
    }
    u64 usable = fs->superblock.block_size - ext4_dir_entry_size(EXT4_NAME_MAX);
    u64 blocks = divide_up(bytes, usable) + 1;
    if (ext4_dir_is_indexed(fs,
                            directory)) /* each name in another leaf, leaves half full */
        blocks = min_u64(count, ext4_dir_block_count(fs, directory)) + 2 * blocks;
    return ext4_running_require(fs, blocks + APPEND_BLOCKS);
}

static enum status add_many_linear(struct ext4 *fs, struct ext4_inode *directory,
                                   const struct ext4_burst_file *files, size_t count)
{
    struct ext4_dir_block block;
    enum status status = ext4_dir_leaf_read(
        fs, directory, ext4_dir_block_count(fs, directory) - 1, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_modify(fs, &block);

    for (size_t i = 0; i < count && status == OK; i++) {
        struct ext4_dir_name name = name_of(&files[i]);
        status = ext4_dir_block_insert(&block, &name);
        if (status != ERR_NO_SPACE)
            continue;
        ext4_dir_block_seal(&block);
        ext4_dir_block_release(&block);
        status = ext4_dir_append(fs, directory, &block);
        if (status != OK)
            return status;
        status = ext4_dir_block_insert(&block, &name);
    }
    if (status == OK)
        ext4_dir_block_seal(&block);
    ext4_dir_block_release(&block);
    return status;
}

enum status ext4_dir_add_many(struct ext4 *fs, struct ext4_inode *directory,
                              const struct ext4_burst_file *files, size_t count)
{
    enum status status = ext4_dir_check(fs, directory);
    if (status == OK)
        status = require_room(fs, directory, files, count);
    if (status != OK || count == 0)
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
