#include "kernel/base/crc.h"

#include "crc_tables.h"
#include "kernel/base/endian.h"
#include "kernel/base/port.h"

/* Slice-by-16: one step eats 16 bytes with 16 independent look-ups (design.md, section 7). */
static inline __attribute__((always_inline)) u32 update(const u32 table[16][256], u32 crc,
                                                        const u8 *data, size_t size)
{
    for (; size >= 16; data += 16, size -= 16) {
        u64 low = get_le64(data) ^ crc;
        u64 high = get_le64(data + 8);

        crc = table[15][low & 0xff] ^ table[14][low >> 8 & 0xff] ^
              table[13][low >> 16 & 0xff] ^ table[12][low >> 24 & 0xff] ^
              table[11][low >> 32 & 0xff] ^ table[10][low >> 40 & 0xff] ^
              table[9][low >> 48 & 0xff] ^ table[8][low >> 56] ^ table[7][high & 0xff] ^
              table[6][high >> 8 & 0xff] ^ table[5][high >> 16 & 0xff] ^
              table[4][high >> 24 & 0xff] ^ table[3][high >> 32 & 0xff] ^
              table[2][high >> 40 & 0xff] ^ table[1][high >> 48 & 0xff] ^
              table[0][high >> 56];
    }
    for (; size > 0; data++, size--)
        crc = crc >> 8 ^ table[0][(crc ^ *data) & 0xff];
    return crc;
}

u32 crc32_by_tables(u32 crc, const void *data, size_t size)
{
    return update(crc32_table, crc, data, size);
}

u32 crc32c_by_tables(u32 crc, const void *data, size_t size)
{
    return update(crc32c_table, crc, data, size);
}

u32 crc32_update(u32 crc, const void *data, size_t size)
{
    return ~port_crc32(~crc, data, size);
}

u32 crc32c_update(u32 crc, const void *data, size_t size)
{
    return port_crc32c(crc, data, size);
}

/* Rare and small (32-byte descriptors of old file systems): bit by bit. */
u16 crc16_update(u16 crc, const void *data, size_t size)
{
    const u8 *bytes = data;

    for (size_t at = 0; at < size; at++) {
        crc ^= bytes[at];
        for (int bit = 0; bit < 8; bit++)
            crc = (u16)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
    }
    return crc;
}
