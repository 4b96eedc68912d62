#include "tests/support/image_places.h"

#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/group.h"
#include "kernel/fs/ext4/superblock.h"
#include "tests/support/image_places_internal.h"

#include <stdlib.h>

static const char *const kind_names[PLACE_KINDS] = {
    "superblock",      "group descriptor",
    "block bitmap",    "inode bitmap",
    "inode",           "extent node",
    "block pointers",  "directory",
    "index root",      "index node",
    "symbolic link",   "orphan file",
    "journal super",   "journal descriptor",
    "journal revokes", "journal commit",
    "data in the log", "archive",
    "snapshot file",   "state file",
    "configuration",
};

const char *place_kind_name(enum place_kind kind)
{
    return kind_names[kind];
}

void places_add(struct image_places *places, const struct place *place)
{
    if (places->count == places->capacity) {
        places->capacity = 2 * places->capacity + 64;
        places->items = realloc(places->items, places->capacity * sizeof *places->items);
        ASSERT(places->items);
    }
    ASSERT(place->at + place->size <= places->image.size_bytes);
    places->items[places->count++] = *place;
}

void places_require(enum status status)
{
    if (status != OK)
        port_panic(__FILE__, __LINE__, "an image of ours cannot be read");
}

/* --- what every image has --- */

static void find_superblocks(struct image_places *places)
{
    const struct ext4_superblock *superblock = &places->fs->superblock;
    struct place place = { .kind = PLACE_SUPERBLOCK,
                           .at = EXT4_SUPERBLOCK_BYTES,
                           .size = EXT4_SUPERBLOCK_BYTES };

    places_add(places, &place);
    place.at = (superblock->first_data_block + (u64)superblock->blocks_per_group) *
               superblock->block_size;
    if (superblock->group_count > 1)
        places_add(places, &place);
}

static void find_group(struct image_places *places, u32 number)
{
    const struct ext4_superblock *superblock = &places->fs->superblock;
    u32 block_size = superblock->block_size;
    struct ext4_group group;

    places_require(ext4_group_load(places->fs, number, &group));
    struct place place = { .kind = PLACE_DESCRIPTOR,
                           .size = superblock->descriptor_size,
                           .owner = number };
    place.at =
        (superblock->first_data_block + 1ULL) * block_size + (u64)number * place.size;
    u64 descriptor_at = place.at;
    places_add(places, &place);
    place.size = block_size;
    place.seal_at = descriptor_at;
    place.kind = PLACE_BLOCK_BITMAP;
    place.at = group.block_bitmap * block_size;
    if (!(group.flags & EXT4_GROUP_BLOCKS_UNINITIALISED))
        places_add(places, &place);
    place.kind = PLACE_INODE_BITMAP;
    place.at = group.inode_bitmap * block_size;
    if (!(group.flags & EXT4_GROUP_INODES_UNINITIALISED))
        places_add(places, &place);
}

static int by_kind(const void *a, const void *b)
{
    const struct place *left = a, *right = b;

    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return left->at < right->at ? -1 : left->at > right->at;
}

static void sort(struct image_places *places)
{
    size_t at = 0;

    qsort(places->items, places->count, sizeof *places->items, by_kind);
    for (size_t kind = 0; kind <= PLACE_KINDS; kind++) {
        while (at < places->count && places->items[at].kind < kind)
            at++;
        places->first[kind] = at;
    }
}

void image_places_open(struct image_places *places, struct ram_disk *image)
{
    struct ext4_mount_options options = { .cache_capacity = 256 };
    struct ext4 *fs;

    *places = (struct image_places){ .image = *image };
    list_init(&places->image.queue);
    ram_disk_open(&places->clean, image->disk.sector_count);
    memcpy(places->clean.bytes, image->bytes, image->size_bytes);
    places_require(ext4_mount(&places->clean.disk, &options, &fs));
    places_require(ext4_unmount(fs));
    options.read_only = true;
    places_require(ext4_mount(&places->clean.disk, &options, &places->fs));

    find_superblocks(places);
    for (u32 group = 0; group < places->fs->superblock.group_count; group++)
        find_group(places, group);
    places_find_inodes(places);
    places_find_journal(places);
    places_find_snapper(places);
    sort(places);
}

void image_places_close(struct image_places *places)
{
    ext4_drop(places->fs);
    ram_disk_close(&places->image);
    ram_disk_close(&places->clean);
    free(places->items);
}

size_t image_places_count(const struct image_places *places, enum place_kind kind)
{
    return places->first[kind + 1] - places->first[kind];
}

const struct place *image_place(const struct image_places *places, enum place_kind kind,
                                size_t index)
{
    ASSERT(index < image_places_count(places, kind));
    return &places->items[places->first[kind] + index];
}
