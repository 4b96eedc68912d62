/*
 * How the kernel numbers objects: space (24 bits) | number of the page in it (40 bits). Snapper itself
 * takes any number; this is for the words in which verbs speak of them.
 */
#pragma once

#include "kernel/base/types.h"

enum { OBJECT_PAGE_BITS = 40 };

#define OBJECT_PAGE_LAST ((1ULL << OBJECT_PAGE_BITS) - 1)

static inline u64 object_id(u64 space, u64 page)
{
    return space << OBJECT_PAGE_BITS | page;
}

static inline u64 object_space(u64 id)
{
    return id >> OBJECT_PAGE_BITS;
}

static inline u64 object_page(u64 id)
{
    return id & OBJECT_PAGE_LAST;
}
