#include "kernel/arch/interrupts.h"
#include "kernel/bench/bench_internal.h"

static const char name[] = "bench";

enum status bench_directory(const struct bench_target *target, bool make, u32 *directory)
{
    enum status status = ext4_lookup(target->fs, EXT4_ROOT_INODE, name, directory);
    if (status == ERR_NOT_FOUND && make)
        status = ext4_make_directory(target->fs, EXT4_ROOT_INODE, name, directory);
    return status;
}

struct bench_meter bench_begin(const struct bench_target *target)
{
    return (struct bench_meter){ timer_microseconds(), target->disk->statistics };
}

struct bench_cost bench_end(const struct bench_target *target,
                            const struct bench_meter *meter)
{
    const struct disk_statistics *after = &target->disk->statistics;
    const struct disk_statistics *before = &meter->before;

    return (struct bench_cost){
        .microseconds = timer_microseconds() - meter->start,
        .disk = { .reads = after->reads - before->reads,
                  .writes = after->writes - before->writes,
                  .flushes = after->flushes - before->flushes,
                  .bytes_read = after->bytes_read - before->bytes_read,
                  .bytes_written = after->bytes_written - before->bytes_written },
    };
}
