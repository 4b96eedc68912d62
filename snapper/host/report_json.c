#include "snapper/host/report_json.h"

#include <stdlib.h>

static struct report_json *json_of(struct report *report)
{
    return (struct report_json *)report;
}

/* Bytes of the character at `text`; 0: not UTF-8 (then U+FFFD: JSON has no other text). */
static size_t sequence_length(const u8 *text)
{
    static const struct {
        u8 mask, bits;
    } forms[] = { { 0xE0, 0xC0 }, { 0xF0, 0xE0 }, { 0xF8, 0xF0 } }; /* 2, 3, 4 bytes */

    if (text[0] < 0x80)
        return 1;
    for (size_t form = 0; form < ARRAY_LENGTH(forms); form++) {
        if ((text[0] & forms[form].mask) != forms[form].bits)
            continue;
        for (size_t i = 1; i <= form + 1; i++)
            if ((text[i] & 0xC0) != 0x80)
                return 0;
        bool overlong = text[0] < 0xC2 || (text[0] == 0xE0 && text[1] < 0xA0) ||
                        (text[0] == 0xF0 && text[1] < 0x90);
        bool beyond = (text[0] == 0xED && text[1] > 0x9F) || text[0] > 0xF4 ||
                      (text[0] == 0xF4 && text[1] > 0x8F);
        return overlong || beyond ? 0 : form + 2;
    }
    return 0;
}

static void put_text(FILE *stream, const char *text)
{
    const u8 *at = (const u8 *)text;

    fputc('"', stream);
    while (*at != '\0') {
        size_t length = sequence_length(at);
        if (length == 0)
            fputs("\\ufffd", stream);
        else if (*at == '"' || *at == '\\')
            fprintf(stream, "\\%c", *at);
        else if (*at < 0x20)
            fprintf(stream, "\\u%04x", *at);
        else
            fwrite(at, 1, length, stream);
        at += length > 0 ? length : 1;
    }
    fputc('"', stream);
}

/* What stands before a value: a comma, and its key. */
static FILE *begin_value(struct report_json *json, const char *key)
{
    if (json->comma)
        fputs(", ", json->stream);
    json->comma = true;
    if (key != NULL) {
        put_text(json->stream, key);
        fputs(": ", json->stream);
    }
    return json->stream;
}

static void json_word(struct report *report, const char *key, const char *value)
{
    FILE *stream = begin_value(json_of(report), key);

    if (value[0] != '\0')
        put_text(stream, value);
    else
        fputs("null", stream);
}

static void json_number(struct report *report, const char *key, u64 value)
{
    fprintf(begin_value(json_of(report), key), "%lu", value);
}

static void json_flag(struct report *report, const char *key, bool value)
{
    fputs(value ? "true" : "false", begin_value(json_of(report), key));
}

static void json_list_begin(struct report *report, const char *key)
{
    struct report_json *json = json_of(report);

    fputs("[", begin_value(json, json->bare ? NULL : key));
    json->comma = false;
}

static void json_list_end(struct report *report)
{
    fputs("]", json_of(report)->stream);
    json_of(report)->comma = true;
}

static void json_item_begin(struct report *report)
{
    fputs("\n  {", begin_value(json_of(report), NULL));
    json_of(report)->comma = false;
}

static void json_item_end(struct report *report)
{
    fputs("}", json_of(report)->stream);
    json_of(report)->comma = true;
}

static void json_line(struct report *report, const char *line)
{
    (void)report;
    (void)line;
}

bool report_json_open(struct report_json *json, bool bare)
{
    static const struct report_operations operations = {
        .word = json_word,
        .number = json_number,
        .size = json_number,
        .flag = json_flag,
        .list_begin = json_list_begin,
        .list_end = json_list_end,
        .item_begin = json_item_begin,
        .item_end = json_item_end,
        .line = json_line,
    };

    *json = (struct report_json){ .report = { .operations = &operations }, .bare = bare };
    json->stream = open_memstream(&json->text, &json->size);
    if (json->stream == NULL)
        return false;
    if (!bare)
        fputs("{", json->stream);
    return true;
}

void report_json_close(struct report_json *json, bool print)
{
    fputs(json->bare ? "\n" : "}\n", json->stream);
    fclose(json->stream);
    if (print)
        fwrite(json->text, 1, json->size, stdout);
    free(json->text);
}
