/*
 * The pager brings pages that the current generation holds into memory, and makes room by evicting clean
 * ones. MAIN's alone, but for pager_backing(), which looks only.
 *
 * A page comes back with exactly the bytes that its generation holds, and clean; or it does not come
 * back and whoever asked is told. Zeros never stand in for something lost.
 *
 * Who asks in order gets neighbours in advance, ever more of them, so that the disk is read in large
 * requests; who does not gets the one page.
 */
#pragma once

#include "kernel/persist/spaces.h"
#include "snapper/snapper.h"

struct pager_counters {
    u64 asked;   /* pages that somebody waited for */
    u64 advance; /* neighbours of these */
    u64 fetched; /* in the background */
    u64 evicted;
    u64 failed;
};

struct pager {
    struct spaces *spaces;
    struct snapper *snapper; /* NULL: nothing is absent */
    u64 pinned;              /* so many pages of the window are never evicted */
    struct spaces_hand hand;
    u64 next_id;      /* what a reader in order asks for next */
    u64 reach;        /* how many he gets then */
    u64 fetch_id;     /* where the background stands */
    bool fetch_ended; /* all was brought once, or there was no room for it */
    struct pager_counters counters;
};

/* Nothing is absent until pager_bind(). */
void pager_init(struct pager *pager, struct spaces *spaces);
/* What the session descends from, now and later, is what is held. NULL: nothing is. */
void pager_bind(struct pager *pager, struct snapper *snapper);
/* For spaces_init(); the context is the pager. */
bool pager_holds(void *pager, u64 space, u64 page);

/*
 * ERR_UNSUPPORTED: the generation holds objects that are no pages of a space; with a log line. How
 * many it holds.
 */
enum status pager_check(const struct pager *pager, u64 *pages);

/*
 * OK: the page is there, perhaps it was all the time, or is not absent. ERR_INTEGRITY, ERR_CORRUPT,
 * ERR_IO: it cannot be read, a log line says which; ERR_NO_MEMORY: there is no room for it.
 */
enum status pager_bring(struct pager *pager, struct page_space *space, u64 page);
/* Some pages more, in order, while there is room. False: nothing is left to do. */
bool pager_fetch(struct pager *pager, u64 room);

/* Frees up to `wanted` frames; how many. */
u64 pager_make_room(struct pager *pager, u64 wanted);
