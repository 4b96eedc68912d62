/*
 * Checksums and copies of many bytes, by the routine that is fastest on this machine.
 *
 * Which one that is differs: emulators are quick with tables and slow with carry-less multiplication,
 * processors the other way round. So the candidates are timed at boot, after each has been compared
 * with the plain one.
 */
#pragma once

#include "kernel/base/types.h"

/* Times the candidates and chooses. Before it, the plain routines are used. */
void bulk_choose(void);

/* The raw registers, as kernel/base/crc.h's by_tables routines. */
u32 bulk_crc32(u32 crc, const void *data, size_t size);
u32 bulk_crc32c(u32 crc, const void *data, size_t size);

/* 4 KiB from page to page. */
void bulk_copy_page(void *to, const void *from);

/* The routines chosen: "tables", "multiplication" ... */
struct bulk_names {
    const char *crc32, *crc32c, *crc32c_short, *copy;
};
struct bulk_names bulk_names(void);
