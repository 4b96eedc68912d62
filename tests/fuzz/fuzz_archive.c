/* Archives, their checksum made right. What is accepted is what an encoder would have written. */
#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/port.h"
#include "snapper/archive.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/port_host.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct archive archive;
    u8 *encoded;
    size_t encoded_size;
    const char *why = NULL;
    u8 *raw = (u8 *)copied(data, size);

    port_host_measure();
    u64 before = port_host_peak_bytes();
    if (size >= 5)
        put_le32(raw + 1, crc32_update(0, raw + 5, size - 5));
    if (archive_decode(raw, size, &archive, &why) == OK) {
        require(archive_encode(&archive, &encoded, &encoded_size) == OK);
        require(encoded_size == size && memcmp(encoded, raw, size) == 0);
        port_free(encoded);
        archive_destroy(&archive);
    } else {
        require(why != NULL && *why != '\0');
    }
    /* A run takes 8 bytes and more of the file, a generation 12. */
    require(port_host_peak_bytes() - before <= 4096 + 32 * size);
    free(raw);
    return 0;
}
