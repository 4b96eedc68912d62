#include "snapper/text_lines.h"

#include "kernel/base/string.h"

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r';
}

/* `length` bytes without the blanks around them; false: too long, or bytes that are not text. */
static bool copy_trimmed(char *to, const char *from, size_t length)
{
    while (length > 0 && is_blank(from[0])) {
        from++;
        length--;
    }
    while (length > 0 && is_blank(from[length - 1]))
        length--;

    bool fits = length < TEXT_LINE_MAX;
    if (!fits)
        length = TEXT_LINE_MAX - 1;
    for (size_t at = 0; at < length; at++) {
        bool printable = (u8)from[at] >= ' ' && (u8)from[at] != 0x7f;
        to[at] = printable ? from[at] : '?';
        fits &= printable;
    }
    to[length] = '\0';
    return fits;
}

static void split_line(const char *start, size_t length, struct text_line *line)
{
    size_t equals = 0;

    line->value[0] = '\0';
    while (equals < length && start[equals] != '=')
        equals++;
    line->well_formed =
        copy_trimmed(line->key, start, equals) && equals < length &&
        copy_trimmed(line->value, start + equals + 1, length - equals - 1) &&
        line->key[0] != '\0';
}

bool text_lines_next(struct text_lines *lines, struct text_line *line)
{
    while (lines->at < lines->size) {
        const char *start = lines->text + lines->at;
        size_t rest = lines->size - lines->at;
        size_t end = 0;
        while (end < rest && start[end] != '\n')
            end++;
        lines->at += end < rest ? end + 1 : end;
        lines->number++;

        size_t length = 0;
        while (length < end && start[length] != '#')
            length++;
        size_t first = 0;
        while (first < length && is_blank(start[first]))
            first++;
        if (first == length)
            continue;
        line->number = lines->number;
        split_line(start, length, line);
        return true;
    }
    return false;
}
