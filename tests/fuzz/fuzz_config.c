/* /snapper.conf: whatever it says, each value stays one that can be written down and read again. */
#include "snapper/config.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct snapper_config config;
    struct snapper_config_sources sources;
    char value[32], line[96];
    char *copy = copied(data, size);

    config_defaults(&config, &sources);
    (void)config_parse(&config, &sources, copy, size, "fuzz");
    for (size_t index = 0; index < CONFIG_KEY_COUNT; index++) {
        struct snapper_config again = config;
        config_value_text(&config, index, value, sizeof value);
        int length =
            snprintf(line, sizeof line, "%s = %s\n", config_key_name(index), value);
        require(config_parse(&again, &sources, line, (size_t)length, "fuzz") == 0);
        require(memcmp(&again, &config, sizeof config) == 0);
    }
    free(copy);
    return 0;
}
