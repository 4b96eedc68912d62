/*
 * A set of 64-bit numbers that the processes of a campaign share, to count what is distinct among
 * all of them.
 *
 * Numbers are hashes of whole images: of 2^18 distinct ones two are taken for the same with a chance of
 * one in 2^29, and then one too few is counted.
 */
#pragma once

#include "kernel/base/types.h"

/* Before the processes part. Room for so many numbers; without memory the program ends. */
void distinct_open(u64 count);
/* Was it new? */
bool distinct_add(u64 number);
