/*
 * kernel/mm/frame.h for the hosted machine, whose physical addresses are those of the host.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"
#include "kernel/mm/layout.h"

typedef u64 physical_address;

enum status frame_alloc(physical_address *frame);
enum status frame_alloc_contiguous(size_t count, physical_address *first);

static inline void *physical_to_virtual(physical_address address)
{
    return (void *)address;
}

static inline physical_address virtual_to_physical(const void *address)
{
    return (physical_address)address;
}
