/*
 * What the real driver wrote, recorded by QEMU's blklogwrites, cut and judged like what the explorer
 * records itself.
 *
 *   build/crash --recorded PREFIX [--states N] [--seed N] [--stop]
 *
 *   PREFIX.img    the disk before the recording
 *   PREFIX.log    the log: see recorded.c
 *   PREFIX.marks  a line for each generation: records when it was begun, and when it was acknowledged
 *
 * Each state: replay, as many generations as were acknowledged at least and begun at most, every file
 * with its checksum, and the whole file system.
 */
#pragma once

#include "kernel/base/types.h"

/* Counts in `exploration`. A log that cannot be read ends the program. */
void recorded_explore(const char *prefix);
