#include "snapper/host/image.h"

#include "kernel/fs/ext4/feature.h"
#include "kernel/fs/ext4/superblock.h"
#include "snapper/config_file.h"
#include "snapper/host/messages.h"

#include <string.h>

/* Is there something to replay? Before the mount, which says nothing about it. */
static bool journal_is_dirty(struct disk *disk)
{
    u8 raw[2 * SECTOR_SIZE];
    struct ext4_superblock superblock;
    bool checksum_good;

    return disk->sector_count >= 4 && disk_read(disk, 2, raw, sizeof raw) == OK &&
           ext4_superblock_decode(raw, sizeof raw, &superblock, &checksum_good) == OK &&
           (superblock.incompat & EXT4_INCOMPAT_RECOVER) != 0;
}

static enum status mount(struct image *image)
{
    struct ext4_mount_options options = { .read_only = image->file.access == IMAGE_READ };
    struct ext4_space space;
    bool dirty = journal_is_dirty(&image->file.disk);
    u64 complaints = messages_complaints();

    enum status status = ext4_mount(&image->file.disk, &options, &image->fs);
    if (status != OK) {
        if (messages_complaints() == complaints)
            complain("%s: cannot be mounted: %s", image->file.path, status_text(status));
        return status;
    }
    if (dirty)
        note(image->file.access == IMAGE_WRITE
                 ? "%s: the journal was dirty and has been replayed"
                 : "%s: the journal is dirty; it is replayed in memory, the image stays "
                   "as it is",
             image->file.path);
    ext4_space(image->fs, &space);
    if (!space.read_only || image->file.access == IMAGE_READ)
        return OK;
    complain("%s: can only be read", image->file.path);
    return ERR_READ_ONLY;
}

/* One `key=value` of the command line. */
static enum status override(struct snapper_config *config,
                            struct snapper_config_sources *sources, const char *text)
{
    const char *equals = strchr(text, '=');
    char key[64];

    if (equals == NULL || (size_t)(equals - text) >= sizeof key) {
        complain("-o %s: not KEY=VALUE", text);
        return ERR_INVALID_ARGUMENT;
    }
    memcpy(key, text, (size_t)(equals - text));
    key[equals - text] = '\0';
    enum status status =
        config_set(config, sources, key, equals + 1, CONFIG_COMMAND_LINE);
    if (status == ERR_NOT_FOUND)
        complain("-o %s: no such key", text);
    else if (status != OK)
        complain("-o %s: a bad value for this key", text);
    return status;
}

bool image_check_overrides(const struct options *options)
{
    struct snapper_config_sources sources;
    struct snapper_config config;

    config_defaults(&config, &sources);
    for (size_t i = 0; i < options->override_count; i++)
        if (override(&config, &sources, options->overrides[i]) != OK)
            return false;
    return true;
}

static enum status open_session(struct image *image, const struct options *options)
{
    ext4_store_init(&image->store, image->fs);
    config_defaults(&image->config, &image->sources);
    config_file_read(&image->store.store, &image->config, &image->sources,
                     &image->config_problems);
    for (size_t i = 0; i < options->override_count; i++) {
        enum status status =
            override(&image->config, &image->sources, options->overrides[i]);
        if (status != OK)
            return status;
    }
    bool verbose = messages_set_verbose(true); /* what it finds in /snapper is worth it */
    enum status status =
        snapper_open(&image->store.store, &image->config, &image->snapper);
    messages_set_verbose(verbose);
    return status;
}

enum status image_open(struct image *image, const struct options *options,
                       enum image_access access)
{
    *image = (struct image){ 0 };
    enum status status = image_file_open(&image->file, options->image, access);
    if (status != OK)
        return status;
    if (image->file.in_use)
        note("%s: in use by a running machine: what it is just writing may be missing",
             image->file.path);
    status = mount(image);
    if (status == OK)
        status = open_session(image, options);
    if (status != OK)
        (void)image_close(image, false);
    return status;
}

static bool has_unreadable_archive(struct snapper *snapper)
{
    struct snapper_generation_info info;

    for (size_t i = 0; i < snapper_generation_count(snapper); i++)
        if (snapper_generation_info(snapper, i, &info) == OK && info.status != OK)
            return true;
    return false;
}

/*
 * Exact reference counts whenever something was changed (spec 3.5). What an unreadable archive lists
 * nobody knows: then they stay as they are, and are not vouched for.
 */
static enum status settle(struct image *image)
{
    u64 changed;

    if (image->file.disk.statistics.writes == 0 || snapper_is_settled(image->snapper))
        return OK;
    enum status status = snapper_settle(image->snapper, &changed);
    if ((status != ERR_CORRUPT && status != ERR_UNSUPPORTED) ||
        !has_unreadable_archive(image->snapper))
        return status;
    image->unsettled = true;
    return OK;
}

static void say_cost(const struct image *image)
{
    const struct disk_statistics *cost = &image->file.disk.statistics;

    if (messages_are_verbose())
        note("disk: %lu reads of %lu bytes, %lu writes of %lu bytes, %lu flushes",
             cost->reads, cost->bytes_read, cost->writes, cost->bytes_written,
             cost->flushes);
}

enum status image_close(struct image *image, bool keep)
{
    bool writable = image->file.access != IMAGE_READ;
    enum status status = OK;

    if (image->snapper != NULL) {
        if (keep && writable)
            status = settle(image);
        snapper_close(image->snapper);
    }
    if (image->fs != NULL) {
        if (keep && writable) {
            enum status unmounted = ext4_unmount(image->fs);
            status = status != OK ? status : unmounted;
        } else {
            ext4_drop(image->fs);
        }
    }
    if (image->fs != NULL)
        say_cost(image);
    image->snapper = NULL;
    image->fs = NULL;
    image_file_close(&image->file);
    return status;
}
