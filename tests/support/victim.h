/*
 * Images with something of everything, to be damaged: directories with and without an index, files of
 * many extents or pointers, symbolic links, generations of Snapper with copies, a live journal.
 */
#pragma once

#include "snapper/snapper.h"
#include "snapper/store/ext4_store.h"
#include "tests/support/image_places.h"

enum { VICTIM_IDS = 12, VICTIM_GENERATIONS = 4, VICTIM_OBJECT_MAX = 1000 };

enum { VICTIM_SECONDS = 1780000000 }; /* when it was made, since 1970 */

struct victim {
    const char *name;
    struct image_places places;
    struct snapper_config config;
    struct generation_name generations[VICTIM_GENERATIONS];
};

extern const char *const victim_names[];
extern const size_t victim_count;

/* The same to the byte each time. Whatever goes wrong ends the program. */
void victim_open(struct victim *victim, size_t which);
void victim_close(struct victim *victim);

/* An object's content in the generation of this index; returns its size. */
size_t victim_content(size_t generation, u64 id, u8 *to);
