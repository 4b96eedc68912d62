/* The journal of an image, and the files that Snapper keeps on it. */
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/journal_file.h"
#include "tests/support/image_places_internal.h"

/* --- journal --- */

struct log_walk {
    struct image_places *places;
    struct journal_superblock superblock;
    struct journal_extent *extents;
    size_t extent_count;
};

static u64 log_at(const struct log_walk *walk, u32 journal_block)
{
    u64 block_size = walk->superblock.block_size;

    for (size_t i = 0; i < walk->extent_count; i++) {
        const struct journal_extent *extent = &walk->extents[i];
        if (journal_block - extent->journal_block < extent->count)
            return (extent->disk_block + journal_block - extent->journal_block) *
                   block_size;
    }
    places_require(ERR_CORRUPT);
    return 0;
}

static u32 next_block(const struct log_walk *walk, u32 at)
{
    return at + 1 < walk->superblock.block_count ? at + 1 : walk->superblock.first;
}

/* The data blocks that a descriptor announces; returns the block behind them. */
static u32 find_tagged(const struct log_walk *walk, u32 descriptor)
{
    struct image_places *places = walk->places;
    struct journal_tag_cursor cursor;
    struct journal_tag tag;
    u32 at = next_block(walk, descriptor);
    struct place place = { .kind = PLACE_JOURNAL_DATA,
                           .size = walk->superblock.block_size,
                           .seal_at = log_at(walk, descriptor) };

    journal_tag_first(&cursor, &places->layout, places->image.bytes + place.seal_at);
    for (; journal_tag_next(&cursor, &tag); at = next_block(walk, at)) {
        place.at = log_at(walk, at);
        places_add(places, &place);
        place.detail++;
    }
    return at;
}

static void find_log(const struct log_walk *walk)
{
    struct image_places *places = walk->places;
    u32 at = walk->superblock.start, type, sequence;
    u32 expected = walk->superblock.sequence;

    for (u32 i = 0; i < walk->superblock.block_count; i++) {
        struct place place = { .at = log_at(walk, at),
                               .size = walk->superblock.block_size };
        if (!journal_header_decode(places->image.bytes + place.at, &type, &sequence) ||
            sequence != expected)
            return;
        expected += type == JOURNAL_COMMIT;
        place.kind = type == JOURNAL_DESCRIPTOR ? PLACE_JOURNAL_DESCRIPTOR
                     : type == JOURNAL_REVOKE   ? PLACE_JOURNAL_REVOKE
                                                : PLACE_JOURNAL_COMMIT;
        places_add(places, &place);
        at = type == JOURNAL_DESCRIPTOR ? find_tagged(walk, at) : next_block(walk, at);
    }
}

void places_find_journal(struct image_places *places)
{
    struct log_walk walk = { .places = places };

    places_require(ext4_journal_locate(places->fs, &walk.extents, &walk.extent_count));
    walk.superblock.block_size = places->fs->superblock.block_size;
    struct place place = { .kind = PLACE_JOURNAL_SUPERBLOCK,
                           .at = log_at(&walk, 0),
                           .size = JOURNAL_SUPERBLOCK_SIZE };
    places_add(places, &place);
    places_require(
        journal_superblock_decode(places->image.bytes + place.at, &walk.superblock));
    journal_layout_init(&places->layout, &walk.superblock);
    if (walk.superblock.start != 0)
        find_log(&walk);
    port_free(walk.extents);
}

/* --- Snapper --- */

static void add_file(struct image_places *places, u32 number, enum place_kind kind)
{
    u32 block_size = places->fs->superblock.block_size;
    struct ext4_inode inode;
    u64 block, run;

    places_require(ext4_inode_load(places->fs, number, &inode));
    if (inode.size_bytes == 0)
        return;
    places_require(ext4_block_map(places->fs, &inode, 0, &block, &run));
    u64 size = run * block_size;
    struct place place = { .kind = kind,
                           .at = block * block_size,
                           .size =
                               (u32)(size < inode.size_bytes ? size : inode.size_bytes),
                           .owner = number };
    if (block != 0)
        places_add(places, &place);
}

static void find_files(struct image_places *places, u32 directory)
{
    struct ext4_directory_entry entry;
    u64 cursor = 0;

    while (ext4_directory_next(places->fs, directory, &cursor, &entry) == OK) {
        if (entry.type == EXT4_DIRECTORY)
            find_files(places, entry.inode);
        else
            add_file(places, entry.inode,
                     text_equal(entry.name, "archive") ? PLACE_ARCHIVE
                                                       : PLACE_SNAPSHOT_FILE);
    }
}

void places_find_snapper(struct image_places *places)
{
    struct ext4 *fs = places->fs;
    u32 inode;

    if (ext4_resolve(fs, "/snapper", &inode) == OK)
        find_files(places, inode);
    if (ext4_resolve(fs, "/snapper.state", &inode) == OK)
        add_file(places, inode, PLACE_STATE);
    if (ext4_resolve(fs, "/snapper.conf", &inode) == OK)
        add_file(places, inode, PLACE_CONFIG);
}
