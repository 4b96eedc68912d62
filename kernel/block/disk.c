#include "kernel/block/disk.h"

#include "kernel/base/checked.h"

static size_t request_size(const struct disk_request *request)
{
    size_t size = 0;

    for (size_t at = 0; at < request->segment_count; at++)
        size += request->segments[at].size_bytes;
    return size;
}

static size_t request_pieces(const struct disk_request *request)
{
    size_t pieces = 0;

    for (size_t at = 0; at < request->segment_count; at++)
        pieces +=
            disk_pieces(request->segments[at].data, request->segments[at].size_bytes);
    return pieces;
}

static enum status check_transfer(const struct disk *disk,
                                  const struct disk_request *request)
{
    size_t size = request_size(request);

    if (request->segment_count == 0 || request->segment_count > disk->max_pieces ||
        request_pieces(request) > disk->max_pieces)
        return ERR_INVALID_ARGUMENT;
    if (size == 0 || size % SECTOR_SIZE != 0 || size > disk->max_bytes)
        return ERR_INVALID_ARGUMENT;
    if (!range_inside(request->sector, size / SECTOR_SIZE, disk->sector_count))
        return ERR_INVALID_ARGUMENT;
    if (request->operation == DISK_WRITE && disk->read_only)
        return ERR_READ_ONLY;
    return OK;
}

enum status disk_submit(struct disk *disk, struct disk_request *request)
{
    if (request->operation != DISK_FLUSH) {
        enum status status = check_transfer(disk, request);
        if (status != OK)
            return status;
    }
    request->done = false;
    request->status = OK;
    disk->in_flight++;
    enum status status = disk->operations->submit(disk, request);
    if (status != OK)
        disk->in_flight--;
    return status;
}

void disk_complete(struct disk *disk, struct disk_request *request, enum status status)
{
    struct disk_statistics *statistics = &disk->statistics;

    switch (request->operation) {
    case DISK_READ:
        statistics->reads++;
        statistics->bytes_read += request_size(request);
        break;
    case DISK_WRITE:
        statistics->writes++;
        statistics->bytes_written += request_size(request);
        break;
    case DISK_FLUSH:
        statistics->flushes++;
        break;
    }
    disk->in_flight--;
    request->status = status;
    request->done = true;
}

enum status disk_wait(struct disk *disk, struct disk_request *request)
{
    while (!*(volatile bool *)&request->done)
        disk->operations->wait_any(disk);
    return request->status;
}

enum status disk_flush(struct disk *disk)
{
    struct disk_request request = { .operation = DISK_FLUSH };

    while (*(volatile size_t *)&disk->in_flight > 0)
        disk->operations->wait_any(disk);
    enum status status = disk_submit(disk, &request);
    if (status != OK)
        return status;
    return disk_wait(disk, &request);
}

static enum status transfer(struct disk *disk, enum disk_operation operation, u64 sector,
                            void *data, size_t size_bytes)
{
    u8 *bytes = data;

    while (size_bytes > 0) {
        size_t piece = min_size(size_bytes, disk->max_bytes);
        struct disk_segment segment = { bytes, piece };
        struct disk_request request = {
            .operation = operation,
            .sector = sector,
            .segments = &segment,
            .segment_count = 1,
        };
        enum status status = disk_submit(disk, &request);
        if (status == OK)
            status = disk_wait(disk, &request);
        if (status != OK)
            return status;
        bytes += piece;
        sector += piece / SECTOR_SIZE;
        size_bytes -= piece;
    }
    return OK;
}

enum status disk_read(struct disk *disk, u64 sector, void *data, size_t size_bytes)
{
    return transfer(disk, DISK_READ, sector, data, size_bytes);
}

enum status disk_write(struct disk *disk, u64 sector, const void *data, size_t size_bytes)
{
    return transfer(disk, DISK_WRITE, sector, (void *)data, size_bytes);
}
