#include "tests/support/user_host.h"

#include <stdlib.h>

#include "kernel/user/user.h"

enum { OUTPUT_SIZE = MIB, MEMORY_SIZE = 64 * MIB };

static struct {
    size_t used, limit;
    const char *input;
    char output[OUTPUT_SIZE];
    size_t output_size;
} host;

void user_host_reset(void)
{
    host.limit = MEMORY_SIZE;
    host.input = "";
    host.output_size = 0;
    host.output[0] = '\0';
}

void user_host_limit(size_t bytes)
{
    host.limit = host.used + bytes;
}

void user_host_input(const char *text)
{
    host.input = text;
}

const char *user_host_output(void)
{
    return host.output;
}

long memory_grow(size_t bytes)
{
    static _Alignas(PAGE_SIZE) u8 memory[MEMORY_SIZE];

    if (host.limit == 0)
        user_host_reset();
    if (bytes > host.limit - host.used)
        return ERR_NO_MEMORY;
    long address = (long)(memory + host.used);
    host.used += bytes;
    return address;
}

long console_write(const char *bytes, size_t size)
{
    size_t taken = size > 7 ? 7 : size; /* few at a time, as it may happen */

    if (taken > OUTPUT_SIZE - 1 - host.output_size)
        abort();
    memcpy(host.output + host.output_size, bytes, taken);
    host.output_size += taken;
    host.output[host.output_size] = '\0';
    return (long)taken;
}

long console_read(char *buffer, size_t size, enum read_mode mode)
{
    size_t taken = 0;

    while (taken < size && host.input[taken] != '\0') {
        buffer[taken] = host.input[taken];
        if (buffer[taken++] == '\n' && mode == READ_LINE)
            break;
    }
    host.input += taken;
    return (long)taken;
}

void process_exit(int code)
{
    exit(code);
}

long process_spawn(const char *path, const char *text, size_t size)
{
    (void)path, (void)text, (void)size;
    return ERR_UNSUPPORTED;
}
