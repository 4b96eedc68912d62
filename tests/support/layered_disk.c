#include "tests/support/layered_disk.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"

#include <stdlib.h>
#include <string.h>

static void *grown(void *memory, size_t size)
{
    void *larger = realloc(memory, size);
    if (!larger)
        port_panic(__FILE__, __LINE__, "the host has no memory left");
    return larger;
}

const u8 *layered_disk_sector(const struct layered_disk *layered, u64 sector)
{
    const u8 *from =
        layered->layer_of[sector] == layered->layer ? layered->above : layered->below;
    return from + sector * SECTOR_SIZE;
}

void layered_disk_put(struct layered_disk *layered, u64 sector, const u8 *data)
{
    memcpy(layered->above + sector * SECTOR_SIZE, data, SECTOR_SIZE);
    layered->layer_of[sector] = layered->layer;
}

static struct ram_disk_record *new_record(struct layered_disk *layered)
{
    if (layered->record_count == layered->record_capacity) {
        layered->record_capacity = 2 * layered->record_capacity + 64;
        layered->records =
            grown(layered->records, layered->record_capacity * sizeof *layered->records);
    }
    return &layered->records[layered->record_count++];
}

static void keep(struct layered_disk *layered, const struct disk_request *request,
                 const u8 *data, size_t size)
{
    struct ram_disk_record *record = new_record(layered);
    *record = (struct ram_disk_record){ request->operation, request->sector, size, NULL };
    if (size == 0)
        return;
    record->data = grown(NULL, size);
    memcpy(record->data, data, size);
}

static void forget_records(struct layered_disk *layered)
{
    for (size_t i = 0; i < layered->record_count; i++)
        free(layered->records[i].data);
    layered->record_count = 0;
}

/* The request's memory as one piece, gathered into `flat`, or scattered from it. */
static void move_segments(const struct disk_request *request, u8 *flat, bool gather)
{
    for (size_t i = 0; i < request->segment_count; i++) {
        const struct disk_segment *segment = &request->segments[i];
        if (gather)
            memcpy(flat, segment->data, segment->size_bytes);
        else
            memcpy(segment->data, flat, segment->size_bytes);
        flat += segment->size_bytes;
    }
}

static void carry_out(struct layered_disk *layered, const struct disk_request *request,
                      u64 end)
{
    size_t size = 0;
    for (size_t i = 0; i < request->segment_count; i++)
        size += request->segments[i].size_bytes;
    if (size > layered->flat_size) {
        layered->flat = grown(layered->flat, size);
        layered->flat_size = size;
    }
    u8 *flat = layered->flat;
    if (request->operation == DISK_WRITE)
        move_segments(request, flat, true);
    for (size_t at = 0; at < size; at += SECTOR_SIZE) {
        u64 sector = request->sector + at / SECTOR_SIZE;
        if (sector >= end)
            break;
        if (request->operation == DISK_WRITE)
            layered_disk_put(layered, sector, flat + at);
        else
            memcpy(flat + at, layered_disk_sector(layered, sector), SECTOR_SIZE);
    }
    if (request->operation == DISK_READ)
        move_segments(request, flat, false);
    else if (layered->recording)
        keep(layered, request, flat, size);
}

static enum status submit(struct disk *disk, struct disk_request *request)
{
    struct layered_disk *layered = CONTAINER_OF(disk, struct layered_disk, disk);
    u64 end = disk->sector_count, size = 0;

    if (layered->short_at && layered->short_after > 0)
        layered->short_after--;
    else if (layered->short_at)
        end = layered->short_at;
    for (size_t i = 0; i < request->segment_count; i++)
        size += request->segments[i].size_bytes;
    bool fails = request->sector + size / SECTOR_SIZE > end;
    layered->struck = layered->struck || fails;
    carry_out(layered, request, end);
    disk_complete(disk, request, fails ? ERR_IO : OK);
    return OK;
}

static void wait_any(struct disk *disk)
{
    (void)disk; /* nothing is ever in flight */
}

void layered_disk_open(struct layered_disk *layered, size_t size_bytes)
{
    static const struct disk_operations operations = { submit, wait_any };
    size_t sectors = size_bytes / SECTOR_SIZE;

    *layered = (struct layered_disk){
        .disk = { .operations = &operations,
                  .name = "layered",
                  .sector_count = sectors,
                  .max_pieces = 512,
                  .max_bytes = MIB },
        .size_bytes = size_bytes,
        .above = grown(NULL, size_bytes),
        .layer_of = grown(NULL, sectors * sizeof *layered->layer_of),
    };
    memset(layered->layer_of, 0, sectors * sizeof *layered->layer_of);
}

void layered_disk_close(struct layered_disk *layered)
{
    forget_records(layered);
    free(layered->records);
    free(layered->above);
    free(layered->flat);
    free(layered->layer_of);
}

void layered_disk_reset(struct layered_disk *layered, const u8 *below)
{
    forget_records(layered);
    layered->recording = false;
    layered->short_at = 0;
    layered->struck = false;
    layered->below = below;
    layered->layer++; /* a campaign has fewer states than this can count */
}

void layered_disk_record(struct layered_disk *layered)
{
    forget_records(layered);
    layered->recording = true;
}

void layered_disk_copy(const struct layered_disk *layered, u8 *to)
{
    for (u64 sector = 0; sector < layered->disk.sector_count; sector++)
        memcpy(to + sector * SECTOR_SIZE, layered_disk_sector(layered, sector),
               SECTOR_SIZE);
}
