#include "snapper/report.h"

#include "kernel/base/format.h"
#include "snapper/generation_text.h"

void report_line(struct report *report, const char *format, ...)
{
    char line[REPORT_LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(line, sizeof line, format, arguments);
    va_end(arguments);
    report->operations->line(report, line);
}

static void text_line(struct report *report, const char *line)
{
    const struct report_text *text = (const struct report_text *)report;

    text->print(text->context, line);
}

static void text_word(struct report *report, const char *key, const char *value)
{
    report_line(report, "%s: %s", key, value[0] != '\0' ? value : "-");
}

static void text_number(struct report *report, const char *key, u64 value)
{
    report_line(report, "%s: %lu", key, value);
}

static void text_size(struct report *report, const char *key, u64 bytes)
{
    char size[24];

    size_text(bytes, size, sizeof size);
    report_line(report, "%s: %s", key, size);
}

static void text_flag(struct report *report, const char *key, bool value)
{
    report_line(report, "%s: %s", key, value ? "yes" : "no");
}

static void text_list_begin(struct report *report, const char *key)
{
    (void)report;
    (void)key;
}

static void text_mark(struct report *report)
{
    (void)report;
}

void report_text_init(struct report_text *text,
                      void (*print)(void *context, const char *line), void *context)
{
    static const struct report_operations operations = {
        .word = text_word,
        .number = text_number,
        .size = text_size,
        .flag = text_flag,
        .list_begin = text_list_begin,
        .list_end = text_mark,
        .item_begin = text_mark,
        .item_end = text_mark,
        .line = text_line,
    };

    *text = (struct report_text){ { &operations, true, false }, print, context };
}
