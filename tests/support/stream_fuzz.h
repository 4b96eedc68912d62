/*
 * Streams of exported generations, to be damaged, and an image to import them into.
 *
 * The image has two of a victim's generations; the streams are the other two: one whole, the next as
 * an increment on it, and one that builds on what the image has.
 */
#pragma once

#include "tests/support/damage.h"
#include "tests/support/victim.h"

enum { STREAMS = 3 };

struct stream_target {
    struct victim victim;
    struct {
        u8 *bytes;
        size_t size;
    } streams[STREAMS];
    struct ram_disk destination;
};

/* Whatever goes wrong ends the program. */
void stream_target_open(struct stream_target *target);

/* Damages a stream; returns its new size, at most `capacity`. */
size_t stream_damage(u8 *stream, size_t size, size_t capacity,
                     struct damage_source *source);
/* Makes all its checksums right, as far as it can be followed. */
void stream_seal(u8 *stream, size_t size);
