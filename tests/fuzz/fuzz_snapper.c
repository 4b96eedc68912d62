/*
 * What Snapper reads from an image: archives, snapshot files, state and configuration. The first
 * byte chooses the decoder. What is accepted must survive another round through the encoder.
 */
#include <stdlib.h>
#include <string.h>

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/port.h"
#include "snapper/archive.h"
#include "snapper/config.h"
#include "snapper/snapshot_file.h"
#include "snapper/state_file.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Its checksum made right: else hardly any input would get beyond it. */
static void decode_archive(const u8 *data, size_t size)
{
    struct archive archive;
    u8 *encoded;
    size_t encoded_size;
    u8 *raw = malloc(size);

    require(raw != NULL);
    memcpy(raw, data, size);
    if (size >= 5)
        put_le32(raw + 1, crc32_update(0, raw + 5, size - 5));
    if (archive_decode(raw, size, &archive, NULL) == OK) {
        require(archive_encode(&archive, &encoded, &encoded_size) == OK);
        require(encoded_size == size && memcmp(encoded, raw, size) == 0);
        port_free(encoded);
        archive_destroy(&archive);
    }
    free(raw);
}

static void decode_state(const u8 *data, size_t size)
{
    struct state_file state, again;
    char *text, *text_again;
    size_t text_size, text_size_again;

    if (state_file_decode((const char *)data, size, &state) != OK)
        return;
    require(state_file_encode(&state, &text, &text_size) == OK);
    require(state_file_decode(text, text_size, &again) == OK);
    require(state_file_encode(&again, &text_again, &text_size_again) == OK);
    require(text_size == text_size_again && memcmp(text, text_again, text_size) == 0);
    port_free(text);
    port_free(text_again);
    state_file_destroy(&state);
    state_file_destroy(&again);
}

static void decode_config(const u8 *data, size_t size)
{
    struct snapper_config config;
    struct snapper_config_sources sources;
    char value[32];

    config_defaults(&config, &sources);
    (void)config_parse(&config, &sources, (const char *)data, size, "fuzz");
    for (size_t index = 0; index < CONFIG_KEY_COUNT; index++)
        config_value_text(&config, index, value, sizeof value);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct snapshot_file_header header;

    if (size == 0)
        return 0;
    switch (data[0] & 3) {
    case 0:
        decode_archive(data + 1, size - 1);
        break;
    case 1:
        decode_state(data + 1, size - 1);
        break;
    case 2:
        decode_config(data + 1, size - 1);
        break;
    default:
        (void)snapshot_file_header_decode(data + 1, size - 1, &header);
    }
    return 0;
}
