/* The first bytes of a snapshot file, and what the original program's files and archives say. */
#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "snapper/reference.h"
#include "snapper/snapshot_file.h"
#include "tests/fuzz/fuzz.h"

static void decode_reference(u8 *raw, size_t size)
{
    struct reference_archive archive;
    struct reference_record record;
    struct reference_file file;
    const char *why = NULL;

    (void)!reference_file_decode(raw, size, REFERENCE_XXH32, &file);
    (void)!reference_file_decode(raw, size, REFERENCE_CRC32, &file);
    if (size >= 13)
        put_le32(raw + 1, crc32_update(0, raw + 13, size - 13));
    if (reference_archive_decode(raw, size, &archive, &why) != OK) {
        require(why != NULL);
        return;
    }
    require(archive.count <= size);
    for (u64 i = 0; i < archive.count; i++)
        if (reference_archive_record(&archive, i, &record) == OK)
            require(strlen(record.path) < REFERENCE_PATH_SIZE);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct snapshot_file_header header;
    u8 *raw = (u8 *)copied(data, size);

    (void)!snapshot_file_header_decode(raw, size, &header);
    decode_reference(raw, size);
    free(raw);
    return 0;
}
