/*
 * /snapper.conf, read off the image.
 */
#pragma once

#include "snapper/config.h"
#include "snapper/store.h"

/*
 * Applies the file's lines to `config`. Without the file all stays as it is. Whatever is wrong (a line,
 * a file that cannot be read) is one line in the log each, and the values so far hold; `problems` counts
 * (may be NULL).
 */
void config_file_read(struct store *store, struct snapper_config *config,
                      struct snapper_config_sources *sources, u32 *problems);
