/*
 * Loads for measuring: many small files through ext4 alone, and what the machine itself could do.
 *
 * Everything happens in /bench on the image. Counters of the disk tell requests, bytes and flushes;
 * times are wall time. Nothing else may have changes in the running transaction.
 */
#pragma once

#include "kernel/fs/ext4/ext4.h"

/* 4,102 bytes: what a snapshot file of a page takes. */
enum { BENCH_FILE_HEAD = 6, BENCH_FILE_BODY = 4096, BENCH_FILES_MAX = 1000000 };

struct bench_target {
    struct ext4 *fs;
    struct disk *disk;
};

struct bench_cost {
    u64 microseconds;
    struct disk_statistics disk;
};

/*
 * `count` files in one directory, in as few transactions as the journal allows. ERR_EXISTS: they are
 * there already.
 */
enum status bench_create_files(const struct bench_target *target, u32 count,
                               struct bench_cost *cost);
/* All in the order of their names, each byte compared. ERR_CORRUPT, ERR_NOT_FOUND. */
enum status bench_read_files(const struct bench_target *target, u32 count,
                             struct bench_cost *cost);
enum status bench_delete_files(const struct bench_target *target, u32 count,
                               struct bench_cost *cost);

/*
 * The limits of this machine for `bytes` (rounded up to MiB): written to a contiguous place of the
 * disk in requests of 1 MiB with two flushes as a commit has them; passed once through CRC-32; copied
 * once. ERR_NO_SPACE: no contiguous place.
 */
struct bench_limits {
    struct bench_cost raw_write;
    u64 crc_microseconds;
    u64 copy_microseconds;
};
enum status bench_measure_limits(const struct bench_target *target, u64 bytes,
                                 struct bench_limits *limits);
