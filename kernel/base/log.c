#include "kernel/base/log.h"

#include "kernel/base/format.h"

enum { LOG_LINE_MAX = 256 };

void log_line(enum log_level level, const char *format, ...)
{
    char line[LOG_LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(line, sizeof line, format, arguments);
    va_end(arguments);
    port_log_line(level, line);
}
