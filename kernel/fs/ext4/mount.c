/*
 * Mounting and unmounting.
 *
 *   superblock -> journal inode -> replay -> superblock again -> groups -> orphans
 *
 * What is read before the replay may be older than what the journal holds, so it serves to find
 * the journal only and is forgotten afterwards. A superblock whose checksum is wrong is believed
 * that far too: another system may have died while writing it, and the journal restores it.
 */
#include "kernel/base/checked.h"
#include "kernel/base/crc.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/data_queue.h"
#include "kernel/fs/ext4/feature.h"
#include "kernel/fs/ext4/group.h"
#include "kernel/fs/ext4/journal_file.h"
#include "kernel/fs/ext4/superblock.h"
#include "kernel/fs/ext4/transaction.h"

enum { DEFAULT_CACHE_BYTES = 4 * MIB, SUPERBLOCK_SECTOR = 2 };

static void open_cache(struct ext4 *fs, size_t capacity)
{
    u32 block_size = fs->superblock.block_size;
    cache_open(&fs->cache, fs->disk, block_size, fs->superblock.block_count,
               capacity > 0 ? capacity : DEFAULT_CACHE_BYTES / block_size);
}

static enum status use_backup(struct ext4 *fs, u8 *raw)
{
    if (ext4_superblock_read_backup(fs->disk, raw, &fs->superblock) != OK) {
        log_error("ext4: %s: not ext4: no superblock and no backup of one",
                  fs->disk->name);
        return ERR_CORRUPT;
    }
    if (!fs->uses_backup)
        log_warning("ext4: %s: bad superblock, a backup is used, read-only: run e2fsck",
                    fs->disk->name);
    fs->read_only = fs->uses_backup = true;
    return OK;
}

/* The superblock as it stands on the disk; *checksum_good false: good for finding the journal. */
static enum status read_superblock(struct ext4 *fs, u8 *raw, bool *checksum_good)
{
    if (fs->disk->sector_count < 4) {
        log_error("ext4: %s: too small for a file system", fs->disk->name);
        return ERR_CORRUPT;
    }
    enum status status =
        disk_read(fs->disk, SUPERBLOCK_SECTOR, raw, EXT4_SUPERBLOCK_BYTES);
    if (status != OK)
        return status;
    status = ext4_superblock_decode(raw, EXT4_SUPERBLOCK_BYTES, &fs->superblock,
                                    checksum_good);
    if (status == ERR_CORRUPT) {
        status = use_backup(fs, raw);
        *checksum_good = true;
    }
    if (status != OK)
        return status;

    u64 sectors;
    if (!checked_multiply(fs->superblock.block_count,
                          fs->superblock.block_size / SECTOR_SIZE, &sectors) ||
        sectors > fs->disk->sector_count) {
        log_error("ext4: %s: file system larger than the disk: %llu blocks",
                  fs->disk->name, (unsigned long long)fs->superblock.block_count);
        return ERR_CORRUPT;
    }
    return OK;
}

/* What makes the mount read-only besides the caller's wish. */
static void decide_read_only(struct ext4 *fs)
{
    u32 unknown = fs->superblock.ro_compat & ~(u32)EXT4_RO_COMPAT_KNOWN;
    if (fs->disk->read_only)
        fs->read_only = true;
    if (unknown && !fs->read_only) {
        log_warning("ext4: %s: read-only because of feature %s", fs->disk->name,
                    ext4_ro_compat_name(unknown));
        fs->read_only = true;
    }
    if (fs->superblock.journal_inode == 0 && !fs->read_only) {
        log_warning("ext4: %s: read-only because it has no journal", fs->disk->name);
        fs->read_only = true;
    }
}

static enum status open_journal(struct ext4 *fs, size_t cache_capacity)
{
    struct journal_location location = {
        .checksums = ext4_has_checksums(fs),
        .wide_blocks = ext4_has_incompat(fs, EXT4_INCOMPAT_64BIT),
    };
    struct journal_extent *extents = NULL;
    open_cache(fs, cache_capacity);
    enum status status = ext4_journal_locate(fs, &extents, &location.extent_count);
    cache_close(&fs->cache);
    open_cache(fs, cache_capacity);
    if (status != OK)
        return status;
    location.extents = extents;
    status = journal_open(&fs->cache, &location, &fs->journal);
    port_free(extents);
    return status;
}

static enum status replay(struct ext4 *fs)
{
    struct journal_replay_report report;
    enum status status = journal_replay(fs->journal, fs->read_only, &report);
    if (status == OK && report.was_dirty)
        log_info("ext4: %s: journal replayed: %u transactions, %u blocks, %u revoked",
                 fs->disk->name, report.transactions, report.blocks, report.revoked);
    return status;
}

/* After the replay: what the superblock says now must still describe the same file system. */
static enum status reload_superblock(struct ext4 *fs, u8 *raw)
{
    struct ext4_superblock old = fs->superblock;
    struct ext4_superblock fresh;
    struct buffer *buffer;
    u8 *bytes;
    bool checksum_good = false;
    enum status status = ext4_superblock_get(fs, &buffer, &bytes);
    if (status != OK)
        return status;
    status = ext4_superblock_decode(bytes, EXT4_SUPERBLOCK_BYTES, &fresh, &checksum_good);
    cache_release(buffer);
    if (status == ERR_UNSUPPORTED)
        return status;
    if (status != OK || !checksum_good)
        status = use_backup(fs, raw);
    else
        fs->superblock = fresh;
    if (status != OK)
        return status;
    if (fs->superblock.block_size != old.block_size ||
        fs->superblock.block_count > old.block_count ||
        fs->superblock.inode_size != old.inode_size) {
        log_error("ext4: %s: the journal describes another file system", fs->disk->name);
        return ERR_CORRUPT;
    }
    return OK;
}

static u32 make_generation_seed(const struct ext4 *fs)
{
    u64 now = port_now_microseconds();
    u32 seed = crc32c_update(fs->superblock.mount_count, &now, sizeof now);
    return crc32c_update(seed, fs->superblock.uuid, sizeof fs->superblock.uuid);
}

/* A damaged orphan list costs the right to write, not the right to read. */
static enum status recover_orphans(struct ext4 *fs)
{
    enum status status = ext4_orphans_recover(fs);
    if (status == OK)
        return ext4_commit(fs);
    ext4_rollback(fs);
    if (status != ERR_CORRUPT)
        return status;
    log_warning("ext4: %s: read-only because of its orphans: run e2fsck", fs->disk->name);
    fs->read_only = true;
    return OK;
}

static enum status mount_steps(struct ext4 *fs, size_t cache_capacity, u8 *raw)
{
    bool checksum_good = false;
    enum status status = read_superblock(fs, raw, &checksum_good);
    if (status != OK)
        return status;
    decide_read_only(fs);
    if (fs->superblock.journal_inode != 0) {
        status = open_journal(fs, cache_capacity);
        if (status == OK)
            status = replay(fs);
    } else {
        open_cache(fs, cache_capacity);
    }
    if (status == OK)
        status = reload_superblock(fs, raw);
    fs->scratch = port_alloc(fs->superblock.block_size);
    if (status == OK && !fs->scratch)
        status = ERR_NO_MEMORY;
    if (status == OK && !fs->read_only)
        status = ext4_data_queue_open(fs->disk, &fs->data_queue);
    if (status != OK)
        return status;

    struct ext4_free_counts free;
    fs->recovery_flag_set = ext4_has_incompat(fs, EXT4_INCOMPAT_RECOVER);
    fs->generation_seed = make_generation_seed(fs);
    status = ext4_group_sum_free(fs, &free);
    if (status != OK)
        return status;
    ext4_running_init(fs, &free);
    if (fs->read_only)
        return OK;
    journal_set_before_commit(fs->journal, ext4_superblock_before_commit, fs);
    return recover_orphans(fs);
}

enum status ext4_mount(struct disk *disk, const struct ext4_mount_options *options,
                       struct ext4 **result)
{
    struct ext4 *fs = port_alloc(sizeof *fs);
    u8 *raw = port_alloc(EXT4_SUPERBLOCK_BYTES);
    enum status status = fs && raw ? OK : ERR_NO_MEMORY;
    if (status == OK) {
        fs->disk = disk;
        fs->read_only = options->read_only;
        status = mount_steps(fs, options->cache_capacity, raw);
    }
    port_free(raw);
    if (status != OK) {
        if (fs)
            ext4_drop(fs);
        return status;
    }
    *result = fs;
    return OK;
}

void ext4_drop(struct ext4 *fs)
{
    ext4_data_queue_close(fs->data_queue);
    if (fs->journal)
        journal_close(fs->journal);
    if (fs->cache.disk)
        cache_close(&fs->cache);
    ext4_running_destroy(fs);
    port_free(fs->read_ahead.data);
    port_free(fs->scratch);
    port_free(fs);
}

enum status ext4_unmount(struct ext4 *fs)
{
    enum status status = ext4_commit(fs);
    if (status == OK && !fs->read_only)
        status = ext4_orphans_recover(fs); /* deletions that are still on their way */
    if (status == OK && !fs->read_only && fs->recovery_flag_set) {
        status = journal_checkpoint_all(fs->journal);
        if (status == OK)
            status = ext4_superblock_clear_recovery(fs);
    }
    ext4_drop(fs);
    return status;
}

enum status ext4_checkpoint(struct ext4 *fs)
{
    return fs->journal ? journal_checkpoint_all(fs->journal) : OK;
}

void ext4_space(const struct ext4 *fs, struct ext4_space *space)
{
    *space = (struct ext4_space){
        .block_size = fs->superblock.block_size,
        .blocks = fs->superblock.block_count,
        .free_blocks = fs->running.free.blocks,
        .reserved_blocks = fs->superblock.reserved_blocks,
        .inodes = fs->superblock.inode_count,
        .free_inodes = fs->running.free.inodes,
        .read_only = fs->read_only,
    };
    memcpy(space->uuid, fs->superblock.uuid, sizeof space->uuid);
}
