#include "snapper/varint.h"

enum { PAYLOAD_BITS = 7, MORE = 0x80 };

size_t varint_put(u8 *to, u64 value)
{
    size_t size = 0;

    for (; value >= MORE; value >>= PAYLOAD_BITS)
        to[size++] = (u8)(value | MORE);
    to[size++] = (u8)value;
    return size;
}

bool varint_get(struct byte_reader *reader, u64 *value)
{
    u64 result = 0;

    for (size_t at = 0; at < VARINT_SIZE_MAX && at < reader->left; at++) {
        u64 bits = reader->at[at] & (MORE - 1);
        u32 shift = (u32)at * PAYLOAD_BITS;

        if (bits << shift >> shift != bits)
            return false;
        result |= bits << shift;
        if (reader->at[at] & MORE)
            continue;
        if (bits == 0 && at > 0)
            return false;
        reader->at += at + 1;
        reader->left -= at + 1;
        *value = result;
        return true;
    }
    return false;
}

const u8 *bytes_get(struct byte_reader *reader, size_t size)
{
    const u8 *bytes = reader->at;

    if (size > reader->left)
        return NULL;
    reader->at += size;
    reader->left -= size;
    return bytes;
}
