#include "snapper/xxh32.h"

#include "kernel/base/endian.h"

enum { STRIPE = 16, LANES = 4 };

static const u32 prime1 = 2654435761u;
static const u32 prime2 = 2246822519u;
static const u32 prime3 = 3266489917u;
static const u32 prime4 = 668265263u;
static const u32 prime5 = 374761393u;

static u32 rotate_left(u32 value, u32 bits)
{
    return value << bits | value >> (32 - bits);
}

/* Four lanes of 32 bits, each over every fourth word. */
static u32 hash_stripes(const u8 *data, size_t stripes)
{
    u32 lanes[LANES] = { prime1 + prime2, prime2, 0, 0 - prime1 };

    for (; stripes > 0; stripes--, data += STRIPE)
        for (u32 i = 0; i < LANES; i++)
            lanes[i] =
                rotate_left(lanes[i] + get_le32(data + 4 * i) * prime2, 13) * prime1;
    return rotate_left(lanes[0], 1) + rotate_left(lanes[1], 7) +
           rotate_left(lanes[2], 12) + rotate_left(lanes[3], 18);
}

u32 xxh32(const void *data, size_t size)
{
    const u8 *at = data;
    const u8 *limit = at + size;
    u32 hash = prime5;

    if (size >= STRIPE) {
        hash = hash_stripes(at, size / STRIPE);
        at += size / STRIPE * STRIPE;
    }
    hash += (u32)size;
    for (; limit - at >= 4; at += 4)
        hash = rotate_left(hash + get_le32(at) * prime3, 17) * prime4;
    for (; at < limit; at++)
        hash = rotate_left(hash + *at * prime5, 11) * prime1;
    hash = (hash ^ hash >> 15) * prime2;
    hash = (hash ^ hash >> 13) * prime3;
    return hash ^ hash >> 16;
}
