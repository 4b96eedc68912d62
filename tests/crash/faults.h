/*
 * Faults: before each action of a scenario, in processes of their own, the same action is tried with
 * its n-th read, write, flush or allocation failing, once or from then on, for every n.
 *
 * A write that fails has reached the platter in part, a flush that fails has lost for ever some of
 * what it was to keep. In each case: the call returns an error that says so (or had no need of the
 * request), and never takes a failed flush for a success; the session is dormant; its generations
 * are whole; so they are after a power cut at this moment. With the disk healed the action succeeds,
 * at once or, if the journal has been given up, after a mount; nothing is leaked.
 *
 * A failure prints one line with the arguments that replay it.
 */
#pragma once

#include "tests/crash/lab.h"

enum fault_kind {
    FAULT_READ = DISK_READ,
    FAULT_WRITE = DISK_WRITE,
    FAULT_FLUSH = DISK_FLUSH,
    FAULT_ALLOCATION,
    FAULT_KINDS
};

struct fault {
    enum fault_kind kind;
    u64 nth;
    bool for_good;
};

/* One job's share of a campaign. */
struct fault_campaign {
    u64 seed;
    u64 every;            /* one case in so many is tried */
    enum fault_kind only; /* FAULT_KINDS: all */

    bool stop; /* at the first failure */
    bool replaying;
    u32 replay_action;
    struct fault replay;

    u64 cases[FAULT_KINDS], failures;
};

extern struct fault_campaign fault_campaign;
extern const struct lab_observer fault_observer;

/* "write", and back: FAULT_KINDS if there is none of this name. */
const char *fault_kind_name(enum fault_kind kind);
enum fault_kind fault_kind_find(const char *name, size_t length);
