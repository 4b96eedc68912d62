/*
 * Commit and rollback of the file system's running transaction.
 *
 * Order in a commit: file data, then the journal (which puts the superblock in by its hook, see
 * superblock.h). Before the first one of a mount the recovery flag is on the disk and flushed:
 * without it a replay would not look at the journal.
 */
#include "kernel/fs/ext4/transaction.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/allocate.h"
#include "kernel/fs/ext4/data_queue.h"
#include "kernel/fs/ext4/read_ahead.h"
#include "kernel/fs/ext4/superblock.h"

enum { SUPERBLOCK_RESERVE = 1 };

enum status ext4_require_writable(const struct ext4 *fs)
{
    return fs->read_only || journal_is_aborted(fs->journal) ? ERR_READ_ONLY : OK;
}

enum status ext4_running_require(const struct ext4 *fs, u64 blocks)
{
    return journal_room(fs->journal) >= blocks + SUPERBLOCK_RESERVE
               ? OK
               : ERR_TRANSACTION_FULL;
}

enum status ext4_running_add_fresh(struct ext4 *fs, u64 first, u64 count)
{
    struct ext4_running *running = &fs->running;
    struct ext4_block_run *last =
        running->fresh_count > 0 ? &running->fresh[running->fresh_count - 1] : NULL;
    if (last && last->first + last->count == first) {
        last->count += count;
        return OK;
    }
    if (running->fresh_count == running->fresh_capacity) {
        size_t capacity = running->fresh_capacity > 0 ? 2 * running->fresh_capacity : 16;
        struct ext4_block_run *larger = port_alloc(capacity * sizeof *larger);
        if (!larger)
            return ERR_NO_MEMORY;
        if (running->fresh_count > 0)
            memcpy(larger, running->fresh, running->fresh_count * sizeof *larger);
        port_free(running->fresh);
        running->fresh = larger;
        running->fresh_capacity = capacity;
    }
    running->fresh[running->fresh_count++] = (struct ext4_block_run){ first, count };
    return OK;
}

bool ext4_running_is_fresh(const struct ext4 *fs, u64 block)
{
    const struct ext4_running *running = &fs->running;
    for (size_t i = running->fresh_count; i-- > 0;)
        if (block - running->fresh[i].first < running->fresh[i].count)
            return true;
    return false;
}

void ext4_running_init(struct ext4 *fs, const struct ext4_free_counts *free)
{
    memset(&fs->running, 0, sizeof fs->running);
    map_init(&fs->running.freed_inodes);
    fs->running.free = fs->running.free_before = *free;
}

void ext4_running_destroy(struct ext4 *fs)
{
    port_free(fs->running.fresh);
    map_destroy(&fs->running.freed_inodes);
    fs->running.fresh = NULL;
}

static void start_anew(struct ext4 *fs)
{
    fs->running.fresh_count = 0;
    map_clear(&fs->running.freed_inodes);
    ext4_read_ahead_forget(fs);
}

static enum status commit_journal(struct ext4 *fs)
{
    if (!fs->recovery_flag_set) {
        enum status status = ext4_superblock_set_recovery(fs);
        if (status != OK)
            return status;
        fs->recovery_flag_set = true;
    }
    return journal_commit(fs->journal);
}

enum status ext4_commit(struct ext4 *fs)
{
    if (fs->read_only)
        return OK;
    enum status status = ext4_data_queue_drain(fs->data_queue);
    if (status == OK && !journal_is_running(fs->journal))
        return OK;
    if (status == OK)
        status = commit_journal(fs);
    if (status != OK) {
        log_error("ext4: %s: commit failed: %s", fs->disk->name, status_text(status));
        ext4_rollback(fs);
        return status;
    }
    fs->mount_counted = true;
    fs->running.free_before = fs->running.free;
    start_anew(fs);
    return OK;
}

void ext4_rollback(struct ext4 *fs)
{
    if (fs->read_only)
        return;
    ext4_data_queue_reset(fs->data_queue);
    journal_rollback(fs->journal);
    fs->running.free = fs->running.free_before;
    start_anew(fs);
}

u32 ext4_transaction_room(const struct ext4 *fs)
{
    if (fs->read_only)
        return 0;
    u32 room = journal_room(fs->journal);
    return room > SUPERBLOCK_RESERVE ? room - SUPERBLOCK_RESERVE : 0;
}
