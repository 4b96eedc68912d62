/*
 * A scenario at work: Snapper on a recorded disk beside a model of what must be there.
 *
 * Every operation is a step that a power cut either undoes or leaves done. After each the lab notes
 * where in the record it began and ended and what the image then holds, so that for every cut the
 * judge knows the one or two states that are right.
 */
#pragma once

#include "kernel/fs/ext4/ext4.h"
#include "snapper/retention.h"
#include "snapper/store/ext4_store.h"
#include "tests/support/ram_disk.h"

enum {
    LAB_IDS = 24,
    LAB_GENERATIONS = 24,
    LAB_STEPS = 200,
    LAB_ALLOWED_MAX = 12,
    LAB_SIZE_MAX = 4096,
    LAB_PLAIN_SIZE = 40 * KIB
};

/* What an object holds in a generation: a version, from which content and size follow; 0: no object. */
struct lab_generation {
    char name[GENERATION_NAME_LENGTH + 1];
    bool pinned;
    u32 versions[LAB_IDS];
};

struct lab_state {
    size_t count;
    struct lab_generation generations[LAB_GENERATIONS];
    char target[GENERATION_NAME_LENGTH + 1]; /* of a rollback; empty: none */
    u32 plain; /* version of a file beside Snapper's; 0: there is none */
};

/* Those of one call end together: a cut in it may leave any of them. */
struct lab_step {
    const char *what;
    size_t end; /* records when it had returned; it began where the one before ended */
    struct lab_state state;
};

struct scenario;
struct lab;

/*
 * One call, or a few that only make sense together. On error memory is as before and nothing is
 * noted, so that it can be performed again.
 */
struct lab_action {
    const char *what;
    enum status (*perform)(struct lab *lab, size_t argument);
    size_t argument;
};

/* Who looks on; any function may be NULL. */
struct lab_observer {
    void (*before_action)(struct lab *lab, const struct lab_action *action);
    void (*session_ends)(struct lab *lab); /* its records are still there */
    void (*was_cut)(struct lab *lab);      /* by lab_crash(); one of lab->candidates */
};

/* What the next generation is made of. */
struct lab_memory {
    u64 random;
    u32 versions[LAB_IDS];
    u32 last_version;
};

/* A generation in a file of its own, and what it holds. */
struct lab_stream {
    u8 *bytes;
    size_t size, capacity, at;
    struct lab_generation generation;
};

struct lab {
    const struct scenario *scenario;
    u64 seed;
    struct lab_memory memory;
    struct snapper_config config;

    struct ram_disk ram;
    struct ext4 *fs;
    struct ext4_store store;
    struct snapper *snapper;

    struct lab_step
        *steps; /* of this session since the last crash; the first is the start */
    size_t step_count;
    u32 sessions; /* ended by a crash */

    /* What the cut that began this session may have left, until a look at the image tells. */
    struct lab_state candidates[LAB_ALLOWED_MAX];
    size_t candidate_count;

    bool rotten;                /* files may be damaged, each has a good copy */
    struct lab_stream exported; /* a generation on its way out and back */

    size_t journal_at; /* of the journal's superblock, in bytes */
    const struct lab_observer *observer;
    u32 actions; /* performed */
};

struct scenario {
    const char *name;
    void (*run)(struct lab *lab);
    unsigned mebibytes;
    const char *mkfs_options;
    u32 free_blocks;    /* all others are taken by a file beforehand; 0: none are */
    u32 journal_blocks; /* fewer than mkfs can make; 0: as it made them */
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;

void lab_open(struct lab *lab, const struct scenario *scenario, u64 seed,
              const struct lab_observer *observer);
void lab_close(struct lab *lab);
u64 lab_draw(struct lab *lab, u64 below);

/* --- steps --- */

/* A generation in which `changed` objects are new and about one in eight of those is forgotten. */
void lab_take(struct lab *lab, size_t changed);
/* The same, begun and given up. */
void lab_abort(struct lab *lab, size_t changed);
void lab_settle(struct lab *lab);
/* The generation of this index, 0 the oldest, is purged. */
void lab_purge(struct lab *lab, size_t index);
/* Memory is as this generation has it; the next one is its child. */
void lab_rollback(struct lab *lab, size_t index);
/* It stays whatever rule says otherwise, until it is unpinned. */
void lab_pin(struct lab *lab, size_t index);
void lab_unpin(struct lab *lab, size_t index);
/*
 * A generation that may be refused for want of space; was it? Then nothing has changed, and purging
 * makes room.
 */
bool lab_take_if_room(struct lab *lab, size_t changed);
/* A byte changes in up to `files` snapshot files of which there is a copy; returns in how many. */
size_t lab_rot(struct lab *lab, size_t files);
/* All of them are whole again. */
void lab_repair(struct lab *lab);
/* A generation is written to a stream, whole or beside another one (index), and read from it again. */
enum { LAB_WHOLE = LAB_GENERATIONS };
void lab_export(struct lab *lab, size_t index, size_t base);
void lab_import(struct lab *lab);
/* A file beside Snapper's is removed and made anew, with other content, in one transaction. */
void lab_replace_plain(struct lab *lab);
/* A generation in which nothing is left, and all others are purged. */
void lab_empty(struct lab *lab);
/* Unmounts and mounts again. */
void lab_remount(struct lab *lab);
/*
 * The plug, at some moment of the last step: what had been recorded is explored, then work goes on
 * on one of the states that the cut may have left.
 */
void lab_crash(struct lab *lab);

/* --- for the judge --- */

/*
 * The states that a cut behind so many records may leave: that of the last step that had returned,
 * or of those that the next call makes. Returns how many, at most LAB_ALLOWED_MAX.
 */
size_t lab_allowed(const struct lab *lab, size_t records,
                   const struct lab_state **allowed);
/* Content of an object's version; returns its size, at most LAB_SIZE_MAX. */
size_t lab_content(size_t index, u32 version, u8 *to);
u64 lab_id(size_t index);
void lab_plain_content(u32 version, u8 *to);
/* Does the image of this session hold exactly these generations, each to the byte? */
bool lab_state_matches(struct snapper *snapper, const struct lab_state *state,
                       const char **why);
