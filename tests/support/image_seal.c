#include "tests/support/image_seal.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/dir_index.h"
#include "kernel/fs/ext4/extent.h"
#include "kernel/fs/ext4/group.h"

struct sealing {
    const struct image_places *places;
    const struct ext4 *fs;
    const struct place *place;
    u8 *image;
    u8 *raw; /* of the place */
};

/* --- groups --- */

static void seal_descriptor(const struct sealing *sealing)
{
    put_le16(sealing->raw + 0x1E,
             ext4_descriptor_checksum(sealing->fs, sealing->place->owner, sealing->raw));
}

/* A bitmap's checksum is a part of the descriptor. */
static void seal_bitmap(const struct sealing *sealing, u32 bits, size_t low_at,
                        size_t high_at)
{
    if (!ext4_has_checksums(sealing->fs))
        return;
    struct sealing descriptor = *sealing;
    descriptor.raw = sealing->image + sealing->place->seal_at;
    u32 crc = ext4_bitmap_checksum(sealing->fs, sealing->raw, bits);
    put_le16(descriptor.raw + low_at, (u16)crc);
    if (sealing->fs->superblock.descriptor_size >= 64)
        put_le16(descriptor.raw + high_at, (u16)(crc >> 16));
    seal_descriptor(&descriptor);
}

/* --- inodes and their blocks --- */

static void seal_inode(const struct sealing *sealing)
{
    u8 *raw = sealing->raw;
    u32 seed = ext4_inode_checksum_seed(sealing->fs, sealing->place->owner,
                                        get_le32(raw + 0x64));
    u32 crc = ext4_inode_checksum(sealing->fs, seed, raw);

    put_le16(raw + 0x7C, (u16)crc);
    if (sealing->place->size > 128 && get_le16(raw + 0x80) >= 4)
        put_le16(raw + 0x82, (u16)(crc >> 16));
}

static u32 seed_of(const struct sealing *sealing)
{
    return ext4_inode_checksum_seed(sealing->fs, sealing->place->owner,
                                    sealing->place->generation);
}

/* Over `size` bytes; stored behind them, or `skip` further on. */
static void seal_owned(const struct sealing *sealing, size_t size, size_t skip)
{
    put_le32(sealing->raw + size + skip,
             ext4_owned_block_checksum(seed_of(sealing), sealing->raw, size));
}

static void seal_index(const struct sealing *sealing)
{
    struct ext4_dir_block block = { .raw = sealing->raw,
                                    .size = sealing->place->size,
                                    .checksums = true,
                                    .file_types = true,
                                    .inode_count = sealing->fs->superblock.inode_count,
                                    .first_inode = 1,
                                    .checksum_seed = seed_of(sealing),
                                    .directory = sealing->place->owner };
    struct ext4_index_node node;

    if (sealing->place->kind == PLACE_INDEX_ROOT)
        (void)!ext4_index_reseal_root(&block);
    else if (ext4_index_node_decode(&block, &node) == OK)
        ext4_index_seal(&node);
}

static void seal_orphan_file(const struct sealing *sealing)
{
    size_t end = sealing->place->size - 8;
    u8 address[8];

    put_le64(address, sealing->place->at / sealing->place->size);
    u32 crc = crc32c_update(seed_of(sealing), address, sizeof address);
    put_le32(sealing->raw + end + 4, crc32c_update(crc, sealing->raw, end));
}

/* --- journal --- */

static void seal_journal_superblock(const struct sealing *sealing)
{
    if (!journal_has_checksums(&sealing->places->layout))
        return;
    put_be32(sealing->raw + 0xFC, 0);
    put_be32(sealing->raw + 0xFC,
             crc32c_update(~0u, sealing->raw, JOURNAL_SUPERBLOCK_SIZE));
}

static void seal_journal_block(const struct sealing *sealing, u8 *raw, size_t hole)
{
    const struct journal_layout *layout = &sealing->places->layout;

    if (journal_has_checksums(layout))
        put_be32(raw + hole, journal_block_checksum(layout, raw, hole));
}

/* The checksum of data stands in its tag (v3, whose tags are 16 bytes), which has one above it. */
static void seal_journal_data(const struct sealing *sealing)
{
    const struct journal_layout *layout = &sealing->places->layout;
    u8 *descriptor = sealing->image + sealing->place->seal_at;
    size_t tag = JOURNAL_HEADER_SIZE + 16ULL * sealing->place->detail +
                 (sealing->place->detail > 0 ? JOURNAL_UUID_SIZE : 0);

    if (!layout->checksum_v3)
        return;
    put_be32(descriptor + tag + 12,
             journal_data_checksum(layout, get_be32(descriptor + 8), sealing->raw));
    seal_journal_block(sealing, descriptor, layout->block_size - JOURNAL_TAIL_SIZE);
}

/* --- which is which --- */

static void seal_block(const struct sealing *sealing)
{
    u32 size = sealing->place->size;

    switch (sealing->place->kind) {
    case PLACE_EXTENT_NODE:
        seal_owned(sealing, 12 + (size - 16) / 12 * 12, 0);
        break;
    case PLACE_DIRECTORY:
        seal_owned(sealing, size - 12, 8);
        break;
    case PLACE_INDEX_ROOT:
    case PLACE_INDEX_NODE:
        seal_index(sealing);
        break;
    case PLACE_ORPHAN_FILE:
        seal_orphan_file(sealing);
        break;
    case PLACE_SUPERBLOCK:
        put_le32(sealing->raw + EXT4_SUPERBLOCK_CHECKSUM_AT,
                 ext4_superblock_checksum(sealing->raw));
        break;
    case PLACE_INODE:
        seal_inode(sealing);
        break;
    default:
        break;
    }
}

static void seal_other(const struct sealing *sealing)
{
    const struct ext4_superblock *superblock = &sealing->fs->superblock;
    u8 *raw = sealing->raw;
    u32 size = sealing->place->size;

    switch (sealing->place->kind) {
    case PLACE_DESCRIPTOR:
        if (ext4_has_descriptor_checksums(sealing->fs))
            seal_descriptor(sealing);
        break;
    case PLACE_BLOCK_BITMAP:
        seal_bitmap(sealing, superblock->blocks_per_group, 0x18, 0x38);
        break;
    case PLACE_INODE_BITMAP:
        seal_bitmap(sealing, superblock->inodes_per_group, 0x1A, 0x3A);
        break;
    case PLACE_JOURNAL_SUPERBLOCK:
        seal_journal_superblock(sealing);
        break;
    case PLACE_JOURNAL_DESCRIPTOR:
    case PLACE_JOURNAL_REVOKE:
        seal_journal_block(sealing, raw, size - JOURNAL_TAIL_SIZE);
        break;
    case PLACE_JOURNAL_COMMIT:
        seal_journal_block(sealing, raw, JOURNAL_COMMIT_CHECKSUM_AT);
        break;
    case PLACE_JOURNAL_DATA:
        seal_journal_data(sealing);
        break;
    case PLACE_ARCHIVE:
        if (size > 5)
            put_le32(raw + 1, crc32_update(0, raw + 5, size - 5));
        break;
    case PLACE_SNAPSHOT_FILE:
        if (size >= 6)
            put_le32(raw + 1, crc32_update(0, raw + 6, size - 6));
        break;
    default:
        break;
    }
}

void image_seal(const struct image_places *places, const struct place *place, u8 *image)
{
    struct sealing sealing = { places, places->fs, place, image, image + place->at };

    if (ext4_has_checksums(places->fs))
        seal_block(&sealing);
    seal_other(&sealing);
}
