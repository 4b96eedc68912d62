/*
 * The process table: all that the kernel knows of a program beside its pages. An object of the
 * persistent root, so a process goes on in the next life where a generation has found it.
 *
 *              create              load              exit, kill, fault           reaped
 *   FREE ---------------> WAITING ------> READY <--------------------> ENDED ------------> FREE
 *                        WAIT_LOAD          |  ^                      (the parent has its status,
 *                                           v  |                       or there is none)
 *                                         WAITING
 *
 * A process that waits stands in front of its SYSCALL instruction and makes the call again once it is
 * woken, in this life or another. There are no pointers in here, and nothing that is true in one life
 * only. What a generation holds of it is checked by process_check() before the first dispatch.
 */
#pragma once

#include "kernel/arch/user.h"
#include "kernel/persist/page_space.h"
#include "kernel/proc/abi.h"
#include "kernel/proc/clock.h"
#include "kernel/proc/lives.h"

enum {
    PROCESS_TABLE_LAYOUT = 1,
    PROCESSES_MAX = 128,
    PROCESS_REGIONS_MAX = 8,
    PROCESS_PATH_MAX = 127,
};
#define PROCESS_SPACE_FIRST 1u
#define PROCESS_SPACE_END (1u << 24)
#define PROCESS_NOBODY UINT32_MAX /* the parent of an orphan: nobody wants its status */

enum process_wait {
    WAIT_NOTHING,
    WAIT_LOAD, /* for the pages of its program */
    WAIT_SPAWN,
    WAIT_SLEEP,
    WAIT_INPUT,
    WAIT_OUTPUT,
    WAIT_CHILD,
    WAIT_GENERATION,
    WAIT_PAGE, /* for one that is on the disk, or for a frame */
    WAIT_END
};

/* Pages that may come to exist, and what the program may do with them; ascending, disjoint. */
struct region {
    u64 first_page;
    u64 page_count;
    u32 rights; /* enum page_rights, but not PAGE_NONE */
    u32 unused;
};

struct process {
    struct trap_frame registers;
    u8 fx[USER_FX_SIZE] __attribute__((aligned(16)));
    u32 state; /* enum process_state */
    u32 wait;  /* enum process_wait */
    u32 id;
    u32 parent;      /* the id of a process, 0: the shell, or PROCESS_NOBODY */
    u32 space;       /* number of its page space */
    u32 exit_status; /* of an ended one */
    u32 spawning;    /* the id of the child that its unfinished CALL_SPAWN makes, or 0 */
    i32 spawn_error; /* what became of it, if not a child */
    u64 wake_at;     /* of its unfinished CALL_SLEEP in program time, or 0 */
    u64 cpu_cycles;
    u64 page_limit; /* of image and heap together; the stack has USER_STACK_SIZE */
    u32 input_mode; /* enum read_mode of its last CALL_READ */
    u32 region_count;
    struct region regions[PROCESS_REGIONS_MAX]; /* the last two: heap, stack */
    char name[PROCESS_NAME_MAX + 1];
};

/* What to run: an absolute path, and arguments as abi.h says; the first is the name. */
struct program_request {
    char path[PROCESS_PATH_MAX + 1];
    u32 arguments_size;
    char arguments[ARGUMENTS_MAX];
};

struct process_table {
    struct program_clock clock;
    struct lives lives;
    u32 next_id;
    u32 next_space;
    u32 foreground; /* the id of the process that has the console, or 0: the shell */
    u32 loading;    /* the id of the one that CALL_SPAWN has made for `request`, or 0 */
    struct program_request request;
    struct process of[PROCESSES_MAX];
};

/* For the root: zeroed memory becomes an empty table. */
void process_table_initialize(void *table);

/*
 * A restored table: every index, size, selector, flag and region in bounds, so that nothing in it can
 * harm the kernel or a neighbour. ERR_CORRUPT, with a line that names process, field and value.
 */
enum status process_table_check(void *table);

/* Binds the functions below to the table. */
void process_table_use(struct process_table *table);
struct process_table *process_table(void);

u32 process_slot(const struct process *process);
/* By id; NULL: there is none. */
struct process *process_find(u32 id);
/* The next one after *cursor (begin with 0) that is not free, or NULL. */
struct process *process_next(u32 *cursor);

/* ERR_INVALID_ARGUMENT: path or arguments are not what they have to be. */
enum status program_request_check(const struct program_request *request);
/* A new one that waits to be loaded. ERR_NO_SPACE: the table is full; or the request is wrong. */
enum status process_create(const struct program_request *request, u32 parent,
                           struct process **process);
/* Its number in the table is free again. */
void process_free(struct process *process);

void process_wait(struct process *process, enum process_wait reason);
void process_wake(struct process *process);
/* All that wait for this. */
void process_wake_all(enum process_wait reason);

/* The region that the page is in, or NULL. */
const struct region *process_region(const struct process *process, u64 page);
struct region *process_heap(struct process *process);
/* Pages of image and heap. */
u64 process_pages_claimed(const struct process *process);
