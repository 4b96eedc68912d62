/* The orphan file of the feature orphan_file; its layout is in orphan.h. */
#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/feature.h"
#include "kernel/fs/ext4/orphan.h"
#include "kernel/fs/ext4/superblock.h"

enum { TAIL_SIZE = 8, TAIL_CHECKSUM_AT = 4, STEP_BLOCKS = 24 };
static const u32 tail_magic = 0x0B10CA04;

/* Starts with the block's own address, so that a stray block fails. */
static u32 checksum_of(const struct ext4 *fs, const struct ext4_inode *file,
                       const struct buffer *buffer)
{
    u8 address[8];
    put_le64(address, buffer->block);
    u32 crc = crc32c_update(file->checksum_seed, address, sizeof address);
    return crc32c_update(crc, buffer->data, fs->superblock.block_size - TAIL_SIZE);
}

static u8 *tail_of(const struct ext4 *fs, const struct buffer *buffer)
{
    return buffer->data + fs->superblock.block_size - TAIL_SIZE;
}

static enum status verify(const struct ext4 *fs, const struct ext4_inode *file,
                          const struct buffer *buffer)
{
    const u8 *tail = tail_of(fs, buffer);
    u32 stored = get_le32(tail + TAIL_CHECKSUM_AT);
    if (get_le32(tail) == tail_magic &&
        (!ext4_has_checksums(fs) || stored == checksum_of(fs, file, buffer)))
        return OK;
    log_error("ext4: orphan file %u: bad block %llu, checksum %x", file->number,
              (unsigned long long)buffer->block, stored);
    return ERR_CORRUPT;
}

/* The entry is cleared in the transaction that ends the orphan. */
static enum status clear_entry(struct ext4 *fs, const struct ext4_inode *file,
                               struct buffer *buffer, size_t at)
{
    enum status status = journal_modify(fs->journal, buffer);
    if (status != OK)
        return status;
    put_le32(buffer->data + at, 0);
    if (ext4_has_checksums(fs))
        put_le32(tail_of(fs, buffer) + TAIL_CHECKSUM_AT, checksum_of(fs, file, buffer));
    return OK;
}

/* Each try that fails has freed something, or is the last one. */
static enum status finish_entry(struct ext4 *fs, const struct ext4_inode *file,
                                struct buffer *buffer, size_t at)
{
    u32 number = get_le32(buffer->data + at);
    enum status status;
    if (number == 0)
        return OK;
    do {
        status = ext4_running_require(fs, STEP_BLOCKS + 1);
        if (status == OK)
            status = ext4_orphan_finish(fs, number);
        if (status == OK)
            return clear_entry(fs, file, buffer, at);
        if (status == ERR_TRANSACTION_FULL)
            status = ext4_orphan_commit_progress(fs);
    } while (status == OK);
    return status;
}

static enum status finish_block(struct ext4 *fs, const struct ext4_inode *file,
                                u64 number)
{
    struct buffer *buffer;
    enum status status = ext4_inode_block(fs, file, number, &buffer);
    if (status != OK)
        return status;
    status = verify(fs, file, buffer);
    size_t end = fs->superblock.block_size - TAIL_SIZE;
    for (size_t at = 0; at < end && status == OK; at += 4)
        status = finish_entry(fs, file, buffer, at);
    cache_release(buffer);
    return status;
}

enum status ext4_orphan_file_recover(struct ext4 *fs)
{
    struct ext4_inode file;
    if (!ext4_has_compat(fs, EXT4_COMPAT_ORPHAN_FILE) ||
        !ext4_has_ro_compat(fs, EXT4_RO_COMPAT_ORPHAN_PRESENT))
        return OK;
    enum status status = ext4_inode_load(fs, fs->superblock.orphan_file_inode, &file);
    if (status != OK)
        return status;
    u64 blocks = file.size_bytes >> fs->superblock.block_shift;
    if (!ext4_inode_is(&file, EXT4_MODE_FILE) || blocks > fs->superblock.block_count) {
        log_error("ext4: orphan file %u: impossible size: %llu", file.number,
                  (unsigned long long)file.size_bytes);
        return ERR_CORRUPT;
    }
    for (u64 number = 0; number < blocks && status == OK; number++)
        status = finish_block(fs, &file, number);
    return status == OK ? ext4_superblock_set_orphan_present(fs, false) : status;
}
