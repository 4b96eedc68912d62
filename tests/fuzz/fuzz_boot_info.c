/* The multiboot information that a boot loader hands over. */
#include "boot/boot_info.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct boot_info info;

    if (size < 2)
        return 0;
    u8 *raw = (u8 *)copied(data + 2, size - 2);
    if (boot_info_decode(raw, size - 2, data[0] | (u64)data[1] << 8, &info) == OK) {
        require(info.range_count > 0 && info.range_count <= BOOT_RANGES_MAX);
        require(memchr(info.command_line, '\0', sizeof info.command_line) != NULL);
    }
    free(raw);
    return 0;
}
