/*
 * A snapshot file: the saved content of one object, listed by one or many generations.
 *
 *   offset  size  field
 *        0     1  version  SNAPPER_FORMAT_VERSION
 *        1     4  crc      CRC-32 (zlib) of the data, little endian
 *        5     1  rc       generations that list this file; a hint until settled (settle.h)
 *        6   ...  data
 *
 * The checksum covers the data alone, so rc is rewritten in place.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum {
    SNAPPER_FORMAT_VERSION = 2,
    SNAPSHOT_FILE_HEADER_SIZE = 6,
    SNAPSHOT_FILE_RC_OFFSET = 5,
};

struct snapshot_file_header {
    u32 crc;
    u8 rc;
};

/* Writes SNAPSHOT_FILE_HEADER_SIZE bytes. */
void snapshot_file_header_encode(const struct snapshot_file_header *header, u8 *raw);

/*
 * `raw` holds the first `size` bytes of a file, not trusted. ERR_CORRUPT: too short for a header;
 * ERR_UNSUPPORTED: another version wrote it.
 */
enum status snapshot_file_header_decode(const u8 *raw, size_t size,
                                        struct snapshot_file_header *header);
