/*
 * What a history of Snapper must look like, kept beside the real one: plain arrays, no files. The
 * rules of retention are written here a second time, from the specification.
 */
#pragma once

#include "tests/support/snapper_fixture.h"

enum { MODEL_IDS = 48, MODEL_GENERATIONS = 60, MODEL_SIZE_MAX = 200 };

/* What an object holds. Kept until the end, so that generations can share it. */
struct model_content {
    struct model_content *next;
    size_t size;
    u8 bytes[];
};

struct model_generation {
    char name[GENERATION_NAME_LENGTH + 1];
    char parent[GENERATION_NAME_LENGTH + 1];
    u64 time;
    bool pinned;
    struct model_content *objects[MODEL_IDS]; /* NULL: there is no such object */
};

struct model {
    struct fixture fixture;
    u64 random;
    u64 now;
    struct model_generation generations[MODEL_GENERATIONS + 1]; /* oldest first */
    size_t count;
    struct model_generation pending; /* what a commit now would list */
    struct model_generation base;    /* of the snapshot in creation */
    char current[GENERATION_NAME_LENGTH + 1];
    char target[GENERATION_NAME_LENGTH + 1];
    struct model_content *contents;
    bool creating;
    struct {
        u64 generations, parts, unchanged, copies, crashes, failures, purges, denials,
            expired, flips, repairs;
    } seen; /* what the history led to, so that a test can tell that it tested something */
};

void history_open(struct model *model, u64 seed);
void history_close(struct model *model);
u64 history_draw(struct model *model, u64 below);
/* Dense, sparse, and at both ends of what an id can be. */
u64 history_id(size_t index);
/* New bytes, or those of `before` (may be NULL), or other ones with the same checksum. */
struct model_content *history_content(struct model *model,
                                      const struct model_content *before);
struct model_generation *history_find(struct model *model, const char *name);

/* The commit that made `pending` a generation; then what the rules purge. */
void history_commit(struct model *model, const struct snapper_commit_report *report);
void history_remove(struct model *model, const char *name);
/* Applies max_snapshots and expiration; how many went. */
u32 history_expire(struct model *model);
/* May this one be purged by name? */
bool history_permits(const struct model *model,
                     const struct model_generation *generation);

/* The real one holds exactly this. */
void history_check_generation(struct model *model,
                              const struct model_generation *generation);
void history_check_list(struct model *model);

/* One bit of one file. */
struct history_flip {
    struct model *model;
    char path[256];
    u64 candidates;
    size_t at;
    u8 mask, flipped;
};

/* Flips one anywhere under /snapper but in an rc byte, which no checksum covers; false: no file. */
[[nodiscard]] bool history_flip(struct model *model, struct history_flip *flip);
/* Flips it back, unless the file was healed meanwhile. */
void history_unflip(struct model *model, const struct history_flip *flip);
