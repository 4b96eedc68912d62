#include "snapper/config.h"

#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/text_lines.h"

enum kind { BOOLEAN, NUMBER, SECONDS };

/* One row a key: where its value lies, and what may be in it. */
static const struct key {
    const char *name;
    enum kind kind;
    size_t offset;
    u64 minimum, maximum, initial;
} keys[CONFIG_KEY_COUNT] = {
#define FIELD(name) offsetof(struct snapper_config, name)
    { "verbose", BOOLEAN, FIELD(verbose), 0, 1, 0 },
    { "threshold", NUMBER, FIELD(threshold), 1, 1000000, 100 },
    { "integrity", BOOLEAN, FIELD(integrity), 0, 1, 1 },
    { "redundancy", NUMBER, FIELD(redundancy), 0, 255, 3 },
    { "copies", NUMBER, FIELD(copies), 0, 255, 2 },
    { "copy_budget", NUMBER, FIELD(copy_budget), 0, 1000000, 1024 },
    { "interval", SECONDS, FIELD(interval_microseconds), 0, 86400ULL * 1000000, 0 },
    { "max_snapshots", NUMBER, FIELD(max_snapshots), 0, 1000000, 0 },
    { "min_snapshots", NUMBER, FIELD(min_snapshots), 0, 1000000, 0 },
    { "expiration", NUMBER, FIELD(expiration), 0, UINT32_MAX, 0 },
    { "bufsize", NUMBER, FIELD(bufsize), 1, 1 << 30, 1 << 20 },
    { "reserve", NUMBER, FIELD(reserve), 0, 90, 5 },
    { "fallback", NUMBER, FIELD(fallback), 0, 9, 3 },
#undef FIELD
};

static u64 get_value(const struct snapper_config *config, const struct key *key)
{
    const u8 *field = (const u8 *)config + key->offset;

    return key->kind == BOOLEAN ? *(const bool *)field
                                : *(const u64 *)(const void *)field;
}

static void set_value(struct snapper_config *config, const struct key *key, u64 value)
{
    u8 *field = (u8 *)config + key->offset;

    if (key->kind == BOOLEAN)
        *(bool *)field = value != 0;
    else
        *(u64 *)(void *)field = value;
}

void config_defaults(struct snapper_config *config,
                     struct snapper_config_sources *sources)
{
    *config = (struct snapper_config){ 0 };
    *sources = (struct snapper_config_sources){ 0 };
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
        set_value(config, &keys[i], keys[i].initial);
}

static bool parse_boolean(const char *text, u64 *value)
{
    static const char *const words[2][4] = { { "false", "no", "off", "0" },
                                             { "true", "yes", "on", "1" } };

    for (u64 truth = 0; truth < 2; truth++)
        for (size_t i = 0; i < ARRAY_LENGTH(words[0]); i++)
            if (text_equal(text, words[truth][i])) {
                *value = truth;
                return true;
            }
    return false;
}

/* "2", "0.25" ... to microseconds; at most six digits after the point. */
static bool parse_seconds(const char *text, u64 *microseconds)
{
    const char *point = strchr(text, '.');
    size_t whole_length = point ? (size_t)(point - text) : strlen(text);
    size_t digits = point ? strlen(point + 1) : 0;
    u64 whole, fraction = 0;

    if (!digits_to_u64(text, whole_length, 10, &whole) || whole > UINT32_MAX)
        return false;
    if (point && (digits > 6 || !digits_to_u64(point + 1, digits, 10, &fraction)))
        return false;
    for (; digits < 6; digits++)
        fraction *= 10;
    *microseconds = whole * 1000000 + fraction;
    return true;
}

static bool parse_value(const struct key *key, const char *text, u64 *value)
{
    bool understood = key->kind == BOOLEAN   ? parse_boolean(text, value)
                      : key->kind == SECONDS ? parse_seconds(text, value)
                                             : text_to_u64(text, value);

    return understood && *value >= key->minimum && *value <= key->maximum;
}

enum status config_set(struct snapper_config *config,
                       struct snapper_config_sources *sources, const char *name,
                       const char *text, enum config_source source)
{
    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        u64 value;

        if (!text_equal(keys[i].name, name))
            continue;
        if (!parse_value(&keys[i], text, &value))
            return ERR_INVALID_ARGUMENT;
        set_value(config, &keys[i], value);
        sources->of[i] = source;
        return OK;
    }
    return ERR_NOT_FOUND;
}

u32 config_parse(struct snapper_config *config, struct snapper_config_sources *sources,
                 const char *text, size_t size, const char *origin)
{
    struct text_lines lines = { text, size, 0, 0 };
    struct text_line line;
    u32 wrong = 0;

    while (text_lines_next(&lines, &line)) {
        enum status status = line.well_formed ? config_set(config, sources, line.key,
                                                           line.value, CONFIG_FILE)
                                              : ERR_CORRUPT;
        if (status == OK)
            continue;
        wrong++;
        if (status == ERR_NOT_FOUND)
            log_warning("%s line %u: unknown key '%s'", origin, line.number, line.key);
        else if (status == ERR_INVALID_ARGUMENT)
            log_warning("%s line %u: bad value '%s' for '%s'", origin, line.number,
                        line.value, line.key);
        else
            log_warning("%s line %u: not 'key = value': '%s'", origin, line.number,
                        line.key);
    }
    return wrong;
}

const char *config_key_name(size_t index)
{
    return keys[index].name;
}

void config_value_text(const struct snapper_config *config, size_t index, char *to,
                       size_t size)
{
    const struct key *key = &keys[index];
    u64 value = get_value(config, key);

    if (key->kind == BOOLEAN)
        format_text(to, size, "%s", value ? "true" : "false");
    else if (key->kind == SECONDS && value % 1000000 != 0)
        format_text(to, size, "%lu.%06lu", value / 1000000, value % 1000000);
    else
        format_text(to, size, "%lu", key->kind == SECONDS ? value / 1000000 : value);
}
