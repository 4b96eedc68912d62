/*
 * e2fsck as a second judge of a state.
 *
 * Its own replay of the state as the cut left it, then `e2fsck -fn` without a word; what it has made of
 * it then holds the same generation by our own judge; and where our replay and its alone can be
 * compared, they leave the same bytes everywhere but in the superblock and the journal.
 *
 * A state with a torn superblock is none that e2fsck can open if the file system has no backup: there
 * our own recovery comes first, and e2fsck looks at its result.
 */
#pragma once

#include "tests/crash/lab.h"
#include "tests/support/layered_disk.h"

struct second_opinion {
    const struct lab *lab;
    const u8 *state; /* as the cut left it */
    bool torn;
    const struct layered_disk *recovered; /* by our own judge */
    const struct lab_state *found;        /* by it */
    char why[200];
};

/* Is the checksum of the superblock wrong? */
bool second_opinion_torn(const struct layered_disk *disk);
bool second_opinion_agrees(struct second_opinion *opinion);
