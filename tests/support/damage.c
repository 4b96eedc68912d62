#include "tests/support/damage.h"

#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "tests/support/image_seal.h"

#include <stdlib.h>
#include <string.h>

/* --- decisions --- */

struct damage_source damage_source_seed(u64 seed)
{
    struct damage_source source = { .random = seed * 0x9E3779B97F4A7C15ULL | 1 };
    random_next(&source.random);
    return source;
}

struct damage_source damage_source_bytes(const u8 *data, size_t size)
{
    return (struct damage_source){ .data = data ? data : (const u8 *)"", .size = size };
}

bool damage_source_is_empty(const struct damage_source *source)
{
    return source->data && source->at >= source->size;
}

u64 damage_draw(struct damage_source *source, u64 below)
{
    u64 value = 0;

    if (!source->data)
        return (random_next(&source->random) >> 16) % below;
    for (u64 limit = 1; limit < below && limit < 1ULL << 56; limit <<= 8)
        value = value << 8 | (source->at < source->size ? source->data[source->at++] : 0);
    return value % below;
}

/* --- what may be damaged --- */

void damage_open(struct damage *damage, const struct image_places *places, u64 kinds)
{
    *damage = (struct damage){ .places = places };
    for (enum place_kind kind = 0; kind < PLACE_KINDS; kind++)
        if (kinds >> kind & 1 && image_places_count(places, kind) > 0)
            damage->kinds |= 1ULL << kind;
    ASSERT(damage->kinds != 0);
    damage->image = malloc(places->image.size_bytes);
    ASSERT(damage->image);
    memcpy(damage->image, places->image.bytes, places->image.size_bytes);
}

void damage_close(struct damage *damage)
{
    free(damage->image);
}

/* Each kind is as likely as another, however many there are of it. */
static const struct place *draw_place(const struct damage *damage,
                                      struct damage_source *source)
{
    size_t nth = damage_draw(source, (u64)__builtin_popcountll(damage->kinds));
    enum place_kind kind = 0;

    while (!(damage->kinds >> kind & 1) || nth-- > 0)
        kind++;
    return image_place(damage->places, kind,
                       damage_draw(source, image_places_count(damage->places, kind)));
}

static const struct place *draw_any(const struct damage *damage,
                                    struct damage_source *source)
{
    return &damage->places->items[damage_draw(source, damage->places->count)];
}

static void remember(struct damage *damage, u64 at, u64 size)
{
    damage->changed[damage->changed_count].at = at;
    damage->changed[damage->changed_count].size = size;
    damage->changed_count++;
}

void damage_undo(struct damage *damage)
{
    for (size_t i = 0; i < damage->changed_count; i++)
        memcpy(damage->image + damage->changed[i].at,
               damage->places->image.bytes + damage->changed[i].at,
               damage->changed[i].size);
    damage->changed_count = 0;
    damage->sealed = false;
    damage->first[0] = '\0';
}

/* --- values --- */

static bool is_big_endian(enum place_kind kind)
{
    return kind >= PLACE_JOURNAL_SUPERBLOCK && kind <= PLACE_JOURNAL_COMMIT;
}

static u64 get(const struct place *place, const u8 *raw, u32 width)
{
    u64 value = 0;
    for (u32 i = 0; i < width; i++)
        value = value << 8 | raw[is_big_endian(place->kind) ? i : width - 1 - i];
    return value;
}

static void put(const struct place *place, u8 *raw, u32 width, u64 value)
{
    for (u32 i = 0; i < width; i++, value >>= 8)
        raw[is_big_endian(place->kind) ? width - 1 - i : i] = (u8)value;
}

/* A number that hurts: a limit, a neighbour of the old one, another structure's block or inode. */
static u64 draw_value(const struct damage *damage, struct damage_source *source, u64 old)
{
    static const u64 limits[] = {
        0,          1,          2,          0x7F,         0x80,        0xFF,
        0x7FFF,     0x8000,     0xFFFF,     0x10000,      0x7FFFFFFF,  0x80000000,
        0xFFFFFFFE, 0xFFFFFFFF, 1ULL << 32, 1ULL << 47,   ~0ULL << 63, ~0ULL >> 1,
        ~0ULL,      4095,       4096,       0xFFFFFFF000, 32768,       32769
    };
    u32 block_size = damage->places->fs->superblock.block_size;
    const struct place *other;

    switch (damage_draw(source, 8)) {
    case 0:
    case 1:
        return limits[damage_draw(source, ARRAY_LENGTH(limits))];
    case 2:
        return old + damage_draw(source, 9) - 4;
    case 3:
        return old ^ 1ULL << damage_draw(source, 64);
    case 4:
        return damage_draw(source, 1ULL << 16);
    case 5:
        other = draw_any(damage, source);
        return other->owner;
    case 6:
        return damage_draw(source, damage->places->fs->superblock.block_count + 8);
    default:
        other = draw_any(damage, source);
        return other->at / block_size;
    }
}

/* --- damage --- */

static void put_value(struct damage *damage, const struct place *place,
                      struct damage_source *source)
{
    u32 width = 1u << damage_draw(source, 4);
    u32 room = place->size / width;

    if (room == 0)
        return;
    /* Most structures are all header, and headers are where it hurts. */
    if (damage_draw(source, 2) && room > 64 / width)
        room = 64 / width;
    u8 *raw = damage->image + place->at + damage_draw(source, room) * width;
    put(place, raw, width, draw_value(damage, source, get(place, raw, width)));
}

/* Records that appear twice, or at another place. */
static void move_bytes(struct damage *damage, const struct place *place,
                       struct damage_source *source)
{
    u32 units = place->size / 4;
    u32 size = 4 * (1 + (u32)damage_draw(source, 16));

    if (size >= place->size)
        return;
    u64 from = damage_draw(source, units) * 4, to = damage_draw(source, units) * 4;
    if (from + size <= place->size && to + size <= place->size)
        memmove(damage->image + place->at + to, damage->image + place->at + from, size);
}

static void fill(struct damage *damage, const struct place *place,
                 struct damage_source *source)
{
    u64 at = damage_draw(source, place->size);
    u64 size = 1 + damage_draw(source, place->size - at);

    memset(damage->image + place->at + at, damage_draw(source, 2) ? 0 : 0xFF, size);
}

static void become_another(struct damage *damage, const struct place *place,
                           struct damage_source *source)
{
    const struct place *other =
        image_place(damage->places, place->kind,
                    damage_draw(source, image_places_count(damage->places, place->kind)));
    u32 size = place->size < other->size ? place->size : other->size;

    memmove(damage->image + place->at, damage->image + other->at, size);
}

void damage_do(struct damage *damage, struct damage_source *source)
{
    const struct place *place = draw_place(damage, source);

    if (damage->changed_count + 2 > ARRAY_LENGTH(damage->changed))
        return;
    remember(damage, place->at, place->size);
    if (place->seal_at)
        remember(damage, place->seal_at, damage->places->fs->superblock.block_size);
    switch (damage_draw(source, 8)) {
    case 0:
        move_bytes(damage, place, source);
        break;
    case 1:
        become_another(damage, place, source);
        break;
    case 2:
        fill(damage, place, source);
        break;
    default:
        put_value(damage, place, source);
        break;
    }
    bool seal = damage_draw(source, 8) != 0;
    if (seal)
        image_seal(damage->places, place, damage->image);
    damage->sealed = damage->sealed || seal;
    if (!damage->first[0])
        format_text(damage->first, sizeof damage->first, "%s of %u at %lu%s",
                    place_kind_name(place->kind), place->owner, place->at,
                    seal ? "" : ", not sealed");
}
