/*
 * Snapper: generations of memory in ordinary files. The public interface; names are the paper's.
 *
 *            init_snapshot                 open_generation
 *   CREATION <------------- DORMANT ----------------------> RESTORATION
 *      |   take_snapshot  ^  |  ^     close_generation           |
 *      |   forget         |  |  +--------------------------------+
 *      +------------------+  +--> PURGE (within one call) -> DORMANT
 *        commit_snapshot / abort_snapshot
 *
 * A call in the wrong state returns ERR_INVALID_STATE and changes nothing. A failed call never
 * leaves the session stuck: a failed init, commit or open leaves it DORMANT, a failed take leaves
 * it in CREATION with all that was taken before. Views read any generation in every state.
 *
 * One caller at a time: a call on a session or one of its views ends before the next begins, also if
 * the store lets others run meanwhile. Reading may write, too: a damaged copy that has a good sibling
 * is rewritten from it (spec 4.2).
 *
 * Object ids are any 64-bit numbers. `snapper/DESIGN.md` says why it is built this way,
 * `snapper/FORMAT.md` what is on disk.
 */
#pragma once

#include "snapper/config.h"
#include "snapper/generation_name.h"
#include "snapper/store.h"

struct snapper;
struct snapper_view;

enum { SNAPPER_DESCRIPTION_MAX = 255 };

enum snapper_state {
    SNAPPER_DORMANT,
    SNAPPER_CREATION,
    SNAPPER_RESTORATION,
    SNAPPER_PURGE
};

/*
 * Binds to a mounted store; creates /snapper with its first change, not before. Reads state and
 * the list of generations, but no archive. Nothing is deleted. The store and config outlive it.
 * ERR_IO: /snapper or /snapper.state is there, and the disk does not give it. ERR_NO_MEMORY.
 */
enum status snapper_open(struct store *store, const struct snapper_config *config,
                         struct snapper **snapper);
/* Aborts a snapshot in creation, closes an open generation. Views must be closed. Never writes. */
void snapper_close(struct snapper *snapper);
enum snapper_state snapper_state(const struct snapper *snapper);

/*
 * Removes what a crash left (an incomplete generation, a purge cut short), as named by
 * /snapper.state; `report` counts. Runs after the system is up again.
 */
struct snapper_cleanup_report {
    u32 generations; /* directories without an archive that were finished off */
    u64 files;
};
enum status snapper_cleanup(struct snapper *snapper,
                            struct snapper_cleanup_report *report);

/* ---- snapshot step ---- */

/*
 * `base`: the generation to build on; NULL: the one the session descends from (last opened or
 * committed). ERR_READ_ONLY on such an image.
 */
enum status init_snapshot(struct snapper *snapper, const char *base);
/*
 * The payload is borrowed, unchanged, until commit or abort returns. Taking an id twice replaces
 * the first. ERR_TOO_LARGE above config.bufsize.
 */
enum status take_snapshot(struct snapper *snapper, const void *payload, size_t size,
                          u64 id);
/* The object no longer exists. ERR_NOT_FOUND if it does not. */
enum status forget(struct snapper *snapper, u64 id);

/* The same for all objects from one id to another that the base lists, however many. */
enum status forget_range(struct snapper *snapper, u64 first_id, u64 last_id);

struct snapper_commit_report {
    struct generation_name name;
    u64 objects;       /* listed by the generation */
    u64 taken;         /* passed to take_snapshot() */
    u64 unchanged;     /* of those: equal to their newest copy */
    u64 files_written; /* copies included */
    u64 copies;        /* redundancy copies written */
    u64 archive_bytes;
    u32 transactions;
    u32 purged; /* generations, by the rules of retention.h or for space */
};
/* `description`: may be NULL; control characters become '?'. On OK the generation is durable. On error it does not exist. */
enum status commit_snapshot(struct snapper *snapper, const char *description,
                            struct snapper_commit_report *report);
enum status abort_snapshot(struct snapper *snapper);

/*
 * The generation in creation will be a passing one: it is purged when the next of its kind is committed, in
 * whatever session, unless retention.h protects it.
 */
void snapper_mark_passing(struct snapper *snapper);

/* ---- recovery step ---- */

/* `name`: NULL: the rollback target, else the newest with an archive. ERR_NOT_FOUND: none; ERR_INTEGRITY, ERR_UNSUPPORTED. */
enum status open_generation(struct snapper *snapper, const char *name);
/* ERR_NOT_FOUND, ERR_BUFFER_TOO_SMALL (nothing written), ERR_INTEGRITY (no good copy). */
enum status restore(struct snapper *snapper, void *buffer, size_t size, u64 id,
                    size_t *restored);
enum status close_generation(struct snapper *snapper);

/* ---- reading the generation that the session descends from, at any time ---- */

/*
 * Its first objects at or behind `id`: consecutive ids of equal size; false: none. Looks at memory
 * alone, and may be asked by an interrupt at any moment.
 */
struct snapper_run;
bool current_run(const struct snapper *snapper, u64 id, struct snapper_run *run);
/* As restore(). */
enum status current_restore(struct snapper *snapper, void *buffer, size_t size, u64 id,
                            size_t *restored);

/* ---- reading any generation, at any time ---- */

enum status view_open(struct snapper *snapper, const char *name,
                      struct snapper_view **view);
void view_close(struct snapper_view *view);
enum status view_restore(struct snapper_view *view, void *buffer, size_t size, u64 id,
                         size_t *restored);

/* Consecutive ids of equal size. Start with *cursor = 0, until ERR_NOT_FOUND; ids ascend. */
struct snapper_run {
    u64 first_id;
    u64 count;
    u64 size_bytes; /* of each object */
};
enum status view_next_run(const struct snapper_view *view, u64 *cursor,
                          struct snapper_run *run);

struct snapper_generation_info {
    struct generation_name name;
    struct generation_name parent; /* empty text: none */
    u64 time;                      /* of the name, microseconds since 1970 */
    u64 objects;
    u64 files_written; /* by this generation */
    u64 archive_bytes;
    bool pinned;
    enum status
        status; /* OK, or why its archive cannot be read; then only name, time and pinned hold */
    char description[SNAPPER_DESCRIPTION_MAX + 1];
};
/* Oldest first: index 0 .. snapper_generation_count() - 1. Reads the archive. */
size_t snapper_generation_count(const struct snapper *snapper);
enum status snapper_generation_info(struct snapper *snapper, size_t index,
                                    struct snapper_generation_info *info);
/* The generation that the session descends from; empty text: none. */
struct generation_name snapper_current(const struct snapper *snapper);

/* ---- upkeep ---- */

/*
 * Writes exact reference counts into all snapshot files whose rc differs (spec 3.5) and records in
 * /snapper.state that they are. `changed` counts the files touched.
 */
enum status snapper_settle(struct snapper *snapper, u64 *changed);
/*
 * The same, as long as go_on(), asked every 64 files, says so. ERR_INTERRUPTED: stopped; nothing is
 * recorded yet, and the next call goes on there, unless an archive came or went. `changed` counts
 * over all calls and is set by the last one.
 */
struct snapper_pace {
    bool (*go_on)(void *context);
    void *context;
};
enum status snapper_settle_paced(struct snapper *snapper, const struct snapper_pace *pace,
                                 u64 *changed);
bool snapper_is_settled(const struct snapper *snapper);
