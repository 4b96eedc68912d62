#include "snapper/state_file.h"

#include "kernel/base/checked.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/text_lines.h"

/* Begins every file; the digit of `boots` follows. */
static const char head_text[] =
    "# Snapper's state. Losing this file loses no generation.\n"
    "boots = ";

_Static_assert(sizeof head_text + 1 <= STATE_FILE_HEAD_SIZE, "digit and newline fit");

/* Where `name` is, or where it would be inserted. */
static size_t position_of(const struct name_list *list,
                          const struct generation_name *name)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (generation_name_compare(&list->names[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool name_list_contains(const struct name_list *list, const struct generation_name *name)
{
    size_t at = position_of(list, name);

    return at < list->count && generation_name_compare(&list->names[at], name) == 0;
}

enum status name_list_add(struct name_list *list, const struct generation_name *name)
{
    size_t at = position_of(list, name);

    if (name_list_contains(list, name))
        return OK;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 8;
        struct generation_name *names = port_alloc(capacity * sizeof *names);
        if (names == NULL)
            return ERR_NO_MEMORY;
        if (list->count > 0)
            memcpy(names, list->names, list->count * sizeof *names);
        port_free(list->names);
        list->names = names;
        list->capacity = capacity;
    }
    memmove(list->names + at + 1, list->names + at, (list->count - at) * sizeof *name);
    list->names[at] = *name;
    list->count++;
    return OK;
}

bool name_list_remove(struct name_list *list, const struct generation_name *name)
{
    size_t at = position_of(list, name);

    if (!name_list_contains(list, name))
        return false;
    list->count--;
    memmove(list->names + at, list->names + at + 1, (list->count - at) * sizeof *name);
    return true;
}

void name_list_clear(struct name_list *list)
{
    list->count = 0;
}

static enum status decode_line(struct state_file *state, const struct text_line *line)
{
    struct generation_name name;
    u64 time;

    if (text_equal(line->key, "boots") && text_to_u64(line->value, &state->boots)) {
        state->boots = min_u64(state->boots, STATE_FILE_BOOTS_MAX);
        return OK;
    }
    if (generation_name_decode(line->value, &time) &&
        text_copy(name.text, sizeof name.text, line->value)) {
        if (text_equal(line->key, "writing")) {
            state->writing = name;
            return OK;
        }
        if (text_equal(line->key, "target")) {
            state->target = name;
            return OK;
        }
        if (text_equal(line->key, "passing")) {
            state->passing = name;
            return OK;
        }
        if (text_equal(line->key, "purging"))
            return name_list_add(&state->purging, &name);
        if (text_equal(line->key, "pin"))
            return name_list_add(&state->pins, &name);
        if (text_equal(line->key, "settled"))
            return name_list_add(&state->settled, &name);
    }
    log_warning("snapper: /snapper.state line %u: '%s' ignored", line->number, line->key);
    return OK;
}

enum status state_file_decode(const char *text, size_t size, struct state_file *state)
{
    struct state_file result = { 0 };
    struct text_lines lines = { text, size, 0, 0 };
    struct text_line line;

    while (text_lines_next(&lines, &line)) {
        if (!line.well_formed) {
            log_warning("snapper: /snapper.state line %u is not 'key = value', ignored",
                        line.number);
            continue;
        }
        enum status status = decode_line(&result, &line);
        if (status != OK) {
            state_file_destroy(&result);
            return status;
        }
    }
    *state = result;
    return OK;
}

static size_t put_name(char *to, size_t size, size_t at, const char *key,
                       const struct generation_name *name)
{
    if (generation_name_is_empty(name))
        return at;
    size_t room = at < size ? size - at : 0;
    return at + format_text(room ? to + at : NULL, room, "%s = %s\n", key, name->text);
}

/* The length of the whole text; writes what fits. */
static size_t put_state(const struct state_file *state, char *to, size_t size)
{
    size_t at = format_text(to, size, "%s%lu\n", head_text,
                            min_u64(state->boots, STATE_FILE_BOOTS_MAX));

    at = put_name(to, size, at, "writing", &state->writing);
    for (size_t i = 0; i < state->purging.count; i++)
        at = put_name(to, size, at, "purging", &state->purging.names[i]);
    at = put_name(to, size, at, "target", &state->target);
    at = put_name(to, size, at, "passing", &state->passing);
    for (size_t i = 0; i < state->pins.count; i++)
        at = put_name(to, size, at, "pin", &state->pins.names[i]);
    for (size_t i = 0; i < state->settled.count; i++)
        at = put_name(to, size, at, "settled", &state->settled.names[i]);
    return at;
}

enum status state_file_encode(const struct state_file *state, char **text, size_t *size)
{
    size_t length = put_state(state, NULL, 0);
    char *result = port_alloc(length + 1);

    if (result == NULL)
        return ERR_NO_MEMORY;
    *size = put_state(state, result, length + 1);
    *text = result;
    return OK;
}

bool state_file_find_boots(const char *head, size_t size, size_t *at)
{
    size_t digit = sizeof head_text - 1;

    if (size < digit + 2 || memcmp(head, head_text, digit) != 0)
        return false;
    if (head[digit] < '0' || head[digit] > '9' || head[digit + 1] != '\n')
        return false;
    *at = digit;
    return true;
}

static enum status copy_list(const struct name_list *from, struct name_list *to)
{
    *to = (struct name_list){ 0 };
    if (from->count == 0)
        return OK;
    to->names = port_alloc(from->count * sizeof from->names[0]);
    if (to->names == NULL)
        return ERR_NO_MEMORY;
    memcpy(to->names, from->names, from->count * sizeof from->names[0]);
    to->count = to->capacity = from->count;
    return OK;
}

enum status state_file_copy(const struct state_file *state, struct state_file *copy)
{
    struct state_file result = *state;

    result.purging = result.pins = result.settled = (struct name_list){ 0 };
    enum status status = copy_list(&state->purging, &result.purging);
    if (status == OK)
        status = copy_list(&state->pins, &result.pins);
    if (status == OK)
        status = copy_list(&state->settled, &result.settled);
    if (status != OK) {
        state_file_destroy(&result);
        return status;
    }
    *copy = result;
    return OK;
}

void state_file_destroy(struct state_file *state)
{
    port_free(state->purging.names);
    port_free(state->pins.names);
    port_free(state->settled.names);
    *state = (struct state_file){ 0 };
}
