#include "kernel/user/user.h"

void print_bytes(const char *bytes, size_t size)
{
    while (size > 0) {
        long taken = console_write(bytes, size);
        if (taken <= 0)
            return;
        bytes += taken;
        size -= (size_t)taken;
    }
}

void print_text(const char *text)
{
    print_bytes(text, strlen(text));
}

void print(const char *format, ...)
{
    char text[LINE_SIZE];
    va_list arguments;

    va_start(arguments, format);
    size_t length = format_text_list(text, sizeof text, format, arguments);
    va_end(arguments);
    print_bytes(text, length < sizeof text ? length : sizeof text - 1);
}

bool read_line(char *line, size_t size)
{
    long got = console_read(line, size - 1, READ_LINE);

    if (got <= 0) {
        line[0] = '\0';
        return false;
    }
    size_t length = (size_t)got;
    if (line[length - 1] == '\n')
        length--;
    line[length] = '\0';
    return true;
}
