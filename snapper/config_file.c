#include "snapper/config_file.h"

#include "kernel/base/log.h"
#include "kernel/base/port.h"

static const char config_path[] = "/snapper.conf";
enum { CONFIG_FILE_MAX = 16 * KIB };

static enum status read_text(struct store *store, char **text, size_t *size)
{
    const struct store_operations *operations = store->operations;
    struct store_stat stat;
    u64 root, node;

    enum status status = operations->root(store, &root);
    if (status == OK)
        status = operations->lookup(store, root, config_path + 1, &node);
    if (status == OK)
        status = operations->stat(store, node, &stat);
    if (status != OK)
        return status;
    if (stat.is_directory)
        return ERR_IS_DIRECTORY;
    if (stat.size_bytes > CONFIG_FILE_MAX)
        return ERR_TOO_LARGE;
    *text = port_alloc((size_t)stat.size_bytes + 1);
    if (*text == NULL)
        return ERR_NO_MEMORY;
    status = operations->read(store, node, 0, *text, (size_t)stat.size_bytes, size);
    if (status != OK)
        port_free(*text);
    return status;
}

void config_file_read(struct store *store, struct snapper_config *config,
                      struct snapper_config_sources *sources, u32 *problems)
{
    u32 found = 0;
    char *text;
    size_t size;

    enum status status = read_text(store, &text, &size);
    if (status == OK) {
        found = config_parse(config, sources, text, size, config_path);
        port_free(text);
    } else if (status != ERR_NOT_FOUND) {
        log_error("%s: not read: %s", config_path, status_text(status));
        found = 1;
    }
    if (problems != NULL)
        *problems = found;
}
