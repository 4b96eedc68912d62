#include "snapper/snapshot_file.h"

#include "kernel/base/endian.h"

enum { VERSION_AT = 0, CRC_AT = 1 };

void snapshot_file_header_encode(const struct snapshot_file_header *header, u8 *raw)
{
    raw[VERSION_AT] = SNAPPER_FORMAT_VERSION;
    put_le32(raw + CRC_AT, header->crc);
    raw[SNAPSHOT_FILE_RC_OFFSET] = header->rc;
}

enum status snapshot_file_header_decode(const u8 *raw, size_t size,
                                        struct snapshot_file_header *header)
{
    if (size < SNAPSHOT_FILE_HEADER_SIZE)
        return ERR_CORRUPT;
    if (raw[VERSION_AT] != SNAPPER_FORMAT_VERSION)
        return ERR_UNSUPPORTED;
    *header = (struct snapshot_file_header){ get_le32(raw + CRC_AT),
                                             raw[SNAPSHOT_FILE_RC_OFFSET] };
    return OK;
}
