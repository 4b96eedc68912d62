/*
 * kernel/base/port.h on the C library; port_log_line() is in messages.c.
 */
#include "kernel/base/port.h"

#include "kernel/base/crc.h"
#include "snapper/host/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static u64 set_time; /* 0: not set */

void clock_set(u64 microseconds)
{
    set_time = microseconds;
}

void *port_alloc(size_t size)
{
    return calloc(1, size > 0 ? size : 1);
}

void port_free(void *memory)
{
    free(memory);
}

u64 port_now_microseconds(void)
{
    struct timespec now;

    if (set_time != 0)
        return set_time;
    clock_gettime(CLOCK_REALTIME, &now);
    return (u64)now.tv_sec * 1000000 + (u64)now.tv_nsec / 1000;
}

/* Nobody asks. */
enum stage port_stage(enum stage stage)
{
    (void)stage;
    return STAGE_NONE;
}

_Noreturn void port_panic(const char *file, int line, const char *message)
{
    fprintf(stderr,
            "snapctl: %s:%d: %s: this is a mistake of snapctl; the image is as "
            "after a power cut\n",
            file, line, message);
    abort();
}

u32 port_crc32(u32 crc, const void *data, size_t size)
{
    return crc32_by_tables(crc, data, size);
}

u32 port_crc32c(u32 crc, const void *data, size_t size)
{
    return crc32c_by_tables(crc, data, size);
}
