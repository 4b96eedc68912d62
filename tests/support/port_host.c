#include "tests/support/port_host.h"

#include "kernel/base/crc.h"

#include <malloc.h>
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LOG_KEPT = 64 * 1024 };
enum { KEPT_BLOCKS = 16, KEPT_SIZE = 64 * 1024, KEPT_SIZE_MAX = 1024 * 1024 };

static u64 allocations;
static u64 outstanding, outstanding_bytes, peak_bytes;
static u64 failing_allocation;
static bool failing_for_good;
static char kept_log[LOG_KEPT];
static size_t kept_length;
static u64 fixed_time;
static u64 complaints;
static enum stage current_stage;

void port_host_fail_allocation(u64 nth, bool for_good)
{
    allocations = 0;
    failing_allocation = nth;
    failing_for_good = for_good;
}

u64 port_host_allocations(void)
{
    return allocations;
}

/*
 * Large blocks are kept for whoever asks for that size next, poisoned meanwhile: fresh ones cost page
 * faults, which is most of what a mount costs under sanitizers.
 */
static struct kept_block {
    void *memory;
    size_t size;
} kept_blocks[KEPT_BLOCKS];

static void *allocate(size_t size)
{
    for (size_t i = 0; size >= KEPT_SIZE && i < KEPT_BLOCKS; i++) {
        struct kept_block *kept = &kept_blocks[i];
        if (kept->memory == NULL || kept->size != size)
            continue;
        void *memory = kept->memory;
        kept->memory = NULL;
        ASAN_UNPOISON_MEMORY_REGION(memory, size);
        return memset(memory, 0, size);
    }
    return calloc(1, size ? size : 1);
}

/* Without sanitizers a block may be larger than what was asked for, and is then kept for nobody. */
static void release(void *memory, size_t size)
{
    bool keep = size >= KEPT_SIZE && size <= KEPT_SIZE_MAX;

    for (size_t i = 0; keep && i < KEPT_BLOCKS; i++)
        if (kept_blocks[i].memory == NULL) {
            kept_blocks[i] = (struct kept_block){ memory, size };
            ASAN_POISON_MEMORY_REGION(memory, size);
            return;
        }
    free(memory);
}

void *port_alloc(size_t size)
{
    allocations++;
    if (failing_allocation != 0 &&
        (allocations == failing_allocation ||
         (failing_for_good && allocations > failing_allocation)))
        return NULL;
    void *memory = allocate(size);
    if (memory == NULL)
        return NULL;
    outstanding++;
    outstanding_bytes += malloc_usable_size(memory);
    if (outstanding_bytes > peak_bytes)
        peak_bytes = outstanding_bytes;
    return memory;
}

void port_host_measure(void)
{
    peak_bytes = outstanding_bytes;
}

u64 port_host_peak_bytes(void)
{
    return peak_bytes;
}

u64 port_host_outstanding(void)
{
    return outstanding;
}

void port_free(void *memory)
{
    if (memory == NULL)
        return;
    size_t size = malloc_usable_size(memory);
    outstanding--;
    outstanding_bytes -= size;
    release(memory, size);
}

u64 port_now_microseconds(void)
{
    struct timespec now;

    if (fixed_time != 0)
        return fixed_time;
    clock_gettime(CLOCK_REALTIME, &now);
    return (u64)now.tv_sec * 1000000 + (u64)now.tv_nsec / 1000;
}

void port_host_set_time(u64 microseconds)
{
    fixed_time = microseconds;
}

enum stage port_stage(enum stage stage)
{
    enum stage before = current_stage;

    current_stage = stage;
    return before;
}

enum stage port_host_stage(void)
{
    return current_stage;
}

void port_log_line(enum log_level level, const char *line)
{
    static const char *const names[] = { "debug", "info", "warning", "error" };
    size_t length = strlen(line);

    complaints += level >= LOG_WARNING;
    if (getenv("TEST_LOG") != NULL)
        fprintf(stderr, "%s: %s\n", names[level], line);
    if (kept_length + length + 2 > sizeof kept_log)
        kept_length = 0;
    memcpy(kept_log + kept_length, line, length);
    kept_length += length;
    kept_log[kept_length++] = '\n';
    kept_log[kept_length] = '\0';
}

bool port_host_logged(const char *text)
{
    return kept_length > 0 && strstr(kept_log, text) != NULL;
}

void port_host_clear_log(void)
{
    kept_length = 0;
    kept_log[0] = '\0';
    complaints = 0;
}

u64 port_host_complaints(void)
{
    return complaints;
}

_Noreturn void port_panic(const char *file, int line, const char *message)
{
    fprintf(stderr, "%s:%d: %s\n", file, line, message);
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
