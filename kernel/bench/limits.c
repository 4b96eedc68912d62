/*
 * What the machine could do at best. The raw writes put back what they have read just before, so they
 * harm nothing, wherever they go and whenever the power fails.
 */
#include "kernel/arch/interrupts.h"
#include "kernel/base/checked.h"
#include "kernel/base/crc.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/bench/bench_internal.h"

enum { PIECE = MIB, ROUNDS = 3 };

/* One MiB of a transfer, or less when requests must be smaller. */
static enum status write_in_flight(struct disk *disk, u64 sector, u8 *data, u64 pieces,
                                   size_t piece)
{
    struct disk_request *requests = port_alloc(pieces * sizeof *requests);
    struct disk_segment *segments = port_alloc(pieces * sizeof *segments);
    enum status status = requests && segments ? OK : ERR_NO_MEMORY;
    u64 started = 0;

    for (; status == OK && started < pieces; started += status == OK) {
        segments[started] = (struct disk_segment){ data + started * piece, piece };
        requests[started] = (struct disk_request){
            .operation = DISK_WRITE,
            .sector = sector + started * piece / SECTOR_SIZE,
            .segments = &segments[started],
            .segment_count = 1,
        };
        status = disk_submit(disk, &requests[started]);
    }
    for (u64 i = 0; i < started; i++) {
        enum status done = disk_wait(disk, &requests[i]);
        status = status ? status : done;
    }
    port_free(segments);
    port_free(requests);
    return status;
}

/* All but the last MiB before the first flush, as a commit leaves its commit block for the second. */
static enum status write_back(const struct bench_target *target, u64 sector, u8 *data,
                              u64 size, struct bench_cost *cost)
{
    struct disk *disk = target->disk;
    size_t piece = min_size(PIECE, disk->max_bytes);
    struct bench_meter meter = bench_begin(target);

    enum status status = write_in_flight(disk, sector, data, size / piece - 1, piece);
    if (status == OK)
        status = disk_flush(disk);
    if (status == OK)
        status = disk_write(disk, sector + (size - piece) / SECTOR_SIZE,
                            data + size - piece, piece);
    if (status == OK)
        status = disk_flush(disk);
    *cost = bench_end(target, &meter);
    return status;
}

static u64 time_crc(const u8 *data, u64 size)
{
    u64 start = timer_microseconds();
    volatile u32 result = crc32(data, size);

    (void)result;
    return timer_microseconds() - start;
}

static u64 time_copy(u8 *to, const u8 *from, u64 size)
{
    u64 start = timer_microseconds();

    for (u64 at = 0; at < size; at += PAGE_SIZE)
        memcpy(to, from + at, PAGE_SIZE);
    return timer_microseconds() - start;
}

/* The best of some rounds: a limit is what can be done. */
static enum status measure(const struct bench_target *target, u64 sector, u8 *data,
                           u64 size, struct bench_limits *limits)
{
    static u8 page[PAGE_SIZE];

    for (int i = 0; i < ROUNDS; i++) {
        struct bench_cost cost;
        enum status status = write_back(target, sector, data, size, &cost);
        if (status)
            return status;
        u64 crc = time_crc(data, size), copy = time_copy(page, data, size);
        if (i == 0 || cost.microseconds < limits->raw_write.microseconds)
            limits->raw_write = cost;
        if (i == 0 || crc < limits->crc_microseconds)
            limits->crc_microseconds = crc;
        if (i == 0 || copy < limits->copy_microseconds)
            limits->copy_microseconds = copy;
    }
    return OK;
}

enum status bench_measure_limits(const struct bench_target *target, u64 bytes,
                                 struct bench_limits *limits)
{
    u64 disk_bytes = target->disk->sector_count * SECTOR_SIZE;
    if (bytes == 0 || bytes > disk_bytes / 4)
        return ERR_INVALID_ARGUMENT;

    u64 size = max_u64(align_up(bytes, PIECE), 2 * PIECE);
    u64 sector = align_down(disk_bytes / 2, PIECE) / SECTOR_SIZE;
    u8 *data = port_alloc(size);
    if (!data)
        return ERR_NO_MEMORY;
    /* Nothing of the file system may be on its way while its blocks are written back. */
    enum status status = ext4_commit(target->fs);
    if (status == OK)
        status = ext4_flush(target->fs);
    if (status == OK)
        status = disk_read(target->disk, sector, data, size);
    if (status == OK)
        status = measure(target, sector, data, size, limits);
    port_free(data);
    return status;
}
