#include "kernel/block/cache.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

enum { PREFETCH_MAX = 512 }; /* blocks in one request */

void cache_open(struct cache *cache, struct disk *disk, size_t block_size,
                u64 block_count, size_t capacity)
{
    *cache = (struct cache){ .disk = disk,
                             .block_size = block_size,
                             .block_count = block_count,
                             .capacity = capacity };
    map_init(&cache->buffers);
    list_init(&cache->lru);
}

static void buffer_destroy(struct buffer *buffer)
{
    port_free(buffer->data);
    port_free(buffer);
}

void cache_close(struct cache *cache)
{
    size_t cursor = 0;
    u64 block, value;
    while (map_next(&cache->buffers, &cursor, &block, &value))
        buffer_destroy((struct buffer *)(uintptr_t)value);
    map_destroy(&cache->buffers);
    list_init(&cache->lru);
}

static struct buffer *buffer_create(struct cache *cache, u64 block)
{
    struct buffer *buffer = port_alloc(sizeof *buffer);
    u8 *data = port_alloc(cache->block_size);
    if (!buffer || !data) {
        port_free(buffer);
        port_free(data);
        return NULL;
    }
    *buffer = (struct buffer){ .cache = cache, .block = block, .data = data };
    return buffer;
}

/* Out of the list of idle ones, if it is there. */
static void buffer_take(struct buffer *buffer)
{
    if (!list_is_linked(&buffer->lru))
        return;
    list_remove(&buffer->lru);
    buffer->cache->idle--;
}

static void buffer_drop(struct buffer *buffer)
{
    buffer_take(buffer);
    map_remove(&buffer->cache->buffers, buffer->block);
    buffer_destroy(buffer);
}

static void cache_trim(struct cache *cache)
{
    while (cache->idle > cache->capacity)
        buffer_drop(CONTAINER_OF(list_first(&cache->lru), struct buffer, lru));
}

/* Nobody may hold the buffer any more: keep it for later, or drop it. */
static void buffer_settle(struct buffer *buffer)
{
    if (buffer->references > 0 || buffer->pins > 0)
        return;
    if (buffer->transient) {
        buffer_drop(buffer);
        return;
    }
    list_append(&buffer->cache->lru, &buffer->lru);
    buffer->cache->idle++;
    cache_trim(buffer->cache);
}

struct buffer *cache_find(struct cache *cache, u64 block)
{
    struct buffer *buffer = map_get_pointer(&cache->buffers, block);
    if (!buffer)
        return NULL;
    buffer_take(buffer);
    buffer->references++;
    return buffer;
}

void cache_release(struct buffer *buffer)
{
    if (!buffer)
        return;
    ASSERT(buffer->references > 0);
    buffer->references--;
    buffer_settle(buffer);
}

void cache_pin(struct buffer *buffer)
{
    buffer_take(buffer);
    buffer->pins++;
}

void cache_unpin(struct buffer *buffer)
{
    ASSERT(buffer->pins > 0);
    buffer->pins--;
    buffer_settle(buffer);
}

static enum status check_bounds(const struct cache *cache, u64 block)
{
    if (block < cache->block_count)
        return OK;
    log_error("cache: block %llu beyond the end (%llu blocks)", (unsigned long long)block,
              (unsigned long long)cache->block_count);
    return ERR_CORRUPT;
}

/* Into the map, with one reference; on failure the buffer is destroyed. */
static enum status buffer_insert(struct buffer *buffer)
{
    enum status status = map_set_pointer(&buffer->cache->buffers, buffer->block, buffer);
    if (status != OK) {
        buffer_destroy(buffer);
        return status;
    }
    buffer->references = 1;
    cache_trim(buffer->cache);
    return OK;
}

static u64 sector_of(const struct cache *cache, u64 block)
{
    return block * (cache->block_size / SECTOR_SIZE);
}

enum status cache_get(struct cache *cache, u64 block, struct buffer **buffer)
{
    struct buffer *found = cache_find(cache, block);
    if (found) {
        *buffer = found;
        return OK;
    }
    enum status status = check_bounds(cache, block);
    if (status != OK)
        return status;
    found = buffer_create(cache, block);
    if (!found)
        return ERR_NO_MEMORY;
    status =
        disk_read(cache->disk, sector_of(cache, block), found->data, cache->block_size);
    if (status != OK) {
        buffer_destroy(found);
        return status;
    }
    status = buffer_insert(found);
    if (status == OK)
        *buffer = found;
    return status;
}

enum status cache_get_fresh(struct cache *cache, u64 block, struct buffer **buffer)
{
    struct buffer *found = cache_find(cache, block);
    if (found) {
        *buffer = found;
        return OK;
    }
    enum status status = check_bounds(cache, block);
    if (status != OK)
        return status;
    found = buffer_create(cache, block);
    if (!found)
        return ERR_NO_MEMORY;
    found->transient = true;
    status = buffer_insert(found);
    if (status == OK)
        *buffer = found;
    return status;
}

void cache_forget(struct cache *cache, u64 block)
{
    struct buffer *buffer = map_get_pointer(&cache->buffers, block);
    if (!buffer || buffer->pins > 0)
        return;
    if (buffer->references > 0)
        buffer->transient = true;
    else
        buffer_drop(buffer);
}

/* --- read-ahead --- */

static size_t absent_run(struct cache *cache, u64 block, size_t limit)
{
    size_t length = 0;
    while (length < limit && !map_get_pointer(&cache->buffers, block + length))
        length++;
    return length;
}

static void prefetch_run(struct cache *cache, u64 block, size_t count)
{
    struct buffer *buffers[PREFETCH_MAX];
    struct disk_segment segments[PREFETCH_MAX];
    size_t ready = 0;

    while (ready < count && (buffers[ready] = buffer_create(cache, block + ready))) {
        segments[ready] =
            (struct disk_segment){ buffers[ready]->data, cache->block_size };
        ready++;
    }
    struct disk_request request = { .operation = DISK_READ,
                                    .sector = sector_of(cache, block),
                                    .segments = segments,
                                    .segment_count = ready };
    enum status status = ready ? disk_submit(cache->disk, &request) : ERR_NO_MEMORY;
    if (status == OK)
        status = disk_wait(cache->disk, &request);
    for (size_t i = 0; i < ready; i++) {
        if (status != OK)
            buffer_destroy(buffers[i]);
        else if (buffer_insert(buffers[i]) == OK)
            cache_release(buffers[i]);
    }
}

void cache_prefetch(struct cache *cache, u64 block, size_t count)
{
    if (block >= cache->block_count)
        return;
    count =
        min_size(count, (size_t)min_u64(cache->block_count - block, cache->capacity / 2));
    size_t limit = min_size(PREFETCH_MAX, cache->disk->max_pieces);
    limit = min_size(limit, cache->disk->max_bytes / cache->block_size);

    while (count > 0) {
        size_t run = absent_run(cache, block, min_size(count, limit));
        if (run > 0)
            prefetch_run(cache, block, run);
        size_t passed = run > 0 ? run : 1;
        block += passed;
        count -= passed;
    }
}
