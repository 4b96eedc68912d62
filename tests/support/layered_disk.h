/*
 * A disk whose writes lie on a layer of their own above content that never changes, so that a state
 * is made and undone at the cost of the sectors it touches.
 *
 * Requests are done at once. With recording on, writes and flushes are kept as ram_disk keeps them.
 */
#pragma once

#include "tests/support/ram_disk.h"

struct layered_disk {
    struct disk disk; /* hand out &layered->disk */
    const u8 *below;  /* borrowed */
    size_t size_bytes;
    u8 *above;
    u32 *layer_of; /* by sector: `above` holds it if this is `layer` */
    u32 layer;
    u8 *flat; /* a request's content in one piece */
    size_t flat_size;

    /*
     * Not 0: behind `short_after` more requests the disk ends at this sector. What reaches further
     * fails, done up to there.
     */
    u64 short_at, short_after;
    bool struck; /* one has */

    bool recording;
    struct ram_disk_record *records;
    size_t record_count, record_capacity;
};

void layered_disk_open(struct layered_disk *layered, size_t size_bytes);
void layered_disk_close(struct layered_disk *layered);

/* The layer empty, nothing recorded, nothing short, `below` under it. */
void layered_disk_reset(struct layered_disk *layered, const u8 *below);
/* Puts one sector onto the layer, unrecorded. */
void layered_disk_put(struct layered_disk *layered, u64 sector, const u8 *data);
/* The content of one sector, until the next change. */
const u8 *layered_disk_sector(const struct layered_disk *layered, u64 sector);
void layered_disk_record(struct layered_disk *layered);
/* The content as a whole, into `to` (size_bytes). */
void layered_disk_copy(const struct layered_disk *layered, u8 *to);
