/*
 * What the files of a mounted ext4 should contain: a model in memory, driven by random operations
 * beside the real thing. Two states are kept, that of the running transaction and that of the last
 * commit.
 *
 * A difference ends the program with the seed and the step that lead to it.
 */
#pragma once

#include "kernel/fs/ext4/ext4.h"

enum { MODEL_FILES = 24, MODEL_FILE_SIZE = 96 * KIB };

struct model_file {
    bool exists;
    size_t size;
    u8 data[MODEL_FILE_SIZE]; /* zeros behind size */
};

struct model_state {
    struct model_file files[MODEL_FILES];
};

struct model {
    struct disk *disk;
    struct ext4 *fs;
    u64 seed, first_seed;
    size_t step;
    size_t largest; /* file size to go up to, at most MODEL_FILE_SIZE */
    struct model_state running, committed;
    u64 commits;
};

/* Mounts the disk, whose root has none of the model's files yet. Freed by model_close(). */
struct model *model_open(struct disk *disk, u64 seed, size_t largest);
/* One random operation; never commits, remounts or rolls back. */
void model_change(struct model *model);
void model_commit(struct model *model);
void model_rollback(struct model *model);
/* Unmounts (or drops, as if the power had failed) and mounts again. */
void model_remount(struct model *model);
void model_crash(struct model *model);
/* One of all the above. */
void model_step(struct model *model);
/* Every file, byte for byte. */
void model_compare(struct model *model);
/* Unmounts. */
void model_close(struct model *model);

/* Does a mounted file system hold exactly this state? */
bool model_state_matches(struct ext4 *fs, const struct model_state *state);
