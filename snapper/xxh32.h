/*
 * XXH32 with seed 0: the checksum of the original program's files. Not used by this Snapper.
 */
#pragma once

#include "kernel/base/types.h"

u32 xxh32(const void *data, size_t size);
