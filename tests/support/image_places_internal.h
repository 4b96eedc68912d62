/* The parts of image_places.c; included by tests/support/image_places*.c alone. */
#pragma once

#include "tests/support/image_places.h"

void places_add(struct image_places *places, const struct place *place);
/* Ends the program if not OK. */
void places_require(enum status status);

/* Inodes in use and the blocks of their maps, directories, the orphan file. */
void places_find_inodes(struct image_places *places);
/* The journal's superblock, and what is in its log if it is live. */
void places_find_journal(struct image_places *places);
/* Files of Snapper: the first block of each. */
void places_find_snapper(struct image_places *places);
