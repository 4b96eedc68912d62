/* Directories read in order, made, and given another parent. */
#include "kernel/base/endian.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/dir_index.h"
#include "kernel/fs/ext4/inode.h"

/* Index nodes are one unused entry for whoever does not know them; the root holds the dots. */
static bool is_index_block(const struct ext4 *fs, const struct ext4_inode *directory,
                           const struct ext4_dir_block *block)
{
    return ext4_dir_is_indexed(fs, directory) &&
           (block->number == 0 ||
            (get_le32(block->raw) == 0 && get_le16(block->raw + 4) == block->size));
}

/* The first used entry at or behind `from`; walked from the start, for entries may have merged. */
static enum status next_in_block(const struct ext4_dir_block *block, u32 from,
                                 struct ext4_dir_entry *result)
{
    struct ext4_dir_entry entry;
    enum status status;
    for (u32 offset = 0; (status = ext4_dir_block_entry(block, offset, &entry)) == OK;
         offset += entry.size) {
        if (offset < from || entry.inode == 0)
            continue;
        *result = entry;
        return OK;
    }
    return status;
}

enum status ext4_dir_next_entry(struct ext4 *fs, const struct ext4_inode *directory,
                                u64 *cursor, struct ext4_dir_block *result,
                                struct ext4_dir_entry *entry)
{
    u32 shift = fs->superblock.block_shift;
    u64 first = *cursor >> shift;
    u32 from = (u32)(*cursor & (fs->superblock.block_size - 1));

    for (u64 number = first; number < ext4_dir_block_count(fs, directory); number++) {
        struct ext4_dir_block block;
        enum status status = ext4_dir_block_read(fs, directory, number, &block);
        if (status != OK)
            return status;
        if (is_index_block(fs, directory, &block)) {
            ext4_dir_block_release(&block);
            from = 0;
            continue;
        }
        if (!block.buffer->checked)
            status = ext4_dir_block_verify(&block);
        if (status == OK)
            status = next_in_block(&block, from, entry);
        if (status == OK) {
            *cursor = number << shift | entry->offset;
            *result = block;
            return OK;
        }
        ext4_dir_block_release(&block);
        if (status != ERR_NOT_FOUND)
            return status;
        from = 0;
    }
    return ERR_NOT_FOUND;
}

static enum ext4_type type_of_mode(u16 mode)
{
    switch (mode & EXT4_MODE_TYPE) {
    case EXT4_MODE_FILE:
        return EXT4_FILE;
    case EXT4_MODE_DIRECTORY:
        return EXT4_DIRECTORY;
    case EXT4_MODE_SYMLINK:
        return EXT4_SYMLINK;
    default:
        return EXT4_OTHER;
    }
}

/* What the entry says, else what the inode says. */
static enum status type_of(struct ext4 *fs, const struct ext4_dir_entry *entry,
                           enum ext4_type *type)
{
    static const enum ext4_type types[] = { EXT4_OTHER, EXT4_FILE,   EXT4_DIRECTORY,
                                            EXT4_OTHER, EXT4_OTHER,  EXT4_OTHER,
                                            EXT4_OTHER, EXT4_SYMLINK };
    if (entry->type != EXT4_ENTRY_UNKNOWN) {
        *type = entry->type < ARRAY_LENGTH(types) ? types[entry->type] : EXT4_OTHER;
        return OK;
    }
    struct ext4_inode inode;
    enum status status = ext4_inode_load(fs, entry->inode, &inode);
    if (status == OK)
        *type = type_of_mode(inode.mode);
    return status;
}

enum status ext4_directory_next(struct ext4 *fs, u32 number, u64 *cursor,
                                struct ext4_directory_entry *result)
{
    struct ext4_inode directory;
    struct ext4_dir_block block;
    struct ext4_dir_entry entry;
    enum ext4_type type;
    u64 at = *cursor;
    enum status status = ext4_dir_load(fs, number, &directory);

    while (status == OK) {
        status = ext4_dir_next_entry(fs, &directory, &at, &block, &entry);
        if (status != OK)
            return status;
        at += 1; /* no entry starts there, so the next one follows */
        if (!ext4_name_is_dots(entry.name, entry.name_length))
            break;
        ext4_dir_block_release(&block);
    }
    if (status != OK)
        return status;

    status = type_of(fs, &entry, &type);
    if (status == OK) {
        result->inode = entry.inode;
        result->type = type;
        memcpy(result->name, entry.name, entry.name_length);
        result->name[entry.name_length] = '\0';
        *cursor = at;
    }
    ext4_dir_block_release(&block);
    return status;
}

enum status ext4_dir_is_empty(struct ext4 *fs, const struct ext4_inode *directory,
                              bool *empty)
{
    u64 cursor = 0;
    enum status status = ext4_dir_check(fs, directory);
    while (status == OK) {
        struct ext4_dir_block block;
        struct ext4_dir_entry entry;
        status = ext4_dir_next_entry(fs, directory, &cursor, &block, &entry);
        if (status != OK)
            break;
        bool dots = ext4_name_is_dots(entry.name, entry.name_length);
        ext4_dir_block_release(&block);
        if (!dots) {
            *empty = false;
            return OK;
        }
        cursor += 1;
    }
    if (status != ERR_NOT_FOUND)
        return status;
    *empty = true;
    return OK;
}

enum status ext4_dir_init(struct ext4 *fs, struct ext4_inode *directory, u32 parent)
{
    struct ext4_dir_block block;
    enum status status = ext4_dir_append(fs, directory, &block);
    if (status != OK)
        return status;
    ext4_dir_block_init_dots(&block, directory->number, parent);
    ext4_dir_block_seal(&block);
    ext4_dir_block_release(&block);
    return ext4_inode_store(fs, directory);
}

enum status ext4_dir_set_parent(struct ext4 *fs, const struct ext4_inode *directory,
                                u32 parent)
{
    struct ext4_dir_place place;
    struct ext4_dir_block block;
    enum status status = ext4_dir_find(fs, directory, "..", 2, &place);
    if (status == OK)
        status = ext4_dir_block_read(fs, directory, place.block, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_modify(fs, &block);
    if (status == OK) {
        ext4_dir_block_redirect(&block, place.offset, parent, EXT4_ENTRY_DIRECTORY);
        if (ext4_dir_is_indexed(fs, directory))
            status = ext4_index_reseal_root(&block);
        else
            ext4_dir_block_seal(&block);
    }
    ext4_dir_block_release(&block);
    return status;
}
