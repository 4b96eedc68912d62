/*
 * Paths.
 *
 * What is still to be walked is kept as text: a symbolic link puts its target in front of it. At
 * most SYMLINKS_LIMIT links are followed and the text never outgrows EXT4_PATH_MAX, so every walk
 * ends.
 */
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/dir_access.h"

enum { SYMLINKS_LIMIT = 40 };

struct walk {
    struct ext4 *fs;
    struct ext4_inode here;
    u32 links_followed;
    char *rest;   /* within text: what is still to be walked */
    char *target; /* of a link, EXT4_PATH_MAX + 1 bytes */
    char text[EXT4_PATH_MAX + 1];
};

enum status ext4_lookup(struct ext4 *fs, u32 number, const char *name, u32 *inode)
{
    struct ext4_inode directory;
    enum status status = ext4_dir_load(fs, number, &directory);
    return status == OK ? ext4_dir_lookup(fs, &directory, name, inode) : status;
}

/* Puts the link's target in front of the rest; `walk->here` is where it starts. */
static enum status follow(struct walk *walk, const struct ext4_inode *link)
{
    if (++walk->links_followed > SYMLINKS_LIMIT)
        return ERR_LOOP;
    enum status status =
        ext4_symlink_target(walk->fs, link, walk->target, EXT4_PATH_MAX + 1);
    if (status != OK)
        return status;

    size_t length = strlen(walk->target);
    size_t rest = strlen(walk->rest);
    if (length + rest > EXT4_PATH_MAX)
        return ERR_TOO_LARGE;
    memmove(walk->text + length, walk->rest, rest + 1);
    memcpy(walk->text, walk->target, length);
    walk->rest = walk->text;
    return walk->text[0] == '/' ? ext4_inode_load(walk->fs, EXT4_ROOT_INODE, &walk->here)
                                : OK;
}

/* From `here` over the component of `length` bytes at the start of the rest. */
static enum status step(struct walk *walk, u32 length)
{
    struct ext4_dir_place place;
    struct ext4_inode next;
    enum status status = ext4_dir_find(walk->fs, &walk->here, walk->rest, length, &place);
    if (status == OK)
        status = ext4_inode_load(walk->fs, place.inode, &next);
    if (status != OK)
        return status;
    walk->rest += length;
    if (ext4_inode_is(&next, EXT4_MODE_SYMLINK))
        return follow(walk, &next);
    walk->here = next;
    return OK;
}

/* A slash behind a component asks for a directory. */
static enum status skip_slashes(struct walk *walk)
{
    if (walk->rest[0] != '/')
        return OK;
    while (walk->rest[0] == '/')
        walk->rest++;
    return ext4_inode_is(&walk->here, EXT4_MODE_DIRECTORY) ? OK : ERR_NOT_DIRECTORY;
}

static u32 component_length(const char *rest)
{
    u32 length = 0;
    while (rest[length] != '\0' && rest[length] != '/')
        length++;
    return length;
}

static enum status walk_all(struct walk *walk)
{
    enum status status = ext4_inode_load(walk->fs, EXT4_ROOT_INODE, &walk->here);
    if (status == OK)
        status = skip_slashes(walk);
    while (status == OK && walk->rest[0] != '\0') {
        status = step(walk, component_length(walk->rest));
        if (status == OK)
            status = skip_slashes(walk);
    }
    return status;
}

enum status ext4_resolve(struct ext4 *fs, const char *path, u32 *inode)
{
    if (path[0] != '/')
        return ERR_INVALID_ARGUMENT;
    struct walk *walk = port_alloc(sizeof *walk + EXT4_PATH_MAX + 1);
    if (!walk)
        return ERR_NO_MEMORY;
    walk->fs = fs;
    walk->rest = walk->text;
    walk->target = (char *)(walk + 1);

    enum status status = ERR_TOO_LARGE;
    if (text_copy(walk->text, sizeof walk->text, path))
        status = walk_all(walk);
    if (status == OK)
        *inode = walk->here.number;
    port_free(walk);
    return status;
}
