/*
 * What the files of a Snapper session share. Included by snapper/ alone.
 *
 * S1  A generation exists from the commit of the transaction that holds its archive.
 * S2  The session's mapping is replaced only after that commit; until then everything that a
 *     failure must undo lives in `creation`.
 * S3  No file that an archive lists is ever removed or rewritten, but for its rc byte.
 */
#pragma once

#include "kernel/base/map.h"
#include "snapper/mapping.h"
#include "snapper/rc_table.h"
#include "snapper/retention.h"
#include "snapper/snapper.h"
#include "snapper/state_file.h"

/* Metadata blocks that the store may want before one change of a name (ext4: 48). */
enum { STORE_STEP_ROOM = 64 };

enum pending_kind {
    PENDING_NEW,       /* taken: content differs from the newest copy, or there is none */
    PENDING_UNCHANGED, /* taken: equal to it */
    PENDING_COPY,      /* a redundancy copy; the payload is ours if `owned` */
    PENDING_FORGOTTEN,
};

/* What the generation in creation does with one id. */
struct pending {
    u64 id; /* first: it is sorted by */
    const void *payload;
    u32 size;
    u32 crc;
    enum pending_kind kind;
    bool owned; /* payload is freed with it */
    u32 ordinal;
};

struct creation {
    struct mapping *base;      /* NULL: none */
    struct generation *parent; /* NULL: none */
    bool passing;
    struct pending *pending;
    size_t count;
    size_t capacity;
    struct map index; /* id -> position in pending */
};

struct snapper {
    struct store *store;
    const struct snapper_config *config;
    enum snapper_state state;
    struct state_file record; /* /snapper.state as last committed */
    u64 changes;              /* generations made and purged so far */
    u64 root;                 /* node of "/" */
    u64 home;                 /* node of /snapper; 0: not there yet */
    struct generation_list generations;
    struct rc_table listed;     /* counts over all generations that are `counted` */
    struct generation *current; /* the one the system descends from; NULL: none */
    struct mapping *mapping;    /* of current */
    struct creation creation;
    struct settling *settling; /* settle.c: stopped on the way; NULL: none */
};

/* --- session.c --- */

/* The generation of this name, with a sound archive; NULL name: the current one. */
enum status snapper_find(struct snapper *snapper, const char *name,
                         struct generation **generation);
/* Its mapping, one reference; from memory if it is the current one. */
enum status snapper_load_mapping(struct snapper *snapper, struct generation *generation,
                                 struct mapping **mapping);
/* The same, always from the disk. */
enum status snapper_read_mapping(struct snapper *snapper, struct generation *generation,
                                 struct mapping **mapping);
/* The session descends from this generation now; `mapping`: its reference goes to the session. */
void session_descend(struct snapper *snapper, struct generation *generation,
                     struct mapping *mapping);
/* Logs if `verbose`. */
#define snapper_trace(snapper, ...)                                                      \
    ((snapper)->config->verbose ? log_info(__VA_ARGS__) : (void)0)

/* --- settle.c --- */

/* What was begun holds no more, as a count on the disk has changed by other means. */
void snapper_forget_settling(struct snapper *snapper);

/* --- record.c: /snapper.state --- */

/* Writes it into the running transaction. */
enum status record_write(struct snapper *snapper, const struct state_file *record);
/* Metadata blocks that this takes at most. */
u64 record_room(const struct snapper *snapper, const struct state_file *record);
/*
 * Writes and commits, with whatever is in the transaction. On OK `next` becomes the session's record
 * and is emptied; on error all is rolled back. The caller destroys `next` either way.
 */
enum status record_commit(struct snapper *snapper, struct state_file *next);

/* --- listed.c: what archives list --- */

/* Makes `listed` hold for all archives there are. An error names the one that cannot be read. */
enum status snapper_count_listed(struct snapper *snapper);
/* The same; ERR_PURGE_DENIED: what one archive lists is unknown, so nothing may go (spec 4.6). */
enum status snapper_permit_deletion(struct snapper *snapper);
/* After a failure that left counts in doubt: they are derived again when they are next needed. */
void snapper_forget_listed(struct snapper *snapper);
/* Does an archive list a file of this generation? Holds after snapper_count_listed(). */
bool snapper_lists_any(const struct snapper *snapper,
                       const struct generation *generation);
/* Drops a generation that has no directory and is referred to by nothing. */
void snapper_drop_if_gone(struct snapper *snapper, struct generation *generation);

/* --- object.c --- */

/* Reads one copy into `buffer` (object_size bytes) and checks it: ERR_NOT_FOUND, ERR_UNSUPPORTED, ERR_CORRUPT ... */
enum status object_read_copy(struct snapper *snapper, struct mapping_run *run, u64 id,
                             void *buffer);
/* The first good copy, in order of rank; damaged ones are reported. ERR_INTEGRITY: none. */
enum status object_read(struct snapper *snapper, struct mapping_run *runs, size_t count,
                        u64 id, void *buffer);
/* restore() and view_restore() over any mapping. */
enum status object_restore(struct snapper *snapper, const struct mapping *mapping,
                           void *buffer, size_t size, u64 id, size_t *restored);
/* The crc field of the newest copy, from memory or from its file. */
enum status object_newest_crc(struct snapper *snapper, const struct mapping_run *run,
                              u64 id, u32 *crc);

/* --- repair.c --- */

/* Damage that rewriting heals; not a file of unknown version, nor a disk that cannot be read. */
bool is_repairable(enum status status);
/*
 * Rewrites a copy from good content of its object, and commits; says what it did. ERR_READ_ONLY;
 * ERR_EXISTS: the file is sound, of another size, and so not this object's. After any error the copy is
 * as it was. Nothing else may be in the transaction.
 */
enum status repair_copy(struct snapper *snapper, const struct mapping_run *run, u64 id,
                        const void *content);

/* --- snapshot_write.c --- */

/* Writes the files of all pending NEW and COPY objects and the archive; commits. */
enum status snapshot_write(struct snapper *snapper, const char *description,
                           struct snapper_commit_report *report, struct mapping **mapping,
                           struct generation **generation);

/* --- redundancy.c --- */

/* Adds PENDING_COPY for objects whose newest copy is listed often enough. */
enum status redundancy_plan(struct snapper *snapper);

/* --- snapshot_map.c --- */

/* The mapping of the new generation from its base and the pending objects, sorted by id. */
enum status snapshot_map(struct snapper *snapper, struct generation *own,
                         struct mapping **mapping);

/* --- cleanup.c --- */

/*
 * Removes from a directory without an archive all files that no archive lists, and takes it off the
 * record. Commits. ERR_PURGE_DENIED as snapper_permit_deletion(). The generation may be gone afterwards.
 */
enum status cleanup_generation(struct snapper *snapper, struct generation *generation,
                               u64 *files);

/* Everything that /snapper.state names; `report` is added to. */
enum status cleanup_all(struct snapper *snapper, struct snapper_cleanup_report *report);

/* --- purge.c: what retention.h permits --- */

/* R1, R2. The generation must not be in use; afterwards it may be gone from the list. */
enum status purge_generation(struct snapper *snapper, struct generation *generation,
                             struct snapper_purge_report *report);
/* Removes an archive that cannot be read, and names all that it may have listed for a clean-up. */
enum status purge_unreadable(struct snapper *snapper, struct generation *generation,
                             struct snapper_purge_report *report);

/* --- retention.c --- */

/* Why R3 protects it, or NULL. */
const char *retention_obstacle(const struct snapper *snapper,
                               const struct generation *generation);
/* The newest with an archive, or with a directory that cannot be read; NULL: none. */
struct generation *retention_newest(const struct snapper *snapper);
/* The next one after `after` (NULL: the oldest) that rules may purge; never the newest. */
struct generation *retention_next(const struct snapper *snapper,
                                  const struct generation *after);
/* The same generation as by purge(), but said to nobody: what was only passing is not missed. */
enum status retention_drop(struct snapper *snapper, const struct generation_name *name,
                           struct snapper_purge_report *report);
/* How many generations there are, if that is certain. */
enum status retention_count(const struct snapper *snapper, size_t *count);

/* --- space.c --- */

/*
 * Makes sure that the generation in creation (its objects sorted) fits on the disk, by purging if need
 * be. ERR_NO_SPACE: it does not, and no generation was touched.
 */
enum status space_prepare(struct snapper *snapper, struct snapper_purge_report *report);
