/*
 * Persistence as the rest of the kernel sees it: resume, take generations, wind up.
 *
 *   NO_STORE      no image that Snapper could work on: memory ends with the machine
 *   NOT_RESUMED   there are generations, and the one asked for could not be resumed: the window is
 *                 empty, nothing may be captured, so that nothing hides what is on the image
 *   FRESH         the window began empty, by choice or because there was no generation
 *   RESUMED       the window is what a generation held
 */
#pragma once

#include "kernel/persist/capture.h"
#include "kernel/persist/root.h"

enum persist_mode {
    PERSIST_NO_STORE,
    PERSIST_NOT_RESUMED,
    PERSIST_FRESH,
    PERSIST_RESUMED
};

struct persist_choice {
    bool fresh;
    bool
        held; /* nothing will run by itself: this boot does not count, nor fall back (boots.h) */
    const char
        *generation; /* as snapper_select() understands it; NULL: Snapper's choice */
};

struct persist_store {
    struct snapper *snapper; /* NULL: there is no store */
    const struct disk *disk; /* NULL: no disk */
    const struct snapper_config *config;
    const struct snapper_config_sources *sources;
    void (*relieve)(void); /* makes the store give back memory; NULL: it has none */
};

/*
 * Fills the window: from a generation of the store or anew. Always leaves a usable root and objects;
 * other pages of a generation come when they are touched, or when there is time. The window was initialised; session, disk and config live on.
 */
void persist_start(const struct root_types *types, const struct persist_store *store,
                   const struct persist_choice *choice);

enum persist_mode persist_mode(void);
struct snapper *persist_snapper(void); /* NULL: no store */
const struct disk *persist_disk(void); /* NULL: no disk */
const struct snapper_config *persist_config(void);
const struct snapper_config_sources *persist_config_sources(void);
/* One line: what was resumed, or why not. */
const char *persist_summary(void);

/* One generation. ERR_INVALID_STATE, after a log line with the reason: this mode takes none. */
enum status persist_capture(const char *description, struct capture_report *report);

/* So many were made in this life of the machine. */
u64 persist_generations(void);
/*
 * persist_poll() takes one soon: somebody waits for it. With interval=0 it goes when the next of its kind is
 * there, as those that memory forces do.
 */
void persist_ask(void);
/* Of the last generation since the boot; NULL: there was none. */
const struct capture_report *persist_last_generation(void);

/*
 * Where programs run between two steps of the kernel: MAIN calls the hook when it wants a line; it may
 * return when persist_draw_line() was called, or when no program can run. NULL: there are no programs.
 */
void persist_set_line_hook(void (*await_line)(void));
/*
 * Interrupts off, between two instructions of programs, all that they are stored in memory: draws the line
 * if it is not drawn yet. `running`: the space that is loaded, or NULL. Constant time.
 */
void persist_draw_line(struct page_space *running);

/* Pages that a generation would take now. */
u64 persist_dirty_pages(void);

/*
 * The space of a process (spaces.h): a new one, or one of a process that the resumed memory lists. Those
 * of a number that no process has are forgotten by the next generation.
 */
enum status persist_attach(u64 number, enum space_origin origin,
                           const struct page_policy *policy, struct page_space **space);
void persist_detach(struct page_space *space);

/*
 * Makes a page ready, as page_space_touch(); brings it if it is absent, and makes room for it, if need
 * be by a generation. MAIN's: it waits. ERR_INTEGRITY, ERR_CORRUPT, ERR_IO: the page cannot be read, a
 * log line says which; ERR_NO_MEMORY; ERR_NO_SPACE: memory and image are full.
 */
enum status persist_touch(struct page_space *space, u64 page, enum page_access access);
/*
 * The same for a program's fault: nothing waits. ERR_BUSY: persist_poll() will see to it; the program
 * asks again after that. Other errors as above: the program cannot go on.
 */
enum status persist_fault(struct page_space *space, u64 page, enum page_access access);
/* Does a program wait for persist_poll()? */
bool persist_is_wanted(void);
/* In memory or held by the current generation. */
bool persist_has_page(const struct page_space *space, u64 page);
/* Pages of all spaces that are in memory, and what the pager did. */
struct persist_memory {
    u64 pages, dirty;
    u64 asked, advance, fetched, evicted, failed;
    u64 bytes_until_resumed; /* read from the disk */
};
struct persist_memory persist_memory(void);

/* The upkeep that a crash has left to do, in the background of the running system. */
void persist_clean_up(void);

/*
 * Where nothing is half done: in the idle loop and between the pages of long commands. Takes a
 * generation when the interval has passed and something is dirty (after failures: ever later), says after
 * ten seconds, when nothing is left to be fetched, that this boot has not died (snapper/boots.h), and
 * settles the reference counts after a minute without one, a few milliseconds at a time.
 */
void persist_poll(void);
/*
 * The same between the steps of what looks at all generations: brings the pages that programs wait for, and
 * makes and removes none by itself.
 */
void persist_poll_pages(void);

/*
 * Exact reference counts in all snapshot files (spec 3.5). Nothing to do: OK. With a pace it may be
 * stopped (ERR_INTERRUPTED) and goes on there the next time; meanwhile persist_poll() does nothing.
 */
enum status persist_settle(const struct snapper_pace *pace);

/*
 * Before the power goes: a generation if `interval` is set or `save`, else a line that says how many
 * dirty pages are dropped; then reference counts are settled. An error: nothing was lost that a
 * crash would not lose too. It is an ordinary end: this boot has not died.
 */
enum persist_wish { PERSIST_AS_CONFIGURED, PERSIST_SAVE };
enum status persist_wind_up(enum persist_wish wish);
/* Before the store is closed: no page comes back, no program is served any more. */
void persist_close(void);
