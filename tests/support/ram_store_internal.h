/* What ram_store.c (the operations) and ram_store_path.c (what tests do to it) share. */
#pragma once

#include "tests/support/ram_store.h"
#include "tests/support/ram_tree.h"

struct ram_poke {
    u64 node, offset;
    u8 before;
};

struct ram_store {
    struct store store;
    struct ram_tree tree;
    struct ram_limits limits;
    struct ram_counters counters;
    u64 random;

    u64 used_blocks, used_nodes; /* by what is committed */
    u64 new_blocks, new_nodes;   /* by the transaction */
    u32 room_used;
    bool half_done; /* an operation failed in the middle: only a rollback helps */
    bool read_only;

    struct ram_poke *pokes; /* since the last flush */
    size_t poke_count, poke_capacity;

    u64 fail_countdown, commits_left;
    enum status fail_status;
    bool fail_for_good, dead;
};

/* The current tree becomes the committed one, without ceremony. */
void ram_store_adopt(struct ram_store *ram);
