/* The text of symbolic links: short ones lie in the inode's map, others in a block. */
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/inode.h"

static enum status refuse(const struct ext4_inode *inode, const char *what, u64 value)
{
    log_error("ext4: symbolic link %u: %s: %llu", inode->number, what,
              (unsigned long long)value);
    return ERR_CORRUPT;
}

static enum status read_text(struct ext4 *fs, const struct ext4_inode *inode, char *to)
{
    size_t size = (size_t)inode->size_bytes;
    size_t read;
    if (!ext4_inode_has_map(inode)) {
        memcpy(to, inode->map, size);
        return OK;
    }
    enum status status = ext4_inode_read(fs, inode, 0, to, size, &read);
    if (status == OK && read != size)
        return refuse(inode, "text ends at", read);
    return status;
}

enum status ext4_symlink_target(struct ext4 *fs, const struct ext4_inode *inode, char *to,
                                size_t size)
{
    u64 length = inode->size_bytes;
    if (!ext4_inode_is(inode, EXT4_MODE_SYMLINK))
        return ERR_INVALID_ARGUMENT;
    if (length == 0 || length >= fs->superblock.block_size) /* 4 KiB at most, as a path */
        return refuse(inode, "impossible length", length);
    if (length >= size)
        return ERR_BUFFER_TOO_SMALL;
    enum status status = read_text(fs, inode, to);
    if (status != OK)
        return status;
    to[length] = '\0';
    return strlen(to) == length ? OK : refuse(inode, "NUL in its text at", strlen(to));
}
