/* How inodes come and go. */
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/extent.h"
#include "kernel/fs/ext4/inode.h"

enum {
    ATTRIBUTE_MAGIC = 0xEA020000,
    ATTRIBUTE_REFERENCES_AT = 4,
    ATTRIBUTE_CHECKSUM_AT = 16,
    STEP_BLOCKS = 8,
};

enum status ext4_inode_create(struct ext4 *fs, u32 directory, u16 mode, u32 links,
                              struct ext4_inode *result)
{
    struct ext4_inode_run run = { 0, 1 };
    struct ext4_inode inode = { .mode = mode };
    enum status status = ext4_inode_is(&inode, EXT4_MODE_DIRECTORY)
                             ? ext4_inode_allocate_directory(fs, directory, &run.first)
                             : ext4_inodes_allocate(fs, directory, 1, &run);
    if (status != OK)
        return status;

    struct buffer *buffer;
    size_t offset;
    status = ext4_inode_table_modify(fs, run.first, &run, &buffer, &offset);
    if (status != OK)
        return status;
    ext4_inode_init(fs, run.first, mode, links, &inode);
    ext4_inode_encode_new(fs, &inode, buffer->data + offset);
    cache_release(buffer);
    *result = inode;
    return OK;
}

/* A block of extended attributes may be shared by several inodes, and counts them. */
static enum status release_attributes(struct ext4 *fs, struct ext4_inode *inode)
{
    u64 block = inode->attribute_block;
    struct buffer *buffer;
    if (block == 0)
        return OK;
    enum status status = cache_get(&fs->cache, block, &buffer);
    if (status != OK)
        return status;
    u32 references = get_le32(buffer->data + ATTRIBUTE_REFERENCES_AT);
    if (get_le32(buffer->data) != ATTRIBUTE_MAGIC || references == 0) {
        log_error("ext4: inode %u: broken attribute block %llu", inode->number,
                  (unsigned long long)block);
        cache_release(buffer);
        return ERR_CORRUPT;
    }
    if (references > 1) {
        status = journal_modify(fs->journal, buffer);
        if (status == OK) {
            put_le32(buffer->data + ATTRIBUTE_REFERENCES_AT, references - 1);
            if (ext4_has_checksums(fs))
                put_le32(buffer->data + ATTRIBUTE_CHECKSUM_AT,
                         ext4_attribute_block_checksum(fs, block, buffer->data));
        }
    }
    cache_release(buffer);
    if (status == OK && references == 1)
        status = ext4_blocks_free(fs, block, 1);
    if (status == OK)
        inode->attribute_block = 0;
    return status;
}

/* Where the file now ends if its last blocks are gone already. */
static enum status shrink_to_mapped(struct ext4 *fs, struct ext4_inode *inode)
{
    u64 end = 0;
    if (!(inode->flags & EXT4_INODE_FLAG_EXTENTS))
        return OK; /* sizes beyond the last block pointer are holes, and legal */
    enum status status = ext4_extent_end(fs, inode, &end);
    if (status == OK && end << fs->superblock.block_shift < inode->size_bytes)
        inode->size_bytes = end << fs->superblock.block_shift;
    return status;
}

enum status ext4_inode_delete(struct ext4 *fs, struct ext4_inode *inode)
{
    enum status status = ext4_running_require(fs, STEP_BLOCKS);
    if (status == OK && ext4_inode_has_map(inode)) {
        status = ext4_inode_store(fs, inode);
        if (status == OK)
            status = ext4_block_map_truncate(fs, inode, 0);
    }
    if (status == ERR_TRANSACTION_FULL) { /* what is left stays a valid inode */
        enum status stored = shrink_to_mapped(fs, inode);
        if (stored == OK)
            stored = ext4_inode_store(fs, inode);
        return stored == OK ? status : stored;
    }
    if (status == OK)
        status = release_attributes(fs, inode);
    if (status != OK)
        return status;

    bool directory = ext4_inode_is(inode, EXT4_MODE_DIRECTORY);
    inode->links = 0;
    inode->size_bytes = 0;
    inode->delete_time = (u32)ext4_now_seconds();
    status = ext4_inode_store(fs, inode);
    return status == OK ? ext4_inode_free(fs, inode->number, directory) : status;
}
