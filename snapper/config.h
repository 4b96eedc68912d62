/*
 * Snapper's configuration: /snapper.conf on the image, overridden by the kernel's command line.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum config_source { CONFIG_DEFAULT, CONFIG_FILE, CONFIG_COMMAND_LINE };

/* Field names are the keys. Units as in spec section 6. */
struct snapper_config {
    bool verbose;
    bool integrity;
    u64 threshold;
    u64 redundancy;
    u64 copies;
    u64 copy_budget;
    u64 interval_microseconds; /* key: interval, seconds with fractions */
    u64 max_snapshots;
    u64 min_snapshots;
    u64 expiration;
    u64 bufsize;
    u64 reserve;
    u64 fallback; /* boots that die in a row, before the next falls back; 0: never */
};

enum { CONFIG_KEY_COUNT = 13 };

struct snapper_config_sources {
    enum config_source of[CONFIG_KEY_COUNT]; /* by key index */
};

void config_defaults(struct snapper_config *config,
                     struct snapper_config_sources *sources);

/*
 * Lines of `key = value`; '#' begins a comment. Unknown keys and bad values are reported by name
 * with `origin` and the line number, and the value so far holds. Returns how many were.
 */
u32 config_parse(struct snapper_config *config, struct snapper_config_sources *sources,
                 const char *text, size_t size, const char *origin);
/* One `key`, `value` pair; ERR_NOT_FOUND: no such key, ERR_INVALID_ARGUMENT: bad value. */
enum status config_set(struct snapper_config *config,
                       struct snapper_config_sources *sources, const char *key,
                       const char *value, enum config_source source);

/* For `snapper config`: the key's name and its value as text. index < CONFIG_KEY_COUNT. */
const char *config_key_name(size_t index);
void config_value_text(const struct snapper_config *config, size_t index, char *to,
                       size_t size);
