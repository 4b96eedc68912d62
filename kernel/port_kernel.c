#include "kernel/port_kernel.h"

#include "drivers/serial.h"
#include "kernel/arch/bulk.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/panic.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/mm/heap.h"
#include "kernel/persist/meter.h"

enum { MICROSECONDS_PER_SECOND = 1000000 };

static struct log_ring ring;
static void (*log_writer)(const char *text, size_t size) = serial_write;
static enum log_level log_level = LOG_INFO;
static u64 clock_base; /* wall clock at timer_microseconds() == 0 */

void *port_alloc(size_t size)
{
    return heap_alloc(size ? size : 1);
}

void port_free(void *memory)
{
    heap_free(memory);
}

u64 port_now_microseconds(void)
{
    return clock_base + timer_microseconds();
}

void kernel_clock_set(u64 now_microseconds)
{
    clock_base = now_microseconds - timer_microseconds();
}

void kernel_log_set_writer(void (*writer)(const char *text, size_t size))
{
    log_writer = writer;
}

void kernel_log_set_level(enum log_level level)
{
    log_level = level;
}

const struct log_ring *kernel_log(void)
{
    return &ring;
}

void port_log_line(enum log_level level, const char *line)
{
    static const char *const prefixes[] = { "debug: ", "", "warning: ", "error: " };
    char text[LOG_RING_LINE_MAX + 2];
    u64 now = timer_microseconds();

    format_text(text, sizeof text - 1, "[%5lu.%06lu] %s%s", now / MICROSECONDS_PER_SECOND,
                now % MICROSECONDS_PER_SECOND, prefixes[level], line);

    bool enabled = interrupts_save();
    log_ring_append(&ring, text);
    interrupts_restore(enabled);

    if (level < log_level)
        return;
    size_t length = strlen(text);
    text[length] = '\n';
    log_writer(text, length + 1);
}

_Noreturn void port_panic(const char *file, int line, const char *message)
{
    panic("%s:%d: %s", file, line, message);
}

enum stage port_stage(enum stage stage)
{
    return meter_switch(stage);
}

u32 port_crc32(u32 crc, const void *data, size_t size)
{
    enum stage outer = meter_switch(STAGE_CRC);
    u32 result = bulk_crc32(crc, data, size);

    (void)meter_switch(outer);
    return result;
}

u32 port_crc32c(u32 crc, const void *data, size_t size)
{
    return bulk_crc32c(crc, data, size);
}
