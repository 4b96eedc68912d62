/*
 * The virtio block driver, and PCI under it, against a device that lies: in its configuration space, its
 * registers, its capacity and limits, in what it answers and how often.
 */
#include "drivers/virtio_blk.h"
#include "tests/fuzz/fuzz.h"
#include "tests/machine/machine.h"

enum { STEPS = 8, BURST = 20, BUFFER = 16 * 1024 };

static u8
    written[MACHINE_SECTORS * SECTOR_SIZE]; /* as the disk should be, if nobody lies */
static u8 buffers[BURST][BUFFER];

static enum status write_some(struct disk *disk, struct damage_source *source)
{
    u64 sector = damage_draw(source, MACHINE_SECTORS);
    size_t size = SECTOR_SIZE * (1 + damage_draw(source, MACHINE_SECTORS - sector));

    if (size > BUFFER)
        size = BUFFER;
    memset(buffers[0], (int)damage_draw(source, 256), size);
    memcpy(written + sector * SECTOR_SIZE, buffers[0], size);
    return disk_write(disk, sector, buffers[0], size);
}

static enum status read_some(struct disk *disk, struct damage_source *source)
{
    u64 sector = damage_draw(source, MACHINE_SECTORS);
    size_t size = SECTOR_SIZE * (1 + damage_draw(source, MACHINE_SECTORS - sector));

    if (size > BUFFER)
        size = BUFFER;
    enum status status = disk_read(disk, sector, buffers[0], size);
    require(
        machine_has_lied() ||
        (status == OK && memcmp(buffers[0], written + sector * SECTOR_SIZE, size) == 0));
    return status;
}

/* More than there are slots, of many segments each, before the first is waited for. */
static enum status read_at_once(struct disk *disk, struct damage_source *source)
{
    struct disk_request requests[BURST];
    struct disk_segment segments[BURST][4];
    enum status submitted[BURST], result = OK;
    size_t count = 1 + damage_draw(source, BURST), pieces = 1 + damage_draw(source, 4);

    if (pieces > disk->max_pieces)
        pieces = disk->max_pieces;
    for (size_t i = 0; i < count; i++) {
        for (size_t piece = 0; piece < pieces; piece++)
            segments[i][piece] = (struct disk_segment){ buffers[i] + 4000 * piece, 1024 };
        requests[i] = (struct disk_request){ .operation = DISK_READ,
                                             .sector = i,
                                             .segments = segments[i],
                                             .segment_count = pieces };
        submitted[i] = disk_submit(disk, &requests[i]);
    }
    for (size_t i = 0; i < count; i++) {
        enum status status =
            submitted[i] == OK ? disk_wait(disk, &requests[i]) : submitted[i];
        result = status != OK ? status : result;
    }
    return result;
}

static void use(struct disk *disk, struct damage_source *source)
{
    require(disk->max_bytes >= SECTOR_SIZE &&
            disk->max_pieces >= disk->max_bytes / PAGE_SIZE + 6);
    require(disk->max_bytes % SECTOR_SIZE == 0);
    memset(written, 0, sizeof written);
    for (int i = 0; i < STEPS; i++) {
        enum status status = OK;
        switch (damage_draw(source, 4)) {
        case 0:
            status = write_some(disk, source);
            break;
        case 1:
            status = read_some(disk, source);
            break;
        case 2:
            status = read_at_once(disk, source);
            break;
        default:
            status = disk_flush(disk);
            break;
        }
        require(disk->in_flight == 0);
        require(status == OK || machine_has_lied());
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct damage_source source = damage_source_bytes(data, size);
    struct disk *disk;

    machine_start_drawn(&source);
    enum status status = virtio_blk_open(&disk);
    require(status == OK || machine_has_lied());
    if (status == OK)
        use(disk, &source);
    machine_stop();
    return 0;
}
