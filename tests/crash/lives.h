/*
 * Long lives: snapshot, purge, crash, and again, on one image, many times over.
 *
 *   build/crash --lives N [--crashes N] [--seed FIRST] [--jobs N]
 *
 * Each crash leaves one state, which is judged as the explorer judges its own: old generations to the
 * byte, every file and count, the whole file system. At the end all generations go but an empty one,
 * and as many inodes and blocks are free as when the life began with an empty one.
 *
 * A failure prints one line with the arguments that replay it.
 */
#pragma once

#include "tests/crash/lab.h"

struct lives {
    u64 count;   /* 0: no lives are wanted */
    u64 crashes; /* in each */
    u64 lived, generations, lost, leaked;
};

extern struct lives lives;

/* The life of this seed. */
void lives_try(u64 seed);
