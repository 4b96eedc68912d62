#include "kernel/fs/ext4/dir_hash.h"

#include "kernel/base/checked.h"
#include "kernel/base/string.h"

/* The largest hash is taken: readers use it as the end of a directory. */
static const u32 HASH_RESERVED = 0xFFFFFFFE, HASH_LARGEST = 0xFFFFFFFC;

static const u32 default_state[4] = { 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476 };

static u32 rotate_left(u32 value, u32 bits)
{
    return value << bits | value >> (32 - bits);
}

static u32 widen(u8 byte, bool is_unsigned)
{
    return is_unsigned ? byte : (u32)(i32)(i8)byte;
}

static u32 legacy_hash(const u8 *name, size_t length, bool is_unsigned)
{
    u32 last = 0x12A3FE2D;
    u32 before = 0x37ABE8F9;

    for (size_t i = 0; i < length; i++) {
        u32 hash = before + (last ^ widen(name[i], is_unsigned) * 7152373);
        if (hash & 0x80000000)
            hash -= 0x7FFFFFFF;
        before = last;
        last = hash;
    }
    return last << 1;
}

/* The next `count` words of the name, big endian; what is missing is padded with its length. */
static void pack_words(const u8 *name, size_t length, bool is_unsigned, u32 *words,
                       size_t count)
{
    u32 padding = (u32)length | (u32)length << 8;
    padding |= padding << 16;
    size_t used = min_size(length, count * 4);

    for (size_t i = 0; i < count; i++) {
        u32 word = padding;
        for (size_t at = i * 4; at < used && at < i * 4 + 4; at++)
            word = widen(name[at], is_unsigned) + (word << 8);
        words[i] = word;
    }
}

static void tea_transform(u32 *state, const u32 *key)
{
    u32 a = state[0];
    u32 b = state[1];
    u32 sum = 0;

    for (int round = 0; round < 16; round++) {
        sum += 0x9E3779B9;
        a += ((b << 4) + key[0]) ^ (b + sum) ^ ((b >> 5) + key[1]);
        b += ((a << 4) + key[2]) ^ (a + sum) ^ ((a >> 5) + key[3]);
    }
    state[0] += a;
    state[1] += b;
}

static u32 md4_mix(int round, u32 x, u32 y, u32 z)
{
    switch (round) {
    case 0:
        return z ^ (x & (y ^ z));
    case 1:
        return (x & y) + ((x ^ y) & z);
    default:
        return x ^ y ^ z;
    }
}

/* MD4 cut to eight words of input: three rounds of eight steps. */
static void half_md4_transform(u32 *state, const u32 *input)
{
    static const u8 order[3][8] = { { 0, 1, 2, 3, 4, 5, 6, 7 },
                                    { 1, 3, 5, 7, 0, 2, 4, 6 },
                                    { 3, 7, 2, 6, 1, 5, 0, 4 } };
    static const u8 shifts[3][4] = { { 3, 7, 11, 19 },
                                     { 3, 5, 9, 13 },
                                     { 3, 9, 11, 15 } };
    static const u32 constants[3] = { 0, 0x5A827999, 0x6ED9EBA1 };
    u32 v[4] = { state[0], state[1], state[2], state[3] };

    for (int round = 0; round < 3; round++) {
        for (u32 step = 0; step < 8; step++) {
            u32 *a = &v[(4 - step % 4) % 4];
            u32 mixed = md4_mix(round, v[(5 - step % 4) % 4], v[(6 - step % 4) % 4],
                                v[(7 - step % 4) % 4]);
            *a = rotate_left(*a + mixed + input[order[round][step]] + constants[round],
                             shifts[round][step % 4]);
        }
    }
    for (size_t i = 0; i < 4; i++)
        state[i] += v[i];
}

static u32 keyed_hash(const struct ext4_hash_method *method, const u8 *name,
                      size_t length)
{
    bool seeded = !memory_is_zero(method->seed, sizeof method->seed);
    bool half_md4 = method->version == EXT4_HASH_HALF_MD4;
    size_t words = half_md4 ? 8 : 4;
    u32 state[4];
    u32 input[8];

    memcpy(state, seeded ? method->seed : default_state, sizeof state);
    for (size_t at = 0; at < length; at += words * 4) {
        pack_words(name + at, length - at, method->is_unsigned, input, words);
        if (half_md4)
            half_md4_transform(state, input);
        else
            tea_transform(state, input);
    }
    return half_md4 ? state[1] : state[0];
}

u32 ext4_name_hash(const struct ext4_hash_method *method, const u8 *name, size_t length)
{
    u32 hash = method->version == EXT4_HASH_LEGACY
                   ? legacy_hash(name, length, method->is_unsigned)
                   : keyed_hash(method, name, length);
    hash &= ~1U;
    return hash == HASH_RESERVED ? HASH_LARGEST : hash;
}
