/*
 * Integers in byte buffers. ext4, virtio and Snapper are little endian, jbd2 is big endian.
 * No alignment is assumed.
 */
#pragma once

#include "kernel/base/types.h"

static inline u16 get_le16(const u8 *p)
{
    return (u16)(p[0] | p[1] << 8);
}

static inline u32 get_le32(const u8 *p)
{
    return (u32)get_le16(p) | (u32)get_le16(p + 2) << 16;
}

static inline u64 get_le64(const u8 *p)
{
    return (u64)get_le32(p) | (u64)get_le32(p + 4) << 32;
}

static inline u16 get_be16(const u8 *p)
{
    return (u16)(p[0] << 8 | p[1]);
}

static inline u32 get_be32(const u8 *p)
{
    return (u32)get_be16(p) << 16 | (u32)get_be16(p + 2);
}

static inline u64 get_be64(const u8 *p)
{
    return (u64)get_be32(p) << 32 | (u64)get_be32(p + 4);
}

static inline void put_le16(u8 *p, u16 value)
{
    p[0] = (u8)value;
    p[1] = (u8)(value >> 8);
}

static inline void put_le32(u8 *p, u32 value)
{
    put_le16(p, (u16)value);
    put_le16(p + 2, (u16)(value >> 16));
}

static inline void put_le64(u8 *p, u64 value)
{
    put_le32(p, (u32)value);
    put_le32(p + 4, (u32)(value >> 32));
}

static inline void put_be16(u8 *p, u16 value)
{
    p[0] = (u8)(value >> 8);
    p[1] = (u8)value;
}

static inline void put_be32(u8 *p, u32 value)
{
    put_be16(p, (u16)(value >> 16));
    put_be16(p + 2, (u16)value);
}

static inline void put_be64(u8 *p, u64 value)
{
    put_be32(p, (u32)(value >> 32));
    put_be32(p + 4, (u32)value);
}
