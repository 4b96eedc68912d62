#include "kernel/block/gather.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"

enum status gather_open(struct gather *gather, struct disk *disk, size_t block_size)
{
    *gather = (struct gather){
        .disk = disk,
        .block_size = block_size,
        .max_pieces = min_size(disk->max_pieces, GATHER_SEGMENTS),
        .max_bytes = disk->max_bytes,
        .slots = port_alloc(GATHER_REQUESTS * sizeof(struct gather_slot)),
    };
    return gather->slots ? OK : ERR_NO_MEMORY;
}

void gather_close(struct gather *gather)
{
    port_free(gather->slots);
    gather->slots = NULL;
}

static void note_failure(struct gather *gather, enum status status)
{
    if (gather->status == OK)
        gather->status = status;
}

/* Makes a slot free to be filled. */
static void slot_reclaim(struct gather *gather, struct gather_slot *slot)
{
    if (slot->in_flight)
        note_failure(gather, disk_wait(gather->disk, &slot->request));
    slot->in_flight = false;
    slot->size_bytes = slot->pieces = 0;
    slot->request =
        (struct disk_request){ .operation = DISK_WRITE, .segments = slot->segments };
}

/* Sends the slot being filled, if anything is in it, and goes on with the next. */
static void send_current(struct gather *gather)
{
    struct gather_slot *slot = &gather->slots[gather->current];
    if (slot->in_flight || slot->size_bytes == 0)
        return;
    enum status status = disk_submit(gather->disk, &slot->request);
    slot->in_flight = status == OK;
    slot->size_bytes = 0;
    note_failure(gather, status);
    gather->current = (gather->current + 1) % GATHER_REQUESTS;
}

static bool slot_continues(const struct gather *gather, const struct gather_slot *slot,
                           u64 sector, const u8 *data, size_t size_bytes)
{
    return slot->request.sector + slot->size_bytes / SECTOR_SIZE == sector &&
           slot->pieces + disk_pieces(data, size_bytes) <= gather->max_pieces &&
           slot->size_bytes + size_bytes <= gather->max_bytes;
}

static void slot_append(struct gather_slot *slot, const u8 *data, size_t size_bytes)
{
    struct disk_segment *last = slot->request.segment_count > 0
                                    ? &slot->segments[slot->request.segment_count - 1]
                                    : NULL;
    if (last && (const u8 *)last->data + last->size_bytes == data) {
        slot->pieces -= disk_pieces(last->data, last->size_bytes);
        last->size_bytes += size_bytes;
    } else {
        last = &slot->segments[slot->request.segment_count++];
        *last = (struct disk_segment){ (void *)data, size_bytes };
    }
    slot->pieces += disk_pieces(last->data, last->size_bytes);
    slot->size_bytes += size_bytes;
}

void gather_write_sectors(struct gather *gather, u64 sector, const u8 *data,
                          size_t size_bytes)
{
    if (gather->status != OK)
        return;
    struct gather_slot *slot = &gather->slots[gather->current];
    if (!slot->in_flight && slot->size_bytes > 0 &&
        !slot_continues(gather, slot, sector, data, size_bytes)) {
        send_current(gather);
        slot = &gather->slots[gather->current];
    }
    if (slot->in_flight || slot->size_bytes == 0) {
        slot_reclaim(gather, slot);
        slot->request.sector = sector;
    }
    slot_append(slot, data, size_bytes);
}

void gather_write(struct gather *gather, u64 block, const u8 *data)
{
    gather_write_sectors(gather, block * (gather->block_size / SECTOR_SIZE), data,
                         gather->block_size);
}

enum status gather_finish(struct gather *gather)
{
    if (gather->status == OK)
        send_current(gather);
    for (size_t i = 0; i < GATHER_REQUESTS; i++)
        slot_reclaim(gather, &gather->slots[i]);
    enum status status = gather->status;
    gather->status = OK;
    return status;
}
