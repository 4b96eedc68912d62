#include "tests/support/ext4_below.h"

#include "kernel/base/map.h"
#include "kernel/fs/jbd2/journal.h"

static const enum status statuses[] = {
    [BELOW_BUFFERS] = ERR_IO,        [BELOW_FRESH_BUFFERS] = ERR_NO_MEMORY,
    [BELOW_CHANGES] = ERR_NO_MEMORY, [BELOW_ROOM] = ERR_TRANSACTION_FULL,
    [BELOW_REVOKES] = ERR_NO_MEMORY, [BELOW_ENTRIES] = ERR_NO_MEMORY,
    [BELOW_MEMORY] = ERR_NO_MEMORY,  [BELOW_DISK] = ERR_IO,
};

static struct {
    enum below kind;
    u64 countdown; /* the call that fails: 1 is the next; 0: none */
    bool for_good; /* and all after it */
    u64 struck;
    enum below next_kind; /* what fails after this: */
    u64 next_countdown;   /* 0: nothing */
} below;

static bool fails(enum below kind)
{
    if (below.countdown == 0 || below.kind != kind)
        return false;
    if (below.countdown > 1) {
        below.countdown--;
        return false;
    }
    if (!below.for_good)
        below.countdown = 0;
    below.struck++;
    if (below.next_countdown > 0) {
        below.kind = below.next_kind;
        below.countdown = below.next_countdown;
        below.next_countdown = 0;
    }
    return true;
}

enum status __real_cache_get(struct cache *cache, u64 block, struct buffer **buffer);
enum status __wrap_cache_get(struct cache *cache, u64 block, struct buffer **buffer)
{
    return fails(BELOW_BUFFERS) ? statuses[BELOW_BUFFERS]
                                : __real_cache_get(cache, block, buffer);
}

enum status __real_cache_get_fresh(struct cache *cache, u64 block,
                                   struct buffer **buffer);
enum status __wrap_cache_get_fresh(struct cache *cache, u64 block, struct buffer **buffer)
{
    return fails(BELOW_FRESH_BUFFERS) ? statuses[BELOW_FRESH_BUFFERS]
                                      : __real_cache_get_fresh(cache, block, buffer);
}

enum status __real_journal_modify(struct journal *journal, struct buffer *buffer);
enum status __wrap_journal_modify(struct journal *journal, struct buffer *buffer)
{
    return fails(BELOW_CHANGES) ? statuses[BELOW_CHANGES]
                                : __real_journal_modify(journal, buffer);
}

u32 __real_journal_room(const struct journal *journal);
u32 __wrap_journal_room(const struct journal *journal)
{
    return fails(BELOW_ROOM) ? 0 : __real_journal_room(journal);
}

enum status __real_journal_revoke(struct journal *journal, u64 block, u64 count);
enum status __wrap_journal_revoke(struct journal *journal, u64 block, u64 count)
{
    return fails(BELOW_REVOKES) ? statuses[BELOW_REVOKES]
                                : __real_journal_revoke(journal, block, count);
}

enum status __real_map_set(struct map *map, u64 key, u64 value);
enum status __wrap_map_set(struct map *map, u64 key, u64 value)
{
    return fails(BELOW_ENTRIES) ? statuses[BELOW_ENTRIES]
                                : __real_map_set(map, key, value);
}

void *__real_port_alloc(size_t size);
void *__wrap_port_alloc(size_t size)
{
    return fails(BELOW_MEMORY) ? NULL : __real_port_alloc(size);
}

enum status __real_disk_submit(struct disk *disk, struct disk_request *request);
enum status __wrap_disk_submit(struct disk *disk, struct disk_request *request)
{
    return fails(BELOW_DISK) ? statuses[BELOW_DISK] : __real_disk_submit(disk, request);
}

/* It is carried out, and nobody knows. */
enum status __real_disk_wait(struct disk *disk, struct disk_request *request);
enum status __wrap_disk_wait(struct disk *disk, struct disk_request *request)
{
    enum status status = __real_disk_wait(disk, request);
    return fails(BELOW_DISK) ? statuses[BELOW_DISK] : status;
}

enum status __real_disk_read(struct disk *disk, u64 sector, void *data,
                             size_t size_bytes);
enum status __wrap_disk_read(struct disk *disk, u64 sector, void *data, size_t size_bytes)
{
    return fails(BELOW_DISK) ? statuses[BELOW_DISK]
                             : __real_disk_read(disk, sector, data, size_bytes);
}

enum status __real_disk_write(struct disk *disk, u64 sector, const void *data,
                              size_t size_bytes);
enum status __wrap_disk_write(struct disk *disk, u64 sector, const void *data,
                              size_t size_bytes)
{
    return fails(BELOW_DISK) ? statuses[BELOW_DISK]
                             : __real_disk_write(disk, sector, data, size_bytes);
}

enum status __real_disk_flush(struct disk *disk);
enum status __wrap_disk_flush(struct disk *disk)
{
    return fails(BELOW_DISK) ? statuses[BELOW_DISK] : __real_disk_flush(disk);
}

void ext4_below_fail(enum below kind, u64 nth, bool for_good)
{
    below.kind = kind;
    below.countdown = nth;
    below.for_good = for_good;
    below.struck = 0;
    below.next_countdown = 0;
}

void ext4_below_fail_without_room(u64 nth, enum below kind, u64 then)
{
    ext4_below_fail(BELOW_ROOM, nth, false);
    below.next_kind = kind;
    below.next_countdown = then;
}

bool ext4_below_struck(void)
{
    return below.struck > 0;
}

enum status ext4_below_status(enum below kind)
{
    return statuses[kind];
}
