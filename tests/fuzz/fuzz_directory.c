/* Directories, plain and indexed, symbolic links, and the inodes that lead to them. */
#include "tests/support/image_fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    return image_fuzz(data, size, 0x2B,
                      PLACE_BIT(PLACE_DIRECTORY) | PLACE_BIT(PLACE_INDEX_ROOT) |
                          PLACE_BIT(PLACE_INDEX_NODE) | PLACE_BIT(PLACE_SYMLINK) |
                          PLACE_BIT(PLACE_INODE));
}
