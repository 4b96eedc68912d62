/*
 * A piece of the physical address space, as the firmware describes it.
 */
#pragma once

#include "kernel/base/types.h"

struct memory_range {
    u64 base; /* bytes; nothing is aligned */
    u64 size; /* base + size never wraps */
    bool usable;
};
