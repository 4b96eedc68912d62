/*
 * Checksums for the fuzzers: kernel/base/crc.c without sanitizers, which slow it down four times, but
 * with its range looked at as a whole first. Linked by --wrap.
 */
#include <sanitizer/asan_interface.h>
#include <stdlib.h>

#include "kernel/base/crc.h"

u32 __real_crc32_update(u32 crc, const void *data, size_t size);
u32 __real_crc32c_update(u32 crc, const void *data, size_t size);
u32 __wrap_crc32_update(u32 crc, const void *data, size_t size);
u32 __wrap_crc32c_update(u32 crc, const void *data, size_t size);

static void check(const void *data, size_t size)
{
    void *wrong =
        size > 0 ? __asan_region_is_poisoned((void *)(uintptr_t)data, size) : NULL;

    if (wrong != NULL) {
        __asan_describe_address(wrong);
        abort();
    }
}

u32 __wrap_crc32_update(u32 crc, const void *data, size_t size)
{
    check(data, size);
    return __real_crc32_update(crc, data, size);
}

u32 __wrap_crc32c_update(u32 crc, const void *data, size_t size)
{
    check(data, size);
    return __real_crc32c_update(crc, data, size);
}
