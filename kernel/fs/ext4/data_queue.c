#include "kernel/fs/ext4/data_queue.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"

enum {
    SLOTS = 4,
    REQUEST_BYTES = 1024 * KIB,
    STAGING_BYTES =
        520 * KIB, /* beside a page of each file: what 128 files of 4 KiB need */
    MAX_SEGMENTS = 512,
};

/* Bytes of the staging memory, from `start` up to `end`. */
struct range {
    size_t start, end;
};

/*
 * One request: being filled, or in flight. Most of what is staged is padding, so the staging memory
 * stays zero but for what was copied into it, which is wiped once the request is done.
 */
struct slot {
    struct disk_request request;
    struct disk_segment segments[MAX_SEGMENTS];
    u64 start;    /* position of its first byte */
    size_t bytes; /* 0: empty */
    size_t pieces;
    bool in_flight;
    u8 *staging; /* copied bytes, STAGING_BYTES */
    size_t staged;
    struct range copied[MAX_SEGMENTS];
    size_t copied_count;
};

struct ext4_data_queue {
    struct disk *disk;
    size_t request_bytes;
    size_t filling; /* the slot that pieces are added to */
    u64 reach;      /* where everything ends that was queued so far */
    enum status error;
    struct slot slots[SLOTS];
};

enum status ext4_data_queue_open(struct disk *disk, struct ext4_data_queue **result)
{
    struct ext4_data_queue *queue = port_alloc(sizeof *queue);
    if (!queue)
        return ERR_NO_MEMORY;
    queue->disk = disk;
    queue->request_bytes = min_size(disk->max_bytes, REQUEST_BYTES);
    for (size_t i = 0; i < SLOTS; i++) {
        queue->slots[i].staging = port_alloc(STAGING_BYTES);
        if (!queue->slots[i].staging) {
            ext4_data_queue_close(queue);
            return ERR_NO_MEMORY;
        }
    }
    *result = queue;
    return OK;
}

static void remember(struct ext4_data_queue *queue, enum status status)
{
    if (queue->error == OK)
        queue->error = status;
}

static void wipe_staging(struct slot *slot)
{
    for (size_t i = 0; i < slot->copied_count; i++)
        memset(slot->staging + slot->copied[i].start, 0,
               slot->copied[i].end - slot->copied[i].start);
    slot->copied_count = 0;
    slot->staged = 0;
}

static void await(struct ext4_data_queue *queue, struct slot *slot)
{
    if (slot->in_flight)
        remember(queue, disk_wait(queue->disk, &slot->request));
    wipe_staging(slot);
    slot->in_flight = false;
    slot->bytes = slot->pieces = 0;
    slot->request.segment_count = 0;
}

/* Starts the request being filled and turns to the next slot. */
static void start(struct ext4_data_queue *queue)
{
    struct slot *slot = &queue->slots[queue->filling];
    if (slot->bytes == 0)
        return;
    slot->request.operation = DISK_WRITE;
    slot->request.sector = slot->start / SECTOR_SIZE;
    slot->request.segments = slot->segments;
    enum status status = disk_submit(queue->disk, &slot->request);
    slot->in_flight = status == OK;
    remember(queue, status);
    if (status != OK)
        await(queue, slot);
    queue->filling = (queue->filling + 1) % SLOTS;
    await(queue, &queue->slots[queue->filling]);
}

static void await_all(struct ext4_data_queue *queue)
{
    for (size_t i = 0; i < SLOTS; i++)
        await(queue, &queue->slots[i]);
}

enum status ext4_data_queue_drain(struct ext4_data_queue *queue)
{
    start(queue);
    await_all(queue);
    return queue->error;
}

bool ext4_data_queue_is_idle(const struct ext4_data_queue *queue)
{
    for (size_t i = 0; i < SLOTS; i++)
        if (queue->slots[i].bytes > 0)
            return false;
    return true;
}

void ext4_data_queue_reset(struct ext4_data_queue *queue)
{
    await_all(queue);
    queue->error = OK;
}

void ext4_data_queue_close(struct ext4_data_queue *queue)
{
    if (!queue)
        return;
    await_all(queue);
    for (size_t i = 0; i < SLOTS; i++)
        port_free(queue->slots[i].staging);
    port_free(queue);
}

static bool overlaps(const struct slot *slot, u64 position, size_t size)
{
    return slot->bytes > 0 && position < slot->start + slot->bytes &&
           slot->start < position + size;
}

/*
 * Q3. A piece that goes over the request being filled begins at a sector boundary, like any that
 * does not continue it, so that request can be started.
 */
static void await_overlapping(struct ext4_data_queue *queue, u64 position, size_t size)
{
    if (position >= queue->reach)
        return;
    if (overlaps(&queue->slots[queue->filling], position, size))
        start(queue);
    for (size_t i = 0; i < SLOTS; i++)
        if (i != queue->filling && overlaps(&queue->slots[i], position, size))
            await(queue, &queue->slots[i]);
}

/*
 * Has the request no room for all that may come up to the next place where it may be cut? The few
 * segments that lead there begin and end within pages.
 */
static bool is_crowded(const struct ext4_data_queue *queue, const struct slot *slot,
                       size_t staging)
{
    enum { SPARE_SEGMENTS = 3, SPARE_PIECES = 2 * SPARE_SEGMENTS };
    size_t pages = (queue->request_bytes - slot->bytes) / PAGE_SIZE;
    return slot->pieces + pages + SPARE_PIECES > queue->disk->max_pieces ||
           slot->request.segment_count + SPARE_SEGMENTS > MAX_SEGMENTS ||
           slot->staged + staging + 2 * PAGE_SIZE > STAGING_BYTES;
}

/* The slot that takes the next piece at `position`. A request is only cut at a sector boundary. */
static struct slot *slot_for(struct ext4_data_queue *queue, u64 position, size_t size,
                             size_t staging)
{
    bool at_boundary = position % SECTOR_SIZE == 0;
    await_overlapping(queue, position, size);
    struct slot *slot = &queue->slots[queue->filling];
    bool continues = slot->bytes > 0 && position == slot->start + slot->bytes;
    bool crowded = slot->bytes >= queue->request_bytes ||
                   (at_boundary && is_crowded(queue, slot, staging));
    if (slot->bytes > 0 && (!continues || crowded)) {
        start(queue);
        slot = &queue->slots[queue->filling];
    }
    if (slot->bytes == 0)
        slot->start = position;
    queue->reach = max_u64(queue->reach, position + size);
    return slot;
}

/* Adds a segment, or lengthens the last one if the memory goes on there. */
static void add_segment(struct slot *slot, const u8 *data, size_t size)
{
    struct disk_segment *last = slot->request.segment_count > 0
                                    ? &slot->segments[slot->request.segment_count - 1]
                                    : NULL;
    if (last && (const u8 *)last->data + last->size_bytes == data) {
        slot->pieces -= disk_pieces(last->data, last->size_bytes);
        last->size_bytes += size;
    } else {
        last = &slot->segments[slot->request.segment_count++];
        *last = (struct disk_segment){ (void *)(uintptr_t)data, size };
    }
    slot->pieces += disk_pieces(last->data, last->size_bytes);
    slot->bytes += size;
}

/* Stages the next `size` bytes: these, or zeros (NULL). */
static const u8 *stage(struct slot *slot, const u8 *from, size_t size)
{
    u8 *to = slot->staging + slot->staged;
    struct range range = { slot->staged, slot->staged + size };
    struct range *last = &slot->copied[slot->copied_count];

    slot->staged = range.end;
    if (!from)
        return to;
    memcpy(to, from, size);
    /* Where ranges touch, or no more can be told apart, the last one takes it all. */
    if (slot->copied_count > 0 &&
        (last[-1].end == range.start || slot->copied_count == MAX_SEGMENTS))
        last[-1].end = range.end;
    else
        slot->copied[slot->copied_count++] = range;
    return to;
}

enum status ext4_data_queue_copy(struct ext4_data_queue *queue, u64 position,
                                 const void *data, size_t size)
{
    const u8 *from = data;
    while (size > 0) {
        size_t piece = min_size(size, PAGE_SIZE - position % SECTOR_SIZE);
        struct slot *slot = slot_for(queue, position, piece, piece);
        piece = min_size(piece, queue->request_bytes - slot->bytes);
        add_segment(slot, stage(slot, from, piece), piece);
        position += piece;
        from = from ? from + piece : NULL;
        size -= piece;
    }
    return queue->error;
}

enum status ext4_data_queue_borrow(struct ext4_data_queue *queue, u64 position,
                                   const void *data, size_t size)
{
    const u8 *from = data;
    if (size < SECTOR_SIZE)
        return ext4_data_queue_copy(queue, position, data, size);
    while (size > 0) {
        struct slot *slot = slot_for(queue, position, size, 0);
        size_t piece = min_size(size, queue->request_bytes - slot->bytes);
        add_segment(slot, from, piece);
        position += piece;
        from += piece;
        size -= piece;
    }
    return queue->error;
}
