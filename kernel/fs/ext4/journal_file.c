#include "kernel/fs/ext4/journal_file.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

static enum status refuse(const struct ext4_inode *inode, const char *what, u64 value)
{
    log_error("ext4: journal inode %u: %s: %llu", inode->number, what,
              (unsigned long long)value);
    return ERR_CORRUPT;
}

/* Appends to an array that doubles when its count is a power of two. */
static enum status append(struct journal_extent **extents, size_t *count,
                          const struct journal_extent *extent)
{
    if ((*count & (*count - 1)) == 0) {
        size_t capacity = *count > 0 ? 2 * *count : 1;
        struct journal_extent *larger = port_alloc(capacity * sizeof *larger);
        if (!larger)
            return ERR_NO_MEMORY;
        if (*count > 0)
            memcpy(larger, *extents, *count * sizeof *larger);
        port_free(*extents);
        *extents = larger;
    }
    (*extents)[(*count)++] = *extent;
    return OK;
}

static enum status collect(struct ext4 *fs, const struct ext4_inode *inode, u64 blocks,
                           struct journal_extent **extents, size_t *count)
{
    for (u64 at = 0; at < blocks;) {
        u64 disk_block, length;
        enum status status = ext4_block_map(fs, inode, at, &disk_block, &length);
        if (status != OK)
            return status;
        if (disk_block == 0)
            return refuse(inode, "hole at block", at);
        length = min_u64(length, blocks - at);
        struct journal_extent extent = { (u32)at, (u32)length, disk_block };
        status = append(extents, count, &extent);
        if (status != OK)
            return status;
        at += length;
    }
    return OK;
}

enum status ext4_journal_locate(struct ext4 *fs, struct journal_extent **result,
                                size_t *count)
{
    struct ext4_inode inode;
    enum status status = ext4_inode_load(fs, fs->superblock.journal_inode, &inode);
    if (status != OK)
        return status;
    u64 blocks = inode.size_bytes >> fs->superblock.block_shift;
    if (!ext4_inode_is(&inode, EXT4_MODE_FILE) || blocks > fs->superblock.block_count ||
        blocks > UINT32_MAX)
        return refuse(&inode, "impossible size in blocks", blocks);

    struct journal_extent *extents = NULL;
    size_t found = 0;
    status = collect(fs, &inode, blocks, &extents, &found);
    if (status != OK) {
        port_free(extents);
        return status;
    }
    *result = extents;
    *count = found;
    return OK;
}
