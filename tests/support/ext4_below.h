/*
 * The layers below ext4, made to fail: the linker leads the calls here in the programs that the Makefile
 * names (--wrap).
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum below {
    BELOW_BUFFERS,       /* cache_get() */
    BELOW_FRESH_BUFFERS, /* cache_get_fresh() */
    BELOW_CHANGES,       /* journal_modify() */
    BELOW_ROOM,          /* journal_room(): the transaction is full */
    BELOW_REVOKES,       /* journal_revoke() */
    BELOW_ENTRIES,       /* map_set() */
    BELOW_MEMORY,        /* port_alloc() */
    BELOW_DISK, /* disk_submit(), disk_wait(), disk_read(), disk_write(), disk_flush() */
    BELOW_KINDS
};

/* The n-th call of this kind (1: the next; 0: none) fails, and with `for_good` all after it. */
void ext4_below_fail(enum below kind, u64 nth, bool for_good);
/*
 * The n-th question for room is answered with none; of the calls of this kind that follow, the `then`-th
 * fails.
 */
void ext4_below_fail_without_room(u64 nth, enum below kind, u64 then);
/* Has one, since? */
bool ext4_below_struck(void);
/* What it then returns. */
enum status ext4_below_status(enum below kind);
