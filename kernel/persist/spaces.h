/*
 * All page spaces that one generation takes together: the kernel's window, number 0, and those of
 * processes. One line goes through all of them at the same moment.
 *
 *   prepare                MAIN, outside the pause
 *   draw_line              window and the space that runs; the others when they are next entered
 *   harvest_step ...       MAIN, while programs run on
 *   next_taken, is_taken   MAIN hands over what the generation takes, and what it no longer lists
 *   commit, or abort
 *
 * A space that came after the line is not part of the generation; one that went after it still is, and
 * its memory stays until commit or abort. The number of one that went before the line is free again, for
 * the generation forgets all that it had.
 *
 * MAIN calls all of it but spaces_draw_line(), which is for who sees the moment between two
 * instructions of programs, and page_space_enter().
 */
#pragma once

#include "kernel/base/list.h"
#include "kernel/persist/page_space.h"

enum { USER_SPACE_GIB = 16, SPACE_NUMBER_MAX = (1 << 24) - 2 };

enum space_origin {
    SPACE_NEW,    /* whatever a generation holds under its number is forgotten */
    SPACE_RESUMED /* its pages are those that the current generation holds */
};

struct space_member {
    struct list_link link;
    struct page_space *space;
    u64 joined;  /* lines drawn before it came */
    bool gone;   /* its memory is still the generation's */
    bool is_new; /* no generation knows it yet: what one holds is another's */
};

struct spaces {
    const struct page_machine *machine;
    struct page_backing backing; /* of the spaces that have one */
    struct space_member window;
    struct list members; /* the window first */
    u64 line;            /* how many lines were drawn */
    bool in_flight;
    u64 line_cycles; /* of the time stamp counter, that the last line took */
};

void spaces_init(struct spaces *spaces, struct page_space *window,
                 const struct page_backing *backing);
/* All but the window is given back. Nothing may be in flight. */
void spaces_destroy(struct spaces *spaces);

/*
 * An empty user space of USER_SPACE_GIB from address 0. `number`: 1 .. SPACE_NUMBER_MAX. ERR_EXISTS: in use; ERR_NO_MEMORY.
 */
enum status spaces_attach(struct spaces *spaces, u64 number, enum space_origin origin,
                          const struct page_policy *policy, struct page_space **space);
/*
 * Its process is gone: the pointer is void from now on, the next generation forgets its pages. Its
 * tables must not be loaded any more.
 */
void spaces_detach(struct spaces *spaces, struct page_space *space);
/* The table of an attached space that entry 0 of the root table points to when it is loaded. */
physical_address spaces_top_frame(const struct page_space *space);
/* NULL: there is none, or it was detached. */
struct page_space *spaces_find(const struct spaces *spaces, u64 number);

bool spaces_are_dirty(const struct spaces *spaces);
u64 spaces_count_dirty(const struct spaces *spaces);
u64 spaces_count_pages(const struct spaces *spaces);
/* Page-table entries looked at for dirt since the last line. */
u64 spaces_entries_read(const struct spaces *spaces);

/* ERR_NO_MEMORY: no line now. */
enum status spaces_prepare(struct spaces *spaces);
/* Interrupts off. `running`: the space of the program that runs, which is entered; NULL: none. */
void spaces_draw_line(struct spaces *spaces, struct page_space *running);
/* One table; false once nothing is left. */
bool spaces_harvest_step(struct spaces *spaces);

/* Where the walks below stand: zero it to start. */
struct spaces_cursor {
    const struct space_member *member;
    struct page_cursor page;
    size_t forgotten;
};

/* All pages of the generation, as page_space_next_taken(); `id` is the object's. */
[[nodiscard]] bool spaces_next_taken(const struct spaces *spaces,
                                     struct spaces_cursor *cursor, u64 *id,
                                     const void **memory);
/* What was released in spaces that are part of it. */
[[nodiscard]] bool spaces_next_forgotten(const struct spaces *spaces,
                                         struct spaces_cursor *cursor, u64 *id);
/* Does what the previous generation holds of this space live on in this one? */
bool spaces_lists_on(const struct spaces *spaces, u64 number);

void spaces_commit(struct spaces *spaces);
void spaces_abort(struct spaces *spaces);

/* As page_space_evict() over all spaces. Pages of the window below `pinned` stay. */
struct spaces_hand {
    u64 number; /* of the space under it */
    u64 page;
};
u64 spaces_evict(struct spaces *spaces, struct spaces_hand *hand, u64 pinned, u64 wanted);
