/*
 * The time that snapctl lives at. Generations are named by it, so a conversion of old ones sets it.
 */
#pragma once

#include "kernel/base/types.h"

/* Microseconds since 1970, for port_now_microseconds(), which then stands still; 0: the real time. */
void clock_set(u64 microseconds);
