#include "drivers/virtio_blk.h"

#include "drivers/rtc.h"
#include "drivers/virtio.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/mmio.h"
#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/mm/heap.h"

enum { VIRTIO_VENDOR = 0x1af4, BLOCK_MODERN = 0x1042, BLOCK_TRANSITIONAL = 0x1001 };

#define FEATURE_SIZE_MAX (1ULL << 1)
#define FEATURE_SEG_MAX (1ULL << 2)
#define FEATURE_READ_ONLY (1ULL << 5)
#define FEATURE_BLOCK_SIZE (1ULL << 6)
#define FEATURE_FLUSH (1ULL << 9)

/* The device's configuration structure. */
enum {
    CAPACITY_AT = 0,
    SIZE_MAX_AT = 8,
    SEG_MAX_AT = 12,
    BLOCK_SIZE_AT = 20,
    CONFIG_SIZE = 24
};

enum { TYPE_READ = 0, TYPE_WRITE = 1, TYPE_FLUSH = 4 };
enum {
    STATUS_OK = 0,
    STATUS_IO_ERROR = 1,
    STATUS_UNSUPPORTED = 2,
    STATUS_PENDING = 0xff
};

enum {
    SLOTS = 16,
    HEADER_SIZE = 16, /* type, reserved, sector; the status byte follows */
    SLOT_HEADER_STRIDE = 32,
    SILENCE_LIMIT_MICROSECONDS = 60 * 1000000, /* by one clock, then by the other */
    BATTERY_PAUSE_MICROSECONDS = 1000 * 1000,  /* between two looks at the other */
};

/* One request on its way: header and status byte, an indirect table, and whose it is. */
struct slot {
    struct disk_request *request; /* NULL: free */
    u8 *header;
    u8 *table;
    physical_address header_at;
    physical_address table_at;
};

struct virtio_blk {
    struct disk disk;
    struct virtio_device device;
    struct virtio_queue queue;
    struct slot slots[SLOTS];
    u32 slot_count;
    u32 piece_max;  /* descriptors for data in a table */
    u64 piece_size; /* bytes that one of them may cover */
    bool has_flush;
    bool dead;
};

static struct virtio_blk *blk_of(struct disk *disk)
{
    return CONTAINER_OF(disk, struct virtio_blk, disk);
}

/* The interrupt only ends a wait; the ring is looked at by whoever waits. */
static void on_interrupt(void *context)
{
    (void)context;
}

/* --- from requests to descriptors --- */

struct table_writer {
    struct slot *slot;
    u32 count;
    physical_address address; /* the piece being gathered */
    u64 size;
    bool device_writes;
};

static void flush_piece(struct table_writer *writer)
{
    if (writer->size > 0)
        virtio_put_descriptor(writer->slot->table, writer->count++, writer->address,
                              (u32)writer->size, writer->device_writes, false);
    writer->size = 0;
}

/* Adds one segment, page by page; neighbours in physical memory become one descriptor. */
static bool put_segment(const struct virtio_blk *blk, struct table_writer *writer,
                        const struct disk_segment *segment)
{
    const u8 *data = segment->data;
    size_t rest = segment->size_bytes;

    while (rest > 0) {
        size_t in_page = PAGE_SIZE - ((uintptr_t)data & (PAGE_SIZE - 1));
        size_t piece = min_size(rest, in_page);
        physical_address address = virtual_to_physical(data);

        if (writer->size == 0 || address != writer->address + writer->size ||
            writer->size + piece > blk->piece_size) {
            flush_piece(writer);
            if (writer->count > blk->piece_max)
                return false;
            writer->address = address;
        }
        writer->size += piece;
        data += piece;
        rest -= piece;
    }
    return true;
}

/* Header, data, status byte. False: more pieces than the device takes. */
static bool build_table(const struct virtio_blk *blk, struct slot *slot,
                        const struct disk_request *request, u32 *count)
{
    static const u32 types[] = {
        [DISK_READ] = TYPE_READ,
        [DISK_WRITE] = TYPE_WRITE,
        [DISK_FLUSH] = TYPE_FLUSH,
    };
    bool flush = request->operation == DISK_FLUSH;

    put_le32(slot->header, types[request->operation]);
    put_le32(slot->header + 4, 0);
    put_le64(slot->header + 8, flush ? 0 : request->sector);
    slot->header[HEADER_SIZE] = STATUS_PENDING;

    struct table_writer writer = { .slot = slot, .count = 1 };
    virtio_put_descriptor(slot->table, 0, slot->header_at, HEADER_SIZE, false, false);
    writer.device_writes = request->operation == DISK_READ;
    for (size_t at = 0; !flush && at < request->segment_count; at++)
        if (!put_segment(blk, &writer, &request->segments[at]))
            return false;
    flush_piece(&writer);
    if (writer.count > blk->piece_max + 1)
        return false;
    virtio_put_descriptor(slot->table, writer.count++, slot->header_at + HEADER_SIZE, 1,
                          true, true);
    *count = writer.count;
    return true;
}

/* --- completion --- */

static void finish(struct virtio_blk *blk, struct slot *slot, enum status status)
{
    static const char *const names[] = { "read", "write", "flush" };
    struct disk_request *request = slot->request;

    if (status != OK && !blk->dead)
        log_error("%s: %s at sector %lu failed", blk->disk.name,
                  names[request->operation], request->sector);
    slot->request = NULL;
    disk_complete(&blk->disk, request, status);
}

/* The device broke its promises: nothing it has in hand will be finished by it. */
static void give_up(struct virtio_blk *blk, const char *why)
{
    log_error("%s: %s; the disk is out of use", blk->disk.name, why);
    blk->dead = true;
    virtio_reset(&blk->device);
    for (u32 i = 0; i < blk->slot_count; i++)
        if (blk->slots[i].request != NULL)
            finish(blk, &blk->slots[i], ERR_IO);
}

/* Takes what is done from the ring; true if there was anything. */
static bool collect(struct virtio_blk *blk)
{
    bool any = false;
    u32 at;

    while (!blk->dead && virtio_queue_next_done(&blk->queue, &at)) {
        any = true;
        if (at >= blk->slot_count || blk->slots[at].request == NULL) {
            give_up(blk, "the device finished a request that it never got");
            break;
        }
        struct slot *slot = &blk->slots[at];
        u8 result = mmio_read8(slot->header + HEADER_SIZE);
        finish(blk, slot, result == STATUS_OK ? OK : ERR_IO);
    }
    return any;
}

/* The timer may run ahead (emulators skip idle time), so then the battery clock begins to count. */
static bool has_lasted_too_long(u64 *ask_at, u64 *battery_start)
{
    u64 battery, now = timer_microseconds();

    if (now < *ask_at)
        return false;
    *ask_at = now + BATTERY_PAUSE_MICROSECONDS;
    if (rtc_read(&battery) != OK)
        return true;
    if (*battery_start == 0 || battery < *battery_start)
        *battery_start = battery;
    return battery - *battery_start > SILENCE_LIMIT_MICROSECONDS;
}

/* Sleeps until an interrupt if they are on; the timer's ends it in any case. */
static void wait_any(struct disk *disk)
{
    struct virtio_blk *blk = blk_of(disk);
    u64 ask_at = timer_microseconds() + SILENCE_LIMIT_MICROSECONDS, battery_start = 0;

    while (disk->in_flight > 0) {
        bool enabled = interrupts_save();
        bool any = collect(blk);
        if (!any && enabled)
            interrupts_wait();
        interrupts_restore(enabled);
        if (any || blk->dead)
            return;
        if (virtio_is_broken(&blk->device))
            give_up(blk, "the device asks for a reset");
        else if (has_lasted_too_long(&ask_at, &battery_start))
            give_up(blk, "no answer for two minutes");
    }
}

static struct slot *free_slot(struct virtio_blk *blk, u16 *index)
{
    for (u16 i = 0; i < blk->slot_count; i++)
        if (blk->slots[i].request == NULL) {
            *index = i;
            return &blk->slots[i];
        }
    return NULL;
}

static enum status submit(struct disk *disk, struct disk_request *request)
{
    struct virtio_blk *blk = blk_of(disk);
    struct slot *slot;
    u16 index;
    u32 count;

    if (request->operation == DISK_FLUSH && !blk->has_flush) {
        disk_complete(disk, request, OK); /* the device writes through */
        return OK;
    }
    collect(blk);
    while (!blk->dead && (slot = free_slot(blk, &index)) == NULL)
        wait_any(disk);
    if (blk->dead)
        return ERR_IO;
    if (!build_table(blk, slot, request, &count)) {
        log_error("%s: a request of %zu segments is scattered over too many pages",
                  disk->name, request->segment_count);
        return ERR_INVALID_ARGUMENT;
    }
    slot->request = request;
    virtio_queue_submit(&blk->queue, index, slot->table_at, count);
    return OK;
}

/* --- setting up --- */

static bool find_function(struct pci_function *function)
{
    u32 cursor = 0;

    while (pci_next(&cursor, function))
        if (function->vendor_id == VIRTIO_VENDOR &&
            (function->device_id == BLOCK_MODERN ||
             function->device_id == BLOCK_TRANSITIONAL))
            return true;
    return false;
}

static enum status make_slots(struct virtio_blk *blk)
{
    size_t table_size = (blk->piece_max + 2) * (size_t)VIRTIO_DESCRIPTOR_SIZE;
    physical_address headers;

    enum status status = frame_alloc(&headers);
    for (u32 i = 0; i < SLOTS && i < blk->queue.size && status == OK; i++) {
        struct slot *slot = &blk->slots[i];

        status = frame_alloc_contiguous((table_size + PAGE_SIZE - 1) / PAGE_SIZE,
                                        &slot->table_at);
        if (status != OK)
            break;
        slot->table = physical_to_virtual(slot->table_at);
        slot->header_at = headers + i * SLOT_HEADER_STRIDE;
        slot->header = physical_to_virtual(slot->header_at);
        blk->slot_count++;
    }
    return blk->slot_count > 0 ? OK : status;
}

static u32 read_config(const struct virtio_blk *blk, u32 offset)
{
    return mmio_read32(blk->device.config + offset);
}

/* Blocks larger than a sector could not be written by parts, which is what smaller ones need. */
static enum status check_block_size(const struct virtio_blk *blk)
{
    if (!(blk->device.features & FEATURE_BLOCK_SIZE) ||
        read_config(blk, BLOCK_SIZE_AT) == SECTOR_SIZE)
        return OK;
    log_error("virtio-blk: blocks of %u bytes; only %u are supported",
              read_config(blk, BLOCK_SIZE_AT), SECTOR_SIZE);
    return ERR_UNSUPPORTED;
}

/* What a request may be: each page of memory takes a descriptor, with some left for D5. */
static enum status read_limits(struct virtio_blk *blk)
{
    u64 features = blk->device.features;
    u32 seg_max = 1, size_max = UINT32_MAX;

    if (blk->device.config_size < CONFIG_SIZE)
        return ERR_CORRUPT;
    enum status status = check_block_size(blk);
    if (status != OK)
        return status;
    if (features & FEATURE_SEG_MAX)
        seg_max = read_config(blk, SEG_MAX_AT);
    if (features & FEATURE_SIZE_MAX)
        size_max = read_config(blk, SIZE_MAX_AT);

    u64 room = blk->queue.size > 2 ? blk->queue.size - 2u : 0; /* header, status byte */
    blk->piece_max = (u32)min_u64(seg_max, room);
    if (blk->piece_max < 8 || size_max < PAGE_SIZE) {
        log_error("virtio-blk: %u segments of %u bytes a request are too few",
                  blk->piece_max, size_max);
        return ERR_UNSUPPORTED;
    }
    blk->piece_size = align_down(size_max, SECTOR_SIZE);
    blk->has_flush = features & FEATURE_FLUSH;
    blk->disk.max_pieces = blk->piece_max;
    blk->disk.max_bytes =
        min_size(blk->piece_max / 2, blk->piece_max - 6) * (size_t)PAGE_SIZE;
    blk->disk.sector_count =
        read_config(blk, CAPACITY_AT) | (u64)read_config(blk, CAPACITY_AT + 4) << 32;
    blk->disk.read_only = features & FEATURE_READ_ONLY;
    return OK;
}

static enum status set_up(struct virtio_blk *blk, const struct pci_function *function)
{
    u8 vector;

    enum status status =
        virtio_open(function, VIRTIO_FEATURE_INDIRECT,
                    FEATURE_SEG_MAX | FEATURE_SIZE_MAX | FEATURE_READ_ONLY |
                        FEATURE_BLOCK_SIZE | FEATURE_FLUSH,
                    &blk->device);
    if (status == OK)
        status = interrupt_allocate(on_interrupt, blk, &vector);
    if (status == OK)
        status = pci_enable_msix(function, vector);
    if (status == OK)
        status = virtio_queue_open(&blk->device, 0, &blk->queue);
    if (status == OK)
        status = read_limits(blk);
    if (status == OK)
        status = make_slots(blk);
    if (status == OK)
        status = virtio_start(&blk->device);
    return status;
}

enum status virtio_blk_open(struct disk **disk)
{
    static const struct disk_operations operations = { submit, wait_any };
    struct pci_function function;

    if (!find_function(&function))
        return ERR_NO_DEVICE;
    struct virtio_blk *blk = heap_alloc(sizeof *blk);
    if (blk == NULL)
        return ERR_NO_MEMORY;
    blk->disk.operations = &operations;
    blk->disk.name = "virtio0";
    enum status status = set_up(blk, &function);
    if (status != OK) {
        log_error("virtio-blk at %02x:%02x.%u cannot be used: %s", function.bus,
                  function.device, function.function, status_text(status));
        heap_free(blk);
        return status;
    }
    if (!blk->has_flush)
        log_info("virtio0: no flush command, the device writes through");
    *disk = &blk->disk;
    return OK;
}
