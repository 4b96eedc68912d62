/*
 * A page space: a range of virtual memory whose pages Snapper captures, and what of it is dirty.
 *
 * Pages are 4 KiB and come to exist, zeroed, when they are first touched. The D bits of the CPU's
 * own page tables say which were written; a demarcation draws the line between two generations by
 * taking W from the few entries of the top table: constant time, whatever the memory and the dirty
 * set. What was written before the line is then harvested, table by table, while writers go on.
 *
 *        demarcate                harvest_step ... false                 commit
 *   IDLE ----------> HARVESTING ---------------------> IN_FLIGHT -------------------> IDLE
 *                        |                                 |      abort                 ^
 *                        +---------------------------------+-----------> ABORTING ------+
 *
 * A page that is not in memory is zero, unless a generation holds it: then it is absent, counts as
 * unchanged, and has to be brought before it can be touched. Clean pages may become absent.
 *
 * Several spaces share one line: each keeps the number of the last one that it was demarcated at, and
 * one with an older number is demarcated before anything writes to it (page_space_enter()).
 *
 *                  bit           meaning
 *   upper entry    W             open: something below may have been written since the demarcation
 *                  O             opened, and not harvested since: what W was before a demarcation
 *                  H             opened again before its harvest
 *   leaf           S             software-writable: the page may be written
 *                  W             it may be written without a fault
 *                  L             listed: a record in the harvested set stands for this page
 *                  D             written, and not in the set since
 *
 *   I1  Closed, nothing to harvest (no W, H, O): no leaf below has D, no table entry below W, H or O.
 *   I2  Closed by a demarcation, itself or with the entry above it (O, and no W in one of the two): what
 *       is below is as it was; the tables with O, and in them the leaves with D, are to be harvested.
 *   I3  Opened again before its harvest (W, O, H): W was taken from all that is below, and of that what
 *       has W now is new. To be harvested are the tables with H, or with O but not W, and the leaves
 *       with D but not W.
 *   I4  While a generation is in flight a listed leaf that still has its record's frame has W=0;
 *       a write to it gives the writer a new frame.
 *   I5  W of a leaf never without S.
 *   I6  Only a commit takes a page out of the set; an abort leaves all of it for the next one.
 *   I7  A page that exists has room for its record reserved.
 *   I8  U is set in all entries of a user space and in none of the kernel's; X only without S.
 *   I9  A space whose number of the last line is old was not written since that line.
 *
 *   T1  Leaves are 4 KiB, never global, and there is one address space id: no PCID.
 *   T2  Clearing W or D of a leaf invalidates its page.
 *   T3  A leaf that gets another frame, or none, invalidates its page.
 *   T4  Opening an entry first takes W from the children, then gives W to it, then invalidates the
 *       page that faulted. Other pages below may still be remembered as closed: see T5.
 *   T5  A write fault that the tables already permit is spurious: invalidate the page and return.
 *   T6  A demarcation reloads everything.
 *   T7  Giving W or a first frame needs nothing: T5.
 *   T8  Taking W below an entry that was closed needs nothing: what the CPU remembers from below it
 *       has no W, since T6.
 *
 * One CPU, two contexts: MAIN takes generations and brings pages; RUNNER, which may come between any
 * two instructions of MAIN, faults for programs: page_space_touch(), page_space_demarcate(). Each call
 * is a section of its own (page_machine.h); those that are longer than a table say so: they are many
 * sections. Releasing, installing, aliases, commit and abort are MAIN's alone.
 */
#pragma once

#include "kernel/arch/paging.h"
#include "kernel/base/map.h"
#include "kernel/persist/page_set.h"
#include "snapper/object_id.h"

enum { SPACE_KERNEL_WINDOW = 0 };

enum page_space_phase { SPACE_IDLE, SPACE_HARVESTING, SPACE_IN_FLIGHT, SPACE_ABORTING };

enum page_access { PAGE_READ, PAGE_WRITE, PAGE_EXECUTE };

enum page_rights {
    PAGE_NONE,
    PAGE_READABLE,
    PAGE_WRITABLE,
    PAGE_EXECUTABLE /* and readable */
};

/* Says what a page may be used for, when it comes to exist. Called inside a section: short. */
struct page_policy {
    bool user; /* ring 3 may use the pages, else only the kernel */
    enum page_rights (*rights)(void *context, u64 page); /* NULL: all are PAGE_WRITABLE */
    void *context;
};

/* Which pages the current generation holds. */
struct page_backing {
    bool (*holds)(void *context, u64 space,
                  u64 page); /* called inside a section: short */
    void *context;
};

struct page_space_counters {
    u64 pages;        /* in memory */
    u64 entries_read; /* page-table entries looked at for dirt since the last demarcation */
    u64 faults;
    u64 spurious;
    u64 copied; /* pages in flight that a writer got a new frame for */
};

struct page_space {
    const struct page_machine *machine;
    struct page_policy policy;
    const struct page_backing *backing; /* NULL: nothing is absent */
    u64 number;                         /* of the space, for the backing */
    const u64 *line;                    /* how many lines there were; NULL: not shared */
    u64 last_line;   /* the last one that this space was demarcated at */
    page_entry *top; /* the table of the space; its entries cover 1 GiB each */
    u32 top_entries;
    u64 base;  /* virtual address of page 0 */
    u64 limit; /* number of pages */

    enum page_space_phase phase;
    bool opened;           /* some top entry is open */
    u32 harvest_top;       /* where the harvest stands */
    u32 harvest_middle;    /* in the table under it */
    struct page_set set;   /* the harvested set */
    struct map forgotten;  /* pages released since the demarcation */
    struct map forgetting; /* pages released before it, until a commit */
    struct page_space_counters counters;
};

/*
 * A space over `top`, a zeroed table that the caller has put (or will put) where `base` is. `base`
 * and the size are multiples of 1 GiB.
 */
void page_space_init(struct page_space *space, const struct page_machine *machine,
                     page_entry *top, u64 base, u64 size);
/* Before the first page exists; without it the space is the kernel's, all pages writable. */
void page_space_set_policy(struct page_space *space, const struct page_policy *policy);
/*
 * The space becomes one of several: `line` counts the demarcations of all, and lives on. What it has
 * so far counts as written after the last one.
 */
void page_space_join(struct page_space *space, u64 number, const u64 *line);
/* Gives back all pages and tables. Nothing may be in flight. */
void page_space_reset(struct page_space *space);

/* Is the page in memory? Looking does not make it. */
bool page_space_has(const struct page_space *space, u64 page);
/* Is it absent: not in memory, but held by the current generation? */
bool page_space_is_absent(const struct page_space *space, u64 page);
/* The memory of a page that is there, for reading only; NULL if it is not. */
const void *page_space_peek(const struct page_space *space, u64 page);
/*
 * Makes the page ready for the access: it exists, and with PAGE_WRITE the next write to its address
 * does not fault. ERR_NO_MEMORY (nothing changed that matters), ERR_INVALID_ARGUMENT: no such page;
 * ERR_READ_ONLY: there is one, but not for this kind of access; ERR_BUSY: it is absent.
 * The page fault handler and those who want an error instead of a fault call it.
 */
enum status page_space_touch(struct page_space *space, u64 page, enum page_access access);
/*
 * Memory through which a pager writes a page that exists or not, as if through its own address and
 * whatever its rights: the page is dirty from now on and a page in flight is copied first.
 * Use the memory before anything else can happen.
 */
enum status page_space_alias(struct page_space *space, u64 page, void **memory);
/*
 * What page_space_install() needs memory for, before the page is read; another context may still take
 * it away. ERR_EXISTS, ERR_NO_MEMORY, ERR_INVALID_ARGUMENT.
 */
enum status page_space_make_place(struct page_space *space, u64 page);
/*
 * A page as it came from a generation: clean, `frame` belongs to the space from now on.
 * ERR_EXISTS, ERR_NO_MEMORY, ERR_INVALID_ARGUMENT: the frame stays the caller's.
 */
enum status page_space_install(struct page_space *space, u64 page,
                               physical_address frame);
/* The page no longer exists; the next generation forgets it. ERR_NOT_FOUND, ERR_NO_MEMORY. */
enum status page_space_release(struct page_space *space, u64 page);
/*
 * Frees frames of clean pages, which become absent, or zero again, from *hand (not below `first`) on,
 * sparing those that were used since the hand last passed. How many; less than `wanted`: the hand is at
 * the end of the space.
 */
u64 page_space_evict(struct page_space *space, u64 *hand, u64 first, u64 wanted);

/*
 * Before the tables of the space are loaded, and before anything else in it: demarcates it if there was
 * a line since. A few hundred instructions at most.
 */
void page_space_enter(struct page_space *space);

/* Is there anything that a generation would have to take or forget? Reads no tables. */
bool page_space_is_dirty(const struct page_space *space);
/* How many pages it would take. Walks the open tables only. */
u64 page_space_count_dirty(const struct page_space *space);

/*
 * Before a demarcation, outside the pause: puts in order what an aborted generation has left.
 * Costs nothing otherwise. ERR_NO_MEMORY: no demarcation now. The space must be IDLE.
 */
enum status page_space_prepare(struct page_space *space);
/* Draws the line. Constant time. Between page_space_prepare() and this nothing may be released. */
void page_space_demarcate(struct page_space *space);
/* Harvests one table, in one section; false once nothing is left. */
bool page_space_harvest_step(struct page_space *space);
/*
 * The harvested pages: the memory of each as it was at the demarcation, valid and unchanged until
 * commit or abort. Zero the cursor to start; false after the last. Only IN_FLIGHT.
 */
[[nodiscard]] bool page_space_next_taken(const struct page_space *space,
                                         struct page_cursor *cursor, u64 *page,
                                         const void **memory);
/* The pages released before the demarcation, as map_next(). */
[[nodiscard]] bool page_space_next_forgotten(const struct page_space *space,
                                             size_t *cursor, u64 *page);
/* The generation is durable: its pages are clean, unless written since. */
void page_space_commit(struct page_space *space);
/* It is not: its pages join the next one. Also legal while HARVESTING; finishes the harvest. */
void page_space_abort(struct page_space *space);
