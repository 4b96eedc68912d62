/*
 * The buffer cache: metadata blocks of the file system, in memory, counted.
 *
 * A buffer is one block of the file system. Who gets a buffer holds a reference until
 * cache_release(). Of those that are neither referenced nor pinned as many as the capacity says are
 * kept, the least recently used dropped first. Pinned ones (those the journal still owes to the disk)
 * stay and do not count, or a full journal would leave no room for anything else.
 * A buffer's data is modified only between journal_modify() and the end of the transaction; see
 * kernel/fs/jbd2/journal.h. The cache itself never writes.
 */
#pragma once

#include "kernel/base/map.h"
#include "kernel/block/disk.h"

struct journal_entry; /* the journal's own bookkeeping for a buffer */

struct cache;

struct buffer {
    struct cache *cache;
    u64 block;
    u8 *data; /* block_size bytes */
    u32 references;
    u32 pins;                      /* set by the journal: not to be evicted */
    struct journal_entry *journal; /* NULL while no transaction pins the buffer */
    /*
     * Not what the disk has: fresh and not yet committed, or forgotten while referenced. Dropped
     * with the last reference and pin, so that nobody takes it for the block's content later.
     */
    bool transient;
    bool checked;         /* for the file system: its checksum was verified once */
    struct list_link lru; /* linked while neither referenced nor pinned */
};

struct cache {
    struct disk *disk;
    size_t block_size;
    u64 block_count; /* blocks at or beyond are ERR_CORRUPT: addresses come from disk */
    size_t capacity; /* idle buffers kept */
    size_t idle;     /* in `lru` */
    struct map buffers;
    struct list lru; /* least recently used first */
};

/* `block_size` is 1, 2 or 4 KiB. Allocates nothing large. */
void cache_open(struct cache *cache, struct disk *disk, size_t block_size,
                u64 block_count, size_t capacity);
/* No references may be left. Pinned buffers are dropped too: their owner is gone. */
void cache_close(struct cache *cache);

/* The block's content, read if it is not here. ERR_CORRUPT: beyond the end; ERR_IO, ERR_NO_MEMORY. */
enum status cache_get(struct cache *cache, u64 block, struct buffer **buffer);
/* The same without reading: for a block about to be overwritten as a whole. Zeroed if it was not here. */
enum status cache_get_fresh(struct cache *cache, u64 block, struct buffer **buffer);
/* The buffer if it is here (a reference is taken), else NULL. Never reads. */
struct buffer *cache_find(struct cache *cache, u64 block);
void cache_release(struct buffer *buffer); /* NULL is fine */

/* The block is no longer metadata (freed, or to be data): forget its buffer unless pinned. */
void cache_forget(struct cache *cache, u64 block);

/* Reads what is absent of `count` blocks from `block` on in few requests; an advice, never an error. */
void cache_prefetch(struct cache *cache, u64 block, size_t count);

/* For the journal: a pinned buffer stays until as many unpins. */
void cache_pin(struct buffer *buffer);
void cache_unpin(struct buffer *buffer);
