/* Damaged images, mounted and used: every structure. */
#include "tests/support/image_fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    return image_fuzz(data, size, 0x3F, ~0ULL);
}
