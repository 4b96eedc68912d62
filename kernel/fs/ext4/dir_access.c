#include "kernel/fs/ext4/dir_access.h"

#include "kernel/base/log.h"
#include "kernel/fs/ext4/feature.h"

/* A directory's size has 32 bits, and tools treat them as signed. */
static const u64 directory_size_limit = 0x7FFFFFFF;

enum status ext4_dir_check(const struct ext4 *fs, const struct ext4_inode *directory)
{
    u64 size = directory->size_bytes;
    u64 blocks = size >> fs->superblock.block_shift;
    if (!ext4_inode_is(directory, EXT4_MODE_DIRECTORY))
        return ERR_NOT_DIRECTORY;
    if (directory->links == 0)
        return ERR_NOT_FOUND;
    if (blocks == 0 || size % fs->superblock.block_size != 0 ||
        blocks > fs->superblock.block_count) {
        log_error("ext4: directory %u: impossible size: %llu", directory->number,
                  (unsigned long long)size);
        return ERR_CORRUPT;
    }
    return OK;
}

enum status ext4_dir_load(struct ext4 *fs, u32 number, struct ext4_inode *directory)
{
    enum status status = ext4_inode_load(fs, number, directory);
    return status == OK ? ext4_dir_check(fs, directory) : status;
}

u64 ext4_dir_block_count(const struct ext4 *fs, const struct ext4_inode *directory)
{
    return directory->size_bytes >> fs->superblock.block_shift;
}

bool ext4_dir_is_indexed(const struct ext4 *fs, const struct ext4_inode *directory)
{
    return (directory->flags & EXT4_INODE_FLAG_INDEXED) &&
           ext4_has_compat(fs, EXT4_COMPAT_DIR_INDEX);
}

static void describe(const struct ext4 *fs, const struct ext4_inode *directory,
                     u64 number, struct buffer *buffer, struct ext4_dir_block *block)
{
    *block = (struct ext4_dir_block){
        .raw = buffer->data,
        .size = fs->superblock.block_size,
        .checksums = ext4_has_checksums(fs),
        .file_types = ext4_has_incompat(fs, EXT4_INCOMPAT_FILETYPE),
        .inode_count = fs->superblock.inode_count,
        .first_inode = fs->superblock.first_inode,
        .checksum_seed = directory->checksum_seed,
        .directory = directory->number,
        .number = number,
        .buffer = buffer,
    };
}

enum status ext4_dir_block_read(struct ext4 *fs, const struct ext4_inode *directory,
                                u64 number, struct ext4_dir_block *block)
{
    struct buffer *buffer;
    if (number >= ext4_dir_block_count(fs, directory)) {
        log_error("ext4: directory %u: no such block: %llu", directory->number,
                  (unsigned long long)number);
        return ERR_CORRUPT;
    }
    enum status status = ext4_inode_block(fs, directory, number, &buffer);
    if (status == OK)
        describe(fs, directory, number, buffer, block);
    return status;
}

enum status ext4_dir_leaf_read(struct ext4 *fs, const struct ext4_inode *directory,
                               u64 number, struct ext4_dir_block *result)
{
    struct ext4_dir_block block;
    enum status status = ext4_dir_block_read(fs, directory, number, &block);
    if (status != OK)
        return status;
    if (!block.buffer->checked)
        status = ext4_dir_block_verify(&block);
    if (status != OK) {
        cache_release(block.buffer);
        return status;
    }
    block.buffer->checked = true;
    *result = block;
    return OK;
}

enum status ext4_dir_append(struct ext4 *fs, struct ext4_inode *directory,
                            struct ext4_dir_block *block)
{
    struct buffer *buffer;
    u64 number = ext4_dir_block_count(fs, directory);
    if (directory->size_bytes + fs->superblock.block_size > directory_size_limit)
        return ERR_TOO_LARGE;
    enum status status = ext4_inode_append_block(fs, directory, &buffer);
    if (status != OK)
        return status;
    describe(fs, directory, number, buffer, block);
    ext4_dir_block_init(block);
    return OK;
}

enum status ext4_dir_block_modify(struct ext4 *fs, const struct ext4_dir_block *block)
{
    return journal_modify(fs->journal, block->buffer);
}

void ext4_dir_block_release(struct ext4_dir_block *block)
{
    cache_release(block->buffer);
    block->buffer = NULL;
}

enum status ext4_dir_block_add(struct ext4 *fs, const struct ext4_inode *directory,
                               u64 number, const struct ext4_dir_name *name)
{
    struct ext4_dir_block block;
    u32 offset;
    enum status status = ext4_dir_leaf_read(fs, directory, number, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_find_room(&block, name->length, &offset);
    if (status == OK)
        status = ext4_dir_block_modify(fs, &block);
    if (status == OK)
        status = ext4_dir_block_insert(&block, name);
    if (status == OK)
        ext4_dir_block_seal(&block);
    ext4_dir_block_release(&block);
    return status;
}
