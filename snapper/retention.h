/*
 * Which generations stay: purging by name and by rule, pins, the rollback target.
 *
 * R1  The archive goes first; from then on the generation is gone, and the next open finishes what a
 *     cut left.
 * R2  A file goes only if no archive on the image lists it; while one archive cannot be read nothing
 *     goes at all (spec 4.6).
 * R3  Never purged: what the session runs on, builds on or reads, the rollback target, what is pinned.
 *
 * All of it is refused with ERR_PURGE_DENIED and one line that says why, in every state but DORMANT
 * with ERR_INVALID_STATE.
 */
#pragma once

#include "snapper/snapper.h"

struct snapper_purge_report {
    u32 generations;
    u64 files; /* snapshot files removed */
    u64 bytes; /* of objects in them */
};

/* NULL: the oldest. ERR_NOT_FOUND; ERR_PURGE_DENIED also if fewer than min_snapshots would stay. */
enum status purge(struct snapper *snapper, const char *name,
                  struct snapper_purge_report *report);
/*
 * Gives up a generation whose archive cannot be read, so that others can be purged again. Files
 * that only it listed go as soon as all other archives can be read. A readable one is purged as by
 * purge(), min_snapshots aside.
 */
enum status purge_forced(struct snapper *snapper, const char *name,
                         struct snapper_purge_report *report);
/*
 * max_snapshots, then expiration, oldest first; commit_snapshot() does this, too. What R3 protects is
 * skipped, the newest is never touched, min_snapshots wins.
 */
enum status purge_expired(struct snapper *snapper, struct snapper_purge_report *report);

/* Looks through every directory without an archive for files that no archive lists. */
struct snapper_zombie_report {
    u32 directories; /* looked through */
    u64 files;       /* removed: there should be none */
};
enum status purge_zombies(struct snapper *snapper, struct snapper_zombie_report *report);

/* A pinned generation stays until it is unpinned. ERR_NOT_FOUND. */
enum status snapper_pin(struct snapper *snapper, const char *name);
enum status snapper_unpin(struct snapper *snapper, const char *name);

/*
 * The generation that the next open_generation(NULL) takes, until the next commit. It must be
 * readable. NULL: the newest again.
 */
enum status snapper_rollback(struct snapper *snapper, const char *name);
struct generation_name snapper_target(const struct snapper *snapper); /* empty: none */
