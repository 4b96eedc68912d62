/* Where files have their blocks: extents, pointers, inodes, bitmaps. */
#include "tests/support/image_fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    return image_fuzz(data, size, 0x29,
                      PLACE_BIT(PLACE_INODE) | PLACE_BIT(PLACE_EXTENT_NODE) |
                          PLACE_BIT(PLACE_POINTERS) | PLACE_BIT(PLACE_BLOCK_BITMAP));
}
