/*
 * snapper/store.h on ext4: nodes are inode numbers.
 */
#pragma once

#include "kernel/fs/ext4/ext4.h"
#include "snapper/store.h"

struct ext4_store {
    struct store store; /* first: this is what Snapper sees */
    struct ext4 *fs;    /* borrowed */
};

void ext4_store_init(struct ext4_store *store, struct ext4 *fs);
