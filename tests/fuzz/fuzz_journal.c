/* Journals, replayed: superblock, descriptors, revokes, commits, and what waits in the log. */
#include "tests/support/image_fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    return image_fuzz(
        data, size, 0x15,
        PLACE_BIT(PLACE_JOURNAL_SUPERBLOCK) | PLACE_BIT(PLACE_JOURNAL_DESCRIPTOR) |
            PLACE_BIT(PLACE_JOURNAL_REVOKE) | PLACE_BIT(PLACE_JOURNAL_COMMIT) |
            PLACE_BIT(PLACE_JOURNAL_DATA));
}
