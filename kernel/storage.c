#include "kernel/storage.h"

#include "drivers/virtio_blk.h"
#include "kernel/base/command_line.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/ext4.h"
#include "snapper/config_file.h"
#include "snapper/store/ext4_store.h"

static const char config_prefix[] = "snapper.";

static struct {
    struct disk *disk;
    struct ext4 *fs;
    struct ext4_store store;
    struct snapper_config config;
    struct snapper_config_sources sources;
    struct snapper *snapper;
} storage;

struct disk *storage_disk(void)
{
    return storage.disk;
}

struct ext4 *storage_fs(void)
{
    return storage.fs;
}

bool storage_is_read_only(void)
{
    struct ext4_space space;

    if (!storage.fs)
        return true;
    ext4_space(storage.fs, &space);
    return space.read_only;
}

struct snapper *storage_snapper(void)
{
    return storage.snapper;
}

const struct snapper_config *storage_config(void)
{
    return &storage.config;
}

const struct snapper_config_sources *storage_config_sources(void)
{
    return &storage.sources;
}

static void open_disk(void)
{
    enum status status = virtio_blk_open(&storage.disk);
    if (status == ERR_NO_DEVICE)
        log_warning("storage: no virtio disk: memory ends with this machine");
    else if (status)
        log_error("storage: no usable disk: %s", status_text(status));
    else
        log_info("storage: %s: %lu MiB%s", storage.disk->name,
                 storage.disk->sector_count * SECTOR_SIZE / MIB,
                 storage.disk->read_only ? ", read-only" : "");
}

static void mount_image(void)
{
    struct ext4_mount_options options = { 0 };
    struct ext4_space space;
    enum status status = ext4_mount(storage.disk, &options, &storage.fs);

    if (status == ERR_CORRUPT || status == ERR_UNSUPPORTED)
        return; /* told by ext4, with what and where */
    if (status) {
        log_error("storage: %s: not mounted: %s", storage.disk->name,
                  status_text(status));
        return;
    }
    ext4_space(storage.fs, &space);
    log_info("storage: ext4 with blocks of %zu bytes, %lu of %lu free%s",
             space.block_size, space.free_blocks, space.blocks,
             space.read_only ? ", read-only" : "");
}

/* --- configuration --- */

static const char *config_key_of(const struct command_line_item *item)
{
    if (text_starts_with(item->key, config_prefix))
        return item->key + sizeof config_prefix - 1;
    return text_equal(item->key, "interval") ? item->key : NULL;
}

static void read_config_options(const char *command_line)
{
    struct command_line_item item;
    size_t cursor = 0;

    while (command_line_next(command_line, &cursor, &item)) {
        const char *key = item.has_value ? config_key_of(&item) : NULL;
        if (!key)
            continue;
        enum status status = config_set(&storage.config, &storage.sources, key,
                                        item.value, CONFIG_COMMAND_LINE);
        if (status)
            log_error("command line: %s=%s: %s", item.key, item.value,
                      status == ERR_NOT_FOUND ? "no such key" : status_text(status));
    }
}

/* --- in order, and back --- */

static void open_session(void)
{
    enum status status =
        snapper_open(&storage.store.store, &storage.config, &storage.snapper);
    if (status)
        log_error("storage: Snapper cannot work on this image: %s", status_text(status));
}

void storage_open(const char *command_line)
{
    config_defaults(&storage.config, &storage.sources);
    open_disk();
    if (storage.disk)
        mount_image();
    if (storage.fs) {
        ext4_store_init(&storage.store, storage.fs);
        config_file_read(&storage.store.store, &storage.config, &storage.sources, NULL);
    }
    read_config_options(command_line);
    if (storage.fs)
        open_session();
}

enum status storage_sync(void)
{
    if (!storage.fs)
        return ERR_NO_DEVICE;
    enum status status = ext4_commit(storage.fs);
    return status ? status : ext4_flush(storage.fs);
}

void storage_relieve(void)
{
    if (!storage.fs)
        return;
    enum status status = ext4_checkpoint(storage.fs);
    if (status)
        log_warning("storage: checkpoint: %s", status_text(status));
}

void storage_close(void)
{
    if (storage.snapper)
        snapper_close(storage.snapper);
    storage.snapper = NULL;
    if (!storage.fs)
        return;
    enum status status = ext4_unmount(storage.fs);
    storage.fs = NULL;
    if (status)
        log_error("storage: unmount: %s: the next boot replays the journal",
                  status_text(status));
}

/* --- files, for programs --- */

static enum status find_file(const char *path, size_t size_max, struct ext4_stat *stat)
{
    u32 inode;

    if (!storage.fs)
        return ERR_NO_DEVICE;
    enum status status = ext4_resolve(storage.fs, path, &inode);
    if (status == OK)
        status = ext4_stat(storage.fs, inode, stat);
    if (status)
        return status;
    if (stat->type != EXT4_FILE)
        return stat->type == EXT4_DIRECTORY ? ERR_IS_DIRECTORY : ERR_UNSUPPORTED;
    return stat->size_bytes > size_max ? ERR_TOO_LARGE : OK;
}

enum status storage_read_file(const char *path, size_t size_max, u8 **data, size_t *size)
{
    struct ext4_stat stat;

    enum status status = find_file(path, size_max, &stat);
    if (status)
        return status;
    u8 *memory = port_alloc(stat.size_bytes);
    if (!memory)
        return ERR_NO_MEMORY;
    status = ext4_read(storage.fs, stat.inode, 0, memory, stat.size_bytes, size);
    if (status) {
        port_free(memory);
        return status;
    }
    *data = memory;
    return OK;
}

enum status storage_next_file(const char *directory, u64 *cursor, char *name, size_t size)
{
    struct ext4_directory_entry entry;
    u32 inode;

    if (!storage.fs)
        return ERR_NO_DEVICE;
    enum status status = ext4_resolve(storage.fs, directory, &inode);
    while (status == OK) {
        status = ext4_directory_next(storage.fs, inode, cursor, &entry);
        if (status == OK && entry.type == EXT4_FILE && text_copy(name, size, entry.name))
            return OK;
    }
    return status;
}
