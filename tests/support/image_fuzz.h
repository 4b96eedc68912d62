/*
 * What the fuzzers of images share. The input: a byte that chooses a victim, one that seeds its use,
 * then the decisions of damage.h until it ends.
 */
#pragma once

#include "kernel/base/types.h"
#include "tests/support/image_places.h"

#define PLACE_BIT(kind) (1ULL << (kind))

/* Victims and kinds as bit masks. What is wrong ends the program with a line. Returns 0. */
int image_fuzz(const u8 *data, size_t size, u64 victims, u64 kinds);
