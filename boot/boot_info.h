/*
 * What the boot loader tells: memory ranges and the command line.
 *
 * The multiboot information lies somewhere in memory that the kernel will reuse, and it was made
 * by others: it is decoded once, early, with bounds, into a copy. Whatever is wrong in it
 * costs the piece that is wrong, with a count or flag that kernel_main() logs.
 *
 *   offset  size  field (multiboot 1)
 *        0     4  flags: bit 0 mem_*, bit 2 cmdline, bit 6 mmap_*
 *        8     4  mem_upper    KiB above 1 MiB
 *       16     4  cmdline      physical address of a C string
 *       44     4  mmap_length  bytes
 *       48     4  mmap_addr    entries {u32 size, u64 base, u64 length, u32 type}; `size` does not
 *                              count itself; type 1 is usable
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/mm/memory_range.h"

enum { BOOT_RANGES_MAX = 64, BOOT_COMMAND_LINE_MAX = 1024 };

struct boot_info {
    struct memory_range ranges[BOOT_RANGES_MAX]; /* in the loader's order, may overlap */
    size_t range_count;
    u32 ranges_refused;     /* empty, wrapping around, or more than fit */
    bool map_cut_short;     /* the map's own sizes contradict each other */
    bool command_line_lost; /* too long or out of reach: then it is empty */
    char command_line[BOOT_COMMAND_LINE_MAX];
};

/*
 * Decodes the information at physical address `at`; `memory` shows the physical addresses
 * [0, memory_size). ERR_CORRUPT: out of reach, or it names no memory at all.
 */
enum status boot_info_decode(const u8 *memory, u64 memory_size, u64 at,
                             struct boot_info *info);
