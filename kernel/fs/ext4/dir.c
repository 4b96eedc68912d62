/*
 * A directory as a whole: names found, added, removed and redirected, by the index where there is
 * one, else block by block.
 */
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/dir_index.h"
#include "kernel/fs/ext4/inode.h"

u8 ext4_entry_type(enum ext4_type type)
{
    switch (type) {
    case EXT4_FILE:
        return EXT4_ENTRY_FILE;
    case EXT4_DIRECTORY:
        return EXT4_ENTRY_DIRECTORY;
    case EXT4_SYMLINK:
        return EXT4_ENTRY_SYMLINK;
    default:
        return EXT4_ENTRY_UNKNOWN;
    }
}

u32 ext4_name_length(const char *name)
{
    u32 length = 0;
    while (length <= EXT4_NAME_MAX && name[length] != '\0')
        length++;
    return length;
}

bool ext4_name_is_dots(const u8 *name, u32 length)
{
    return name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.'));
}

/* The blocks [0, count) in order; index nodes hold no names. */
static enum status find_linear(struct ext4 *fs, const struct ext4_inode *directory,
                               u64 count, const struct ext4_dir_name *name,
                               struct ext4_dir_place *place)
{
    for (u64 number = 0; number < count; number++) {
        struct ext4_dir_block block;
        struct ext4_dir_entry entry;
        enum status status = ext4_dir_leaf_read(fs, directory, number, &block);
        if (status != OK)
            return status;
        status = ext4_dir_block_find(&block, name->text, name->length, &entry);
        ext4_dir_block_release(&block);
        if (status == OK)
            *place =
                (struct ext4_dir_place){ number, entry.offset, entry.inode, entry.type };
        if (status != ERR_NOT_FOUND)
            return status;
    }
    return ERR_NOT_FOUND;
}

/* "." and ".." are the first two entries of block 0, index root or not. */
static enum status find_dots(struct ext4 *fs, const struct ext4_inode *directory,
                             u32 length, struct ext4_dir_place *place)
{
    struct ext4_dir_block block;
    struct ext4_dir_entry entry;
    u32 offset = 0;
    enum status status = ext4_dir_block_read(fs, directory, 0, &block);
    if (status != OK)
        return status;
    if (ext4_dir_is_indexed(fs, directory))
        block.checksums = false; /* the root's entry reaches to the end */
    else if (!block.buffer->checked)
        status = ext4_dir_block_verify(&block);
    for (u32 i = 1; i <= length && status == OK; i++) {
        status = ext4_dir_block_entry(&block, offset, &entry);
        if (status == ERR_NOT_FOUND ||
            (status == OK && (entry.inode == 0 || entry.name_length != i ||
                              !ext4_name_is_dots(entry.name, i))))
            status = ext4_dir_block_refuse(&block, "no dots at", offset);
        if (status == OK && i < length)
            offset += entry.size;
    }
    ext4_dir_block_release(&block);
    if (status == OK)
        *place = (struct ext4_dir_place){ 0, offset, entry.inode, entry.type };
    return status;
}

enum status ext4_dir_find(struct ext4 *fs, const struct ext4_inode *directory,
                          const char *name, u32 length, struct ext4_dir_place *place)
{
    enum status status = ext4_dir_check(fs, directory);
    if (status != OK)
        return status;
    if (length == 0 || length > EXT4_NAME_MAX)
        return length == 0 ? ERR_INVALID_ARGUMENT : ERR_TOO_LARGE;
    if (ext4_name_is_dots((const u8 *)name, length))
        return find_dots(fs, directory, length, place);
    if (ext4_dir_is_indexed(fs, directory))
        return ext4_index_find(fs, directory, name, length, place);
    struct ext4_dir_name wanted = { .text = name, .length = length };
    return find_linear(fs, directory, ext4_dir_block_count(fs, directory), &wanted,
                       place);
}

enum status ext4_dir_lookup(struct ext4 *fs, const struct ext4_inode *directory,
                            const char *name, u32 *inode)
{
    struct ext4_dir_place place;
    enum status status =
        ext4_dir_find(fs, directory, name, ext4_name_length(name), &place);
    if (status == OK)
        *inode = place.inode;
    return status;
}

static enum status append_name(struct ext4 *fs, struct ext4_inode *directory,
                               const struct ext4_dir_name *name)
{
    struct ext4_dir_block block;
    enum status status = ext4_dir_append(fs, directory, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_insert(&block, name);
    if (status == OK)
        ext4_dir_block_seal(&block);
    ext4_dir_block_release(&block);
    return status;
}

/* The last block first, where a growing directory has its room; then gaps; then a new block. */
static enum status insert_linear(struct ext4 *fs, struct ext4_inode *directory,
                                 const struct ext4_dir_name *name)
{
    u64 last = ext4_dir_block_count(fs, directory) - 1;
    enum status status = ext4_dir_block_add(fs, directory, last, name);
    for (u64 number = 0; number < last && status == ERR_NO_SPACE; number++)
        status = ext4_dir_block_add(fs, directory, number, name);
    return status == ERR_NO_SPACE ? append_name(fs, directory, name) : status;
}

enum status ext4_dir_store_touched(struct ext4 *fs, struct ext4_inode *directory)
{
    directory->modify_time = directory->change_time = ext4_now_seconds();
    return ext4_inode_store(fs, directory);
}

enum status ext4_dir_insert(struct ext4 *fs, struct ext4_inode *directory,
                            const struct ext4_dir_name *name)
{
    enum status status = ext4_dir_check(fs, directory);
    if (status == OK)
        status = ext4_dir_is_indexed(fs, directory)
                     ? ext4_index_insert(fs, directory, name)
                     : insert_linear(fs, directory, name);
    return status == OK ? ext4_dir_store_touched(fs, directory) : status;
}

enum status ext4_dir_add(struct ext4 *fs, struct ext4_inode *directory, const char *name,
                         u32 inode, enum ext4_type type)
{
    struct ext4_dir_name added = { name, ext4_name_length(name), inode,
                                   ext4_entry_type(type) };
    return ext4_dir_insert(fs, directory, &added);
}

enum status ext4_dir_remove(struct ext4 *fs, struct ext4_inode *directory,
                            const char *name)
{
    struct ext4_dir_place place;
    struct ext4_dir_block block;
    enum status status =
        ext4_dir_find(fs, directory, name, ext4_name_length(name), &place);
    if (status == OK)
        status = ext4_dir_leaf_read(fs, directory, place.block, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_modify(fs, &block);
    if (status == OK)
        status = ext4_dir_block_remove(&block, place.offset);
    if (status == OK)
        ext4_dir_block_seal(&block);
    ext4_dir_block_release(&block);
    return status == OK ? ext4_dir_store_touched(fs, directory) : status;
}

enum status ext4_dir_redirect(struct ext4 *fs, struct ext4_inode *directory,
                              const char *name, u32 inode, u8 type)
{
    struct ext4_dir_place place;
    struct ext4_dir_block block;
    enum status status =
        ext4_dir_find(fs, directory, name, ext4_name_length(name), &place);
    if (status == OK)
        status = ext4_dir_leaf_read(fs, directory, place.block, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_modify(fs, &block);
    if (status == OK) {
        ext4_dir_block_redirect(&block, place.offset, inode, type);
        ext4_dir_block_seal(&block);
    }
    ext4_dir_block_release(&block);
    return status == OK ? ext4_dir_store_touched(fs, directory) : status;
}
