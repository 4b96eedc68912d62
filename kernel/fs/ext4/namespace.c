#include "kernel/fs/ext4/namespace.h"

#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/feature.h"
#include "kernel/fs/ext4/inode.h"
#include "kernel/fs/ext4/orphan.h"

enum { LINKS_LIMIT = 65000, LINKS_UNCOUNTED = 1 };
enum { MODE_NEW_FILE = 0600, MODE_NEW_DIRECTORY = 0755 };

enum status ext4_namespace_begin(struct ext4 *fs)
{
    enum status status = ext4_require_writable(fs);
    if (status == OK)
        status = ext4_running_require(fs, EXT4_NAMESPACE_BLOCKS);
    if (status == OK)
        status = ext4_orphans_continue(fs);
    return status == OK ? ext4_running_require(fs, EXT4_NAMESPACE_BLOCKS) : status;
}

enum status ext4_name_check(const char *name)
{
    u32 length = ext4_name_length(name);
    if (length > EXT4_NAME_MAX)
        return ERR_TOO_LARGE;
    if (length == 0 || ext4_name_is_dots((const u8 *)name, length) || strchr(name, '/'))
        return ERR_INVALID_ARGUMENT;
    return OK;
}

enum status ext4_child_find(struct ext4 *fs, const struct ext4_inode *directory,
                            const char *name, struct ext4_child *result)
{
    struct ext4_child child;
    enum status status =
        ext4_dir_find(fs, directory, name, ext4_name_length(name), &child.place);
    if (status == OK)
        status = ext4_inode_load(fs, child.place.inode, &child.inode);
    if (status != OK)
        return status;
    if (child.inode.links == 0) {
        log_error("ext4: directory %u: refers to a deleted inode: %u", directory->number,
                  child.inode.number);
        return ERR_CORRUPT;
    }
    *result = child;
    return OK;
}

enum status ext4_name_require_free(struct ext4 *fs, const struct ext4_inode *directory,
                                   const char *name)
{
    u32 inode;
    enum status status = ext4_dir_lookup(fs, directory, name, &inode);
    if (status == OK)
        return ERR_EXISTS;
    return status == ERR_NOT_FOUND ? OK : status;
}

enum status ext4_child_drop(struct ext4 *fs, struct ext4_inode *child)
{
    bool directory = ext4_inode_is(child, EXT4_MODE_DIRECTORY);
    child->change_time = ext4_now_seconds();
    child->links = directory ? 0 : child->links - 1;
    if (child->links > 0)
        return ext4_inode_store(fs, child);
    enum status status = ext4_inode_delete(fs, child);
    return status == ERR_TRANSACTION_FULL ? ext4_orphan_add(fs, child) : status;
}

enum status ext4_links_require_room(const struct ext4 *fs,
                                    const struct ext4_inode *directory)
{
    return directory->links < LINKS_LIMIT ||
                   ext4_has_ro_compat(fs, EXT4_RO_COMPAT_DIR_NLINK)
               ? OK
               : ERR_TOO_LARGE;
}

void ext4_links_add_subdirectory(struct ext4_inode *directory)
{
    if (directory->links != LINKS_UNCOUNTED)
        directory->links =
            directory->links < LINKS_LIMIT ? directory->links + 1 : LINKS_UNCOUNTED;
}

static enum status count_subdirectories(struct ext4 *fs, u32 number, u32 *result)
{
    struct ext4_directory_entry entry;
    enum status status;
    u64 cursor = 0;
    u32 count = 0;
    while ((status = ext4_directory_next(fs, number, &cursor, &entry)) == OK)
        count += entry.type == EXT4_DIRECTORY;
    if (status != ERR_NOT_FOUND)
        return status;
    *result = count;
    return OK;
}

enum status ext4_links_remove_subdirectory(struct ext4 *fs, struct ext4_inode *directory)
{
    u32 count;
    if (directory->links > 2)
        directory->links--;
    if (directory->links != LINKS_UNCOUNTED)
        return OK;
    enum status status = count_subdirectories(fs, directory->number, &count);
    if (status == OK && count > 0 && count - 1 + 2 <= LINKS_LIMIT)
        directory->links = count - 1 + 2;
    return status;
}

/* The directory, and that the name is free in it. */
static enum status prepare(struct ext4 *fs, u32 number, const char *name,
                           struct ext4_inode *directory)
{
    enum status status = ext4_name_check(name);
    if (status == OK)
        status = ext4_namespace_begin(fs);
    if (status == OK)
        status = ext4_dir_load(fs, number, directory);
    return status == OK ? ext4_name_require_free(fs, directory, name) : status;
}

enum status ext4_create(struct ext4 *fs, u32 number, const char *name, u32 *result)
{
    struct ext4_inode directory = { 0 };
    struct ext4_inode inode = { 0 };
    enum status status = prepare(fs, number, name, &directory);
    if (status == OK)
        status = ext4_inode_create(fs, number, EXT4_MODE_FILE | MODE_NEW_FILE, 1, &inode);
    if (status == OK)
        status = ext4_dir_add(fs, &directory, name, inode.number, EXT4_FILE);
    if (status == OK)
        *result = inode.number;
    return status;
}

enum status ext4_make_directory(struct ext4 *fs, u32 number, const char *name,
                                u32 *result)
{
    struct ext4_inode directory = { 0 };
    struct ext4_inode inode = { 0 };
    enum status status = prepare(fs, number, name, &directory);
    if (status == OK)
        status = ext4_links_require_room(fs, &directory);
    if (status == OK)
        status = ext4_inode_create(fs, number, EXT4_MODE_DIRECTORY | MODE_NEW_DIRECTORY,
                                   2, &inode);
    if (status == OK)
        status = ext4_dir_init(fs, &inode, number);
    if (status != OK)
        return status;
    ext4_links_add_subdirectory(&directory);
    status = ext4_dir_add(fs, &directory, name, inode.number, EXT4_DIRECTORY);
    if (status == OK)
        *result = inode.number;
    return status;
}

/* The directory and the child of a name that is to be removed. */
static enum status prepare_removal(struct ext4 *fs, u32 number, const char *name,
                                   struct ext4_inode *directory, struct ext4_child *child)
{
    enum status status = ext4_name_check(name);
    if (status == OK)
        status = ext4_namespace_begin(fs);
    if (status == OK)
        status = ext4_dir_load(fs, number, directory);
    return status == OK ? ext4_child_find(fs, directory, name, child) : status;
}

enum status ext4_unlink(struct ext4 *fs, u32 number, const char *name)
{
    struct ext4_inode directory;
    struct ext4_child child;
    enum status status = prepare_removal(fs, number, name, &directory, &child);
    if (status != OK)
        return status;
    if (ext4_inode_is(&child.inode, EXT4_MODE_DIRECTORY))
        return ERR_IS_DIRECTORY;
    status = ext4_dir_remove(fs, &directory, name);
    return status == OK ? ext4_child_drop(fs, &child.inode) : status;
}

enum status ext4_remove_directory(struct ext4 *fs, u32 number, const char *name)
{
    struct ext4_inode directory;
    struct ext4_child child;
    bool empty = false;
    enum status status = prepare_removal(fs, number, name, &directory, &child);
    if (status == OK)
        status = ext4_dir_is_empty(fs, &child.inode, &empty);
    if (status != OK)
        return status;
    if (!empty)
        return ERR_NOT_EMPTY;
    if (child.inode.number == number || child.inode.number == EXT4_ROOT_INODE) {
        log_error("ext4: directory %u: an entry makes it its own child: %u", number,
                  child.inode.number);
        return ERR_CORRUPT;
    }
    status = ext4_links_remove_subdirectory(fs, &directory);
    if (status == OK)
        status = ext4_dir_remove(fs, &directory, name);
    return status == OK ? ext4_child_drop(fs, &child.inode) : status;
}
