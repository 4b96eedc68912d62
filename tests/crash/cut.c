#include "tests/crash/cut.h"

#include "kernel/base/log.h"

#include <stdlib.h>
#include <string.h>

enum { CHANCES = 9 }; /* a sector arrives with a chance of 0/8 to 8/8 */

void cut_walk_open(struct cut_walk *walk, const u8 *base, size_t size_bytes,
                   const struct ram_disk_record *records, size_t count)
{
    *walk = (struct cut_walk){ .records = records,
                               .count = count,
                               .size_bytes = size_bytes,
                               .platter = malloc(size_bytes) };
    if (!walk->platter)
        port_panic(__FILE__, __LINE__, "the host has no memory left");
    memcpy(walk->platter, base, size_bytes);
}

void cut_walk_close(struct cut_walk *walk)
{
    free(walk->platter);
}

void cut_walk_to(struct cut_walk *walk, size_t records)
{
    ASSERT(records >= walk->at && records <= walk->count);
    for (; walk->at < records; walk->at++) {
        if (walk->records[walk->at].operation != DISK_FLUSH)
            continue;
        for (size_t i = walk->durable; i < walk->at; i++)
            memcpy(walk->platter + walk->records[i].sector * SECTOR_SIZE,
                   walk->records[i].data, walk->records[i].size_bytes);
        walk->durable = walk->at + 1;
    }
}

static u64 mix(u64 hash, u64 value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
    return hash ^ hash >> 29;
}

u64 cut_apply(const struct cut_walk *walk, u64 choice, struct layered_disk *to)
{
    u64 hash = mix(1, walk->durable);
    u64 state = mix(choice, walk->at) | 1;
    u64 chance = random_next(&state) >> 32;

    layered_disk_reset(to, walk->platter);
    for (size_t i = walk->durable; i < walk->at; i++) {
        const struct ram_disk_record *record = &walk->records[i];
        /* The draw goes on for each request, so that whole requests get lost, too. */
        u64 of_request =
            random_next(&state) >> 32 & 1 ? random_next(&state) >> 32 : chance;
        for (size_t at = 0; at < record->size_bytes; at += SECTOR_SIZE) {
            bool arrives = choice == 0 || (random_next(&state) >> 32) % (CHANCES - 1) <
                                              of_request % CHANCES;
            if (!arrives)
                continue;
            layered_disk_put(to, record->sector + at / SECTOR_SIZE, record->data + at);
            hash = mix(mix(hash, i), at);
        }
    }
    return hash;
}
