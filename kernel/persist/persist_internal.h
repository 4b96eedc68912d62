/*
 * What persist.c, resume.c and memory.c share.
 */
#pragma once

#include "kernel/persist/pager.h"
#include "kernel/persist/persist.h"

struct persist_state {
    enum persist_mode mode;
    const struct root_types *types;
    const struct snapper_config *config;
    const struct snapper_config_sources *sources;
    void (*relieve)(void);
    struct spaces spaces;
    struct pager pager;
    struct capture capture;
    struct capture_report
        last;            /* of this boot's last generation; total_microseconds 0: none */
    u64 last_generation; /* timer time of the last one, or of the start */
    u64 patience;    /* after failures: how long no generation is taken by itself, or 0 */
    bool busy;       /* a generation or the upkeep is being done, or a page brought */
    bool is_clean;   /* what a crash has left is removed */
    bool closed;     /* the power is about to go: nothing comes back any more */
    bool is_asked;   /* somebody waits for a generation */
    bool is_counted; /* this boot died, unless told otherwise (snapper/boots.h) */
    u64 generations; /* made in this life of the machine */
    u64 resumed_at;  /* timer time */
    bool is_full;    /* more than three quarters of memory are dirty: writers wait */
    enum status refusal; /* why they are refused */
    u64 bytes_until_resumed;
    u64 last_weighed; /* timer time when the dirty pages were last counted for persist_weigh() */
    char summary[160];
};

extern struct persist_state persist;

/* One generation; the mode permits it. */
enum status persist_take(const char *description, struct capture_report *report);

/* --- resume.c --- */

/* This boot has not died on what it resumed. */
void persist_stands(void);

/* --- memory.c --- */

/* Serves what programs wait for. Was there anything? */
bool persist_serve(void);
/* Before a generation: frees memory for it, as far as there are clean pages. */
void persist_make_way(void);
/*
 * One that nobody wants for itself, and that the store remembers: with interval=0 the next one takes its
 * place.
 */
enum status persist_take_passing(const char *description, struct capture_report *report);
/* A generation if more than half of memory is dirty. */
void persist_weigh(void);
