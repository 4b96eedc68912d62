/* The files of Snapper on an image: archives, snapshot files, state, configuration. */
#include "tests/support/image_fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    return image_fuzz(data, size, 0x29,
                      PLACE_BIT(PLACE_ARCHIVE) | PLACE_BIT(PLACE_SNAPSHOT_FILE) |
                          PLACE_BIT(PLACE_STATE) | PLACE_BIT(PLACE_CONFIG));
}
