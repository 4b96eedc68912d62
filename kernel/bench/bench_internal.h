/*
 * What the loads share: the directory they work in, and counting.
 */
#pragma once

#include "kernel/bench/bench.h"

/* /bench; `make`: created if it is not there. */
enum status bench_directory(const struct bench_target *target, bool make, u32 *directory);

struct bench_meter {
    u64 start;
    struct disk_statistics before;
};
struct bench_meter bench_begin(const struct bench_target *target);
struct bench_cost bench_end(const struct bench_target *target,
                            const struct bench_meter *meter);
