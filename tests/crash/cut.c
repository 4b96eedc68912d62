#include "tests/crash/cut.h"

#include "kernel/base/log.h"

#include <stdlib.h>
#include <string.h>

enum { CHANCES = 9 }; /* a sector arrives with a chance of 0/8 to 8/8 */

static u64 sector_number(u64 sector, const u8 *data)
{
    u64 hash = sector * 0x9E3779B97F4A7C15ULL + 1;

    for (size_t at = 0; at < SECTOR_SIZE; at += sizeof hash) {
        u64 word;
        memcpy(&word, data + at, sizeof word);
        hash = (hash ^ word) * 0xFF51AFD7ED558CCDULL;
        hash ^= hash >> 32;
    }
    return hash;
}

u64 cut_image_number(const u8 *bytes, size_t size_bytes)
{
    u64 sum = 0;
    for (size_t at = 0; at < size_bytes; at += SECTOR_SIZE)
        sum += sector_number(at / SECTOR_SIZE, bytes + at);
    return sum;
}

void cut_walk_open(struct cut_walk *walk, const u8 *base, u64 image, size_t size_bytes,
                   const struct ram_disk_record *records, size_t count)
{
    *walk = (struct cut_walk){ .records = records,
                               .count = count,
                               .size_bytes = size_bytes,
                               .platter = malloc(size_bytes),
                               .image = image };
    if (!walk->platter)
        port_panic(__FILE__, __LINE__, "the host has no memory left");
    memcpy(walk->platter, base, size_bytes);
}

void cut_walk_close(struct cut_walk *walk)
{
    free(walk->platter);
}

/* Everything that the record wrote is on the platter. */
static void make_durable(struct cut_walk *walk, const struct ram_disk_record *record)
{
    for (size_t at = 0; at < record->size_bytes; at += SECTOR_SIZE) {
        u64 sector = record->sector + at / SECTOR_SIZE;
        u8 *place = walk->platter + sector * SECTOR_SIZE;
        walk->image -= sector_number(sector, place);
        memcpy(place, record->data + at, SECTOR_SIZE);
        walk->image += sector_number(sector, place);
    }
}

void cut_walk_to(struct cut_walk *walk, size_t records)
{
    ASSERT(records >= walk->at && records <= walk->count);
    for (; walk->at < records; walk->at++) {
        if (walk->records[walk->at].operation != DISK_FLUSH)
            continue;
        for (size_t i = walk->durable; i < walk->at; i++)
            make_durable(walk, &walk->records[i]);
        walk->durable = walk->at + 1;
    }
}

u64 cut_loose_sectors(const struct cut_walk *walk)
{
    u64 sectors = 0;
    for (size_t i = walk->durable; i < walk->at; i++)
        sectors += walk->records[i].size_bytes / SECTOR_SIZE;
    return sectors;
}

static u64 mix(u64 hash, u64 value)
{
    hash = (hash ^ value) * 0x9E3779B97F4A7C15ULL;
    return hash ^ hash >> 29;
}

static u64 put(struct layered_disk *to, u64 sector, const u8 *data)
{
    u64 old = sector_number(sector, layered_disk_sector(to, sector));
    layered_disk_put(to, sector, data);
    return sector_number(sector, data) - old;
}

u64 cut_apply(const struct cut_walk *walk, u64 choice, struct layered_disk *to)
{
    u64 image = walk->image;
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
            if (arrives)
                image += put(to, record->sector + at / SECTOR_SIZE, record->data + at);
        }
    }
    return image;
}
