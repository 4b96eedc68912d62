/*
 * What a block device promises, and how it is asked.
 *
 * D1  Addresses are 512-byte sectors. A request moves a whole number of sectors, scattered
 *     over or gathered from segments of any length.
 * D2  Several requests may be in flight; they complete in any order, also partially if the
 *     power fails. Two requests that overlap must not be in flight together.
 * D3  A completed write may still be lost to a power cut, sector by sector, until a flush that
 *     was submitted after its completion has completed. disk_flush() waits for everything in
 *     flight before it submits the flush, so a recording of completed requests is exact.
 * D4  The memory of a request belongs to the device from submit to completion.
 * D5  `max_pieces` is at least `max_bytes` in pages and 6, so three segments are never too many.
 *
 * The driver fills in `struct disk` and its operations; everyone else uses the functions below,
 * which check bounds and count.
 */
#pragma once

#include "kernel/base/list.h"
#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum { SECTOR_SIZE = 512 };

enum disk_operation { DISK_READ, DISK_WRITE, DISK_FLUSH };

struct disk_segment {
    void *data; /* only read from when the operation is DISK_WRITE */
    size_t size_bytes;
};

struct disk_request {
    enum disk_operation operation;
    u64 sector;
    const struct disk_segment *segments; /* lives until completion */
    size_t segment_count;

    /* Set by the driver. */
    bool done;
    enum status status; /* meaningful once done */

    /* For the driver, while it has the request. */
    struct list_link link;
    u64 driver_data;
};

struct disk;

struct disk_operations {
    /* Starts the request; waits for room in the queue if there is none. An error: not started. */
    enum status (*submit)(struct disk *disk, struct disk_request *request);
    /* Waits until at least one request in flight has completed (if any is). */
    void (*wait_any)(struct disk *disk);
};

struct disk_statistics {
    u64 reads, writes, flushes; /* requests */
    u64 bytes_read, bytes_written;
};

struct disk {
    const struct disk_operations *operations;
    const char *name; /* "virtio0", for messages */
    u64 sector_count;
    size_t max_pieces; /* in one request: disk_pieces() of its segments, together */
    size_t max_bytes;  /* in one request, a multiple of SECTOR_SIZE */
    bool read_only;
    size_t in_flight; /* requests submitted and not done; kept by disk.c and the driver */
    struct disk_statistics statistics;
};

/* What a segment counts in a request: the pages of memory that it touches, which lie anywhere. */
static inline size_t disk_pieces(const void *data, size_t size_bytes)
{
    return ((uintptr_t)data % PAGE_SIZE + size_bytes + PAGE_SIZE - 1) / PAGE_SIZE;
}

/*
 * ERR_INVALID_ARGUMENT for a request outside the disk, of broken size or above the limits,
 * ERR_READ_ONLY for a write to a read-only disk. On OK the request is the device's.
 */
enum status disk_submit(struct disk *disk, struct disk_request *request);

/* Waits for a submitted request and returns its status. */
enum status disk_wait(struct disk *disk, struct disk_request *request);

/* Called by drivers when a request has finished: sets its results and the counters. */
void disk_complete(struct disk *disk, struct disk_request *request, enum status status);

/* Waits for all that is in flight, then makes every completed write durable (D3). */
enum status disk_flush(struct disk *disk);

/* Synchronous convenience: one contiguous buffer of any size, split as the limits demand. */
enum status disk_read(struct disk *disk, u64 sector, void *data, size_t size_bytes);
enum status disk_write(struct disk *disk, u64 sector, const void *data,
                       size_t size_bytes);
