/*
 * Renaming: the new name first, the old one after it, all in one transaction. A file or an empty
 * directory at the target gives way to one of its kind.
 */
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/inode.h"
#include "kernel/fs/ext4/namespace.h"

struct rename {
    const char *from_name, *to_name;
    struct ext4_inode *from, *to; /* one structure if it is one directory */
    struct ext4_child moved;
    struct ext4_child replaced; /* inode.number 0: nothing is in the way */
    bool is_directory;
};

/*
 * Is `ancestor` on the way from `directory` up to the root? A chain of ".." that never reaches the
 * root is told by a mark that each power of two steps moves to where the walk is (Brent).
 */
static enum status require_outside(struct ext4 *fs, u32 ancestor, u32 directory)
{
    u32 mark = 0;
    u32 until_mark = 1;
    for (u32 steps = 1; directory != EXT4_ROOT_INODE; steps++) {
        struct ext4_inode inode;
        u32 parent;
        if (directory == ancestor)
            return ERR_INVALID_ARGUMENT;
        enum status status = ext4_dir_load(fs, directory, &inode);
        if (status == OK)
            status = ext4_dir_lookup(fs, &inode, "..", &parent);
        if (status != OK)
            return status;
        if (parent == mark || parent == directory) {
            log_error("ext4: directory %u: not below the root, parent: %u", directory,
                      parent);
            return ERR_CORRUPT;
        }
        if (steps == until_mark) {
            mark = parent;
            until_mark *= 2;
        }
        directory = parent;
    }
    return OK;
}

static enum status check_target(struct ext4 *fs, const struct rename *rename)
{
    const struct ext4_inode *target = &rename->replaced.inode;
    bool directory = ext4_inode_is(target, EXT4_MODE_DIRECTORY);
    bool empty = false;
    if (directory && !rename->is_directory)
        return ERR_IS_DIRECTORY;
    if (!directory)
        return rename->is_directory ? ERR_NOT_DIRECTORY : OK;
    if (target->number == EXT4_ROOT_INODE || target->number == rename->from->number ||
        target->number == rename->to->number)
        return ERR_NOT_EMPTY;
    enum status status = ext4_dir_is_empty(fs, target, &empty);
    if (status == OK && !empty)
        return ERR_NOT_EMPTY;
    return status;
}

static enum status prepare(struct ext4 *fs, struct rename *rename)
{
    enum status status =
        ext4_child_find(fs, rename->from, rename->from_name, &rename->moved);
    if (status != OK)
        return status;
    rename->is_directory = ext4_inode_is(&rename->moved.inode, EXT4_MODE_DIRECTORY);
    if (rename->is_directory && rename->from != rename->to) {
        status = require_outside(fs, rename->moved.inode.number, rename->to->number);
        if (status == OK)
            status = ext4_links_require_room(fs, rename->to);
        if (status != OK)
            return status;
    }
    status = ext4_child_find(fs, rename->to, rename->to_name, &rename->replaced);
    if (status == ERR_NOT_FOUND) {
        rename->replaced.inode.number = 0;
        return OK;
    }
    if (status != OK || rename->replaced.inode.number == rename->moved.inode.number)
        return status;
    return check_target(fs, rename);
}

static enum status put_new_name(struct ext4 *fs, struct rename *rename)
{
    u32 inode = rename->moved.inode.number;
    u8 type = rename->moved.place.type;
    if (rename->replaced.inode.number != 0)
        return ext4_dir_redirect(fs, rename->to, rename->to_name, inode, type);
    struct ext4_dir_name name = { rename->to_name, ext4_name_length(rename->to_name),
                                  inode, type };
    return ext4_dir_insert(fs, rename->to, &name);
}

/* The subdirectory leaves one directory's count and enters the other's; its ".." follows. */
static enum status move_links(struct ext4 *fs, struct rename *rename)
{
    bool replaces = rename->replaced.inode.number != 0;
    if (!rename->is_directory)
        return OK;
    if (rename->from == rename->to)
        return replaces ? ext4_links_remove_subdirectory(fs, rename->from) : OK;
    enum status status = ext4_links_remove_subdirectory(fs, rename->from);
    if (status != OK)
        return status;
    if (!replaces)
        ext4_links_add_subdirectory(rename->to);
    return ext4_dir_set_parent(fs, &rename->moved.inode, rename->to->number);
}

static enum status carry_out(struct ext4 *fs, struct rename *rename)
{
    enum status status = move_links(fs, rename);
    if (status == OK)
        status = put_new_name(fs, rename);
    if (status == OK)
        status = ext4_dir_remove(fs, rename->from, rename->from_name);
    if (status != OK)
        return status;
    rename->moved.inode.change_time = ext4_now_seconds();
    status = ext4_inode_store(fs, &rename->moved.inode);
    if (status == OK && rename->replaced.inode.number != 0)
        status = ext4_child_drop(fs, &rename->replaced.inode);
    return status;
}

enum status ext4_rename(struct ext4 *fs, u32 from_directory, const char *from_name,
                        u32 to_directory, const char *to_name)
{
    struct ext4_inode from = { 0 };
    struct ext4_inode to = { 0 };
    struct rename rename = { .from_name = from_name, .to_name = to_name, .from = &from };
    rename.to = from_directory == to_directory ? &from : &to;

    enum status status = ext4_name_check(from_name);
    if (status == OK)
        status = ext4_name_check(to_name);
    if (status == OK)
        status = ext4_namespace_begin(fs);
    if (status == OK)
        status = ext4_dir_load(fs, from_directory, &from);
    if (status == OK && rename.to == &to)
        status = ext4_dir_load(fs, to_directory, &to);
    if (status == OK)
        status = prepare(fs, &rename);
    if (status != OK || rename.replaced.inode.number == rename.moved.inode.number)
        return status; /* two names of one inode: nothing to do */
    return carry_out(fs, &rename);
}
