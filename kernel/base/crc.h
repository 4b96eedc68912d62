/*
 * CRC-32 (zlib, Snapper's files) and CRC-32C (Castagnoli, ext4 and jbd2).
 *
 * crc32() is the finished value that zlib.crc32() prints. The *_update() forms continue over
 * several pieces: crc32(a then b) == crc32_update(crc32_update(0, a), b), like zlib's.
 * crc32c_update() is the raw register as ext4 and jbd2 use it: no inversion at either end
 * (they start with ~0 or a seed and store the register).
 */
#pragma once

#include "kernel/base/types.h"

u32 crc32_update(u32 crc, const void *data, size_t size);
u32 crc32c_update(u32 crc, const void *data, size_t size);

static inline u32 crc32(const void *data, size_t size)
{
    return crc32_update(0, data, size);
}

/*
 * The registers as they are, without any inversion, by look-ups in tables: what a port may use for
 * port_crc32() and port_crc32c() if it has nothing faster.
 */
u32 crc32_by_tables(u32 crc, const void *data, size_t size);
u32 crc32c_by_tables(u32 crc, const void *data, size_t size);

/* CRC-16 with polynomial 0x8005 reflected (ext4 group descriptors without metadata_csum). */
u16 crc16_update(u16 crc, const void *data, size_t size);
