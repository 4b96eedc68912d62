/*
 * Where boot/kernel.ld put the parts of the kernel image. All borders are page aligned.
 */
#pragma once

#include "kernel/base/types.h"
#include "kernel/mm/layout.h"

extern u8 image_text_start[], image_rodata_start[], image_data_start[], image_end[];

/* The physical address of something in the image. */
static inline u64 image_physical(const void *address)
{
    return (u64)address - KERNEL_BASE;
}

static inline bool image_is_text(u64 address)
{
    return address >= (u64)image_text_start && address < (u64)image_rodata_start;
}
