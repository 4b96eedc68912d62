/*
 * Who has the CPU. There are two contexts in ring 0, and so there are no locks: the kernel's thread
 * (shell, generations, disk) and what runs for ring 3 on the process stack, which never waits.
 *
 *   kernel's thread waits, or breathes --> the next ready process, for a slice
 *   an interrupt, work for the thread, nobody ready --> back to the kernel's thread
 *
 * Whenever the kernel's thread runs, the registers of all processes are in the table.
 */
#pragma once

#include "kernel/proc/process.h"

/* Processes run whenever interrupts_wait() is called, from here on. After user_init()'s needs. */
void scheduler_init(void);

/* Nothing runs until scheduler_release(): boot word `hold`. */
void scheduler_hold(void);
void scheduler_release(void);
bool scheduler_is_held(void);

/* The process whose trap or call is being served, or the last one. */
struct process *scheduler_running(void);
/* The kernel's thread has something to do, so give it the CPU after this call. */
void scheduler_want_kernel(void);

/* The running process gives the rest of its slice to the others. */
void scheduler_yield(void);

/*
 * In long work of the kernel's thread, where nothing is half done: processes get their share. Costs
 * next to nothing before the next tick.
 */
void scheduler_breathe(void);

struct scheduler_counters {
    u64 switches;
    u64 faults;
    u64 line_cycles; /* from the last instruction in ring 3 to the next, around the last line */
    u64 line_cycles_most;  /* of all lines */
    u64 fault_cycles_most; /* the longest write fault */
};
const struct scheduler_counters *scheduler_counters(void);
