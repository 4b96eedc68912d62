/*
 * Damage to an image, drawn from a seed or from a fuzzer's bytes: fields at their limits, blocks that
 * lead to each other or into the metadata, records doubled and moved, structures taken for another
 * of their kind; mostly with the checksum made right afterwards.
 */
#pragma once

#include "tests/support/image_places.h"

/* Where decisions come from: a fuzzer's bytes, zeros behind their end; or numbers from a seed. */
struct damage_source {
    const u8 *data; /* NULL: from `random` */
    size_t size, at;
    u64 random;
};

struct damage_source damage_source_seed(u64 seed);
struct damage_source damage_source_bytes(const u8 *data, size_t size);
u64 damage_draw(struct damage_source *source, u64 below);
bool damage_source_is_empty(const struct damage_source *source); /* never, from a seed */

/* What is damaged: a copy of the image, and what to undo. */
struct damage {
    const struct image_places *places;
    u64 kinds; /* a bit for each place_kind that may be damaged */
    u8 *image;
    bool sealed;     /* was any checksum made right? */
    char first[100]; /* the first structure damaged, in words */
    struct {
        u64 at;
        u64 size;
    } changed[64];
    size_t changed_count;
};

/* All kinds of which there are none in this image are left out of `kinds`. */
void damage_open(struct damage *damage, const struct image_places *places, u64 kinds);
void damage_close(struct damage *damage);
/* One more damage; nothing once there are as many as can be undone. */
void damage_do(struct damage *damage, struct damage_source *source);
/* As it was. */
void damage_undo(struct damage *damage);
