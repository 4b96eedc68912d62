/*
 * Makes the checksum of a damaged structure right, so that what it says is looked at rather than
 * refused for its checksum. Where there is none to make, nothing happens.
 *
 * Works on raw bytes of the whole image; what it writes lies in the place, or at its seal_at.
 */
#pragma once

#include "tests/support/image_places.h"

void image_seal(const struct image_places *places, const struct place *place, u8 *image);
