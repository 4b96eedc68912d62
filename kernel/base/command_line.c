#include "kernel/base/command_line.h"

#include "kernel/base/string.h"

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\n' ||
           character == '\r';
}

static bool is_escapable(char character)
{
    return character == '"' || character == '\'' || character == '\\';
}

static void item_append(struct command_line_item *item, size_t *length, char character)
{
    char *text = item->has_value ? item->value : item->key;
    size_t limit = item->has_value ? COMMAND_LINE_VALUE_MAX : COMMAND_LINE_KEY_MAX;

    if (*length == limit) {
        item->cut_off = true;
        return;
    }
    text[(*length)++] = character;
    text[*length] = 0;
}

/* Reads one word at `at`, which is not a space; returns where it ends. */
static size_t read_item(const char *line, size_t at, struct command_line_item *item)
{
    bool quoted = false;
    size_t length = 0;

    item->key[0] = item->value[0] = 0;
    item->has_value = item->cut_off = false;
    for (; line[at] != 0 && (quoted || !is_space(line[at])); at++) {
        if (line[at] == '\\' && is_escapable(line[at + 1])) {
            item_append(item, &length, line[++at]);
        } else if (line[at] == '"') {
            quoted = !quoted;
        } else if (line[at] == '=' && !item->has_value) {
            item->has_value = true;
            length = 0;
        } else {
            item_append(item, &length, line[at]);
        }
    }
    return at;
}

static bool is_kernel_path(const struct command_line_item *item)
{
    size_t length = strlen(item->key);

    if (item->has_value)
        return false;
    return strchr(item->key, '/') != NULL ||
           (length >= 4 && text_equal(item->key + length - 4, ".elf"));
}

bool command_line_next(const char *line, size_t *cursor, struct command_line_item *item)
{
    bool first = *cursor == 0;
    size_t at = *cursor;

    for (;;) {
        while (is_space(line[at]))
            at++;
        if (line[at] == 0)
            return false;
        at = read_item(line, at, item);
        if (!first || !is_kernel_path(item))
            break;
        first = false;
    }
    *cursor = at;
    return true;
}

bool command_line_get(const char *line, const char *key, char *value, size_t size)
{
    struct command_line_item item;
    size_t cursor = 0;
    bool found = false;

    while (command_line_next(line, &cursor, &item)) {
        if (!item.has_value || item.cut_off || !text_equal(item.key, key))
            continue;
        if (strlen(item.value) >= size)
            continue;
        memcpy(value, item.value, strlen(item.value) + 1);
        found = true;
    }
    return found;
}

bool command_line_has(const char *line, const char *word)
{
    struct command_line_item item;
    size_t cursor = 0;

    while (command_line_next(line, &cursor, &item)) {
        if (!item.has_value && text_equal(item.key, word))
            return true;
    }
    return false;
}
