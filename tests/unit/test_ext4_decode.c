/* Every structure that ext4 decodes, fed truncations, flipped bits and impossible values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/endian.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/extent.h"
#include "kernel/fs/ext4/group_layout.h"
#include "kernel/fs/ext4/inode.h"
#include "kernel/fs/ext4/superblock.h"
#include "tests/support/ext4_image.h"

static struct ram_disk ram;
static u8 *raw; /* the image's superblock */

static int setup(void **state)
{
    (void)state;
    ext4_image_make_loaded("decode", 16, "", &ram);
    raw = ram.bytes + 1024;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ram_disk_close(&ram);
    return 0;
}

static struct ext4 *mount(void)
{
    struct ext4_mount_options options = { .read_only = true };
    struct ext4 *fs = NULL;
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    return fs;
}

/* --- superblock --- */

static void ext4_superblock_decode__every_truncation__is_refused(void **state)
{
    (void)state;
    struct ext4_superblock superblock;
    bool good;
    for (size_t size = 0; size < EXT4_SUPERBLOCK_BYTES; size++) {
        u8 *exact = malloc(size + 1);
        memcpy(exact, raw, size);
        assert_int_equal(ext4_superblock_decode(exact, size, &superblock, &good),
                         ERR_CORRUPT);
        free(exact);
    }
    assert_int_equal(
        ext4_superblock_decode(raw, EXT4_SUPERBLOCK_BYTES, &superblock, &good), OK);
    assert_true(good);
}

static void ext4_superblock_decode__every_bit_flip__is_noticed(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < (size_t)EXT4_SUPERBLOCK_BYTES * 8; bit++) {
        struct ext4_superblock superblock;
        bool good = false;
        raw[bit / 8] ^= (u8)(1 << bit % 8);
        enum status status =
            ext4_superblock_decode(raw, EXT4_SUPERBLOCK_BYTES, &superblock, &good);
        bool checksums_off = bit / 8 == 0x65 && bit % 8 == 2; /* metadata_csum itself */
        assert_true(status != OK || !good || checksums_off);
        raw[bit / 8] ^= (u8)(1 << bit % 8);
    }
}

static void ext4_superblock_decode__impossible_value__is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at, size;
        u64 value;
    } cases[] = {
        { 0x20, 4, 0 },           /* blocks per group: a divisor */
        { 0x28, 4, 0 },           /* inodes per group: a divisor */
        { 0x58, 2, 0 },           /* inode size: a divisor */
        { 0x58, 2, 8192 },        /* ... larger than a block */
        { 0x18, 4, 31 },          /* block size exponent */
        { 0x18, 4, 0xFFFFFFFF },  /* a shift that would be undefined */
        { 0xFE, 2, 0 },           /* descriptor size: a divisor */
        { 0xFE, 2, 48 },          /* ... no power of two */
        { 0x04, 4, 0 },           /* no blocks */
        { 0x00, 4, 1 },           /* inode count against groups */
        { 0x14, 4, 0xFFFFFF },    /* first data block */
        { 0x54, 4, 0xFFFFFFF },   /* first inode */
        { 0xCE, 2, 0xFFFF },      /* reserved descriptor blocks */
        { 0x174, 1, 200 },        /* flex group exponent */
        { 0x175, 1, 9 },          /* checksum type */
        { 0xE0, 4, 0xFFFFFFFF },  /* journal inode */
        { 0x154, 4, 0xFFFFFFFF }, /* harmless: reserved blocks */
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        u8 copy[EXT4_SUPERBLOCK_BYTES];
        struct ext4_superblock superblock;
        bool good;
        memcpy(copy, raw, sizeof copy);
        for (size_t byte = 0; byte < cases[i].size; byte++)
            copy[cases[i].at + byte] = (u8)(cases[i].value >> 8 * byte);
        put_le32(copy + EXT4_SUPERBLOCK_CHECKSUM_AT, ext4_superblock_checksum(copy));
        assert_int_equal(ext4_superblock_decode(copy, sizeof copy, &superblock, &good),
                         i + 1 < ARRAY_LENGTH(cases) ? ERR_CORRUPT : OK);
    }
}

static void ext4_superblock_decode__unknown_incompat_feature__is_unsupported(void **state)
{
    (void)state;
    static const u32 unknown[] = { 0x1, 0x8, 0x100, 0x8000, 0x10000, 0x80000000 };
    for (size_t i = 0; i < ARRAY_LENGTH(unknown); i++) {
        u8 copy[EXT4_SUPERBLOCK_BYTES];
        struct ext4_superblock superblock;
        bool good;
        memcpy(copy, raw, sizeof copy);
        put_le32(copy + 0x60, get_le32(copy + 0x60) | unknown[i]);
        assert_int_equal(ext4_superblock_decode(copy, sizeof copy, &superblock, &good),
                         ERR_UNSUPPORTED);
    }
}

static void
ext4_superblock_seal__any_change_in_the_first_sector__keeps_the_rest(void **state)
{
    (void)state;
    u8 copy[EXT4_SUPERBLOCK_BYTES];
    u64 seed = 3;
    memcpy(copy, raw, sizeof copy);
    for (int i = 0; i < 500; i++) {
        put_le32(copy + 0x0C, (u32)random_next(&seed));
        put_le32(copy + 0x10, (u32)random_next(&seed));
        put_le32(copy + 0x30, (u32)random_next(&seed));
        put_le32(copy + 0xE8, (u32)random_next(&seed));
        put_le32(copy + 0x158, (u32)random_next(&seed));
        ext4_superblock_seal(copy);
        assert_int_equal(ext4_superblock_checksum(copy),
                         get_le32(copy + EXT4_SUPERBLOCK_CHECKSUM_AT));
        assert_memory_equal(copy + 512, raw + 512, 512);
        assert_int_equal(copy[0xC3], 0);
    }
}

/* --- inode --- */

static void ext4_inode_decode__every_bit_flip__is_refused(void **state)
{
    (void)state;
    struct ext4 *fs = mount();
    struct ext4_group group;
    struct ext4_inode inode;
    assert_int_equal(ext4_group_load(fs, 0, &group), OK);
    u32 size = fs->superblock.inode_size;
    u8 *root = ram.bytes + group.inode_table * fs->superblock.block_size + size;
    u8 *copy = malloc(size);
    for (size_t bit = 0; bit < (size_t)size * 8; bit++) {
        memcpy(copy, root, size);
        copy[bit / 8] ^= (u8)(1 << bit % 8);
        assert_int_equal(ext4_inode_decode(fs, 2, copy, &inode), ERR_CORRUPT);
    }
    memcpy(copy, root, size);
    assert_int_equal(ext4_inode_decode(fs, 2, copy, &inode), OK);
    assert_int_equal(ext4_inode_decode(fs, 3, copy, &inode), ERR_CORRUPT);
    free(copy);
    ext4_drop(fs);
}

static void ext4_inode_load__number_out_of_range__is_refused(void **state)
{
    (void)state;
    struct ext4 *fs = mount();
    struct ext4_inode inode;
    static const u32 numbers[] = { 0, 3000, 4097, 0x80000000, 0xFFFFFFFF };
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++)
        assert_int_equal(ext4_inode_load(fs, numbers[i], &inode), ERR_CORRUPT);
    ext4_drop(fs);
}

/* --- group descriptor --- */

static void ext4_group_load__every_bit_flip__is_refused(void **state)
{
    (void)state;
    for (size_t bit = 0; bit < 64 * 8; bit++) {
        struct ext4 *fs = mount();
        struct ext4_group group;
        u64 block = ext4_group_descriptor_block(fs, 0);
        struct buffer *buffer;
        assert_int_equal(cache_get(&fs->cache, block, &buffer), OK);
        buffer->data[bit / 8] ^= (u8)(1 << bit % 8);
        assert_int_equal(ext4_group_load(fs, 0, &group), ERR_CORRUPT);
        cache_release(buffer);
        ext4_drop(fs);
    }
}

static void ext4_group_make_block_bitmap__each_group__equals_that_of_mkfs(void **state)
{
    (void)state;
    struct ram_disk fresh;
    ext4_image_make_loaded("decode_bitmap", 64, "-E lazy_itable_init=0 -O ^resize_inode",
                           &fresh);
    struct ext4_mount_options options = { .read_only = true };
    struct ext4 *fs = NULL;
    assert_int_equal(ext4_mount(&fresh.disk, &options, &fs), OK);
    u8 *made = malloc(fs->superblock.block_size);
    size_t compared = 0;
    for (u32 i = 0; i < fs->superblock.group_count; i++) {
        struct ext4_group group;
        assert_int_equal(ext4_group_load(fs, i, &group), OK);
        assert_int_equal(ext4_group_make_block_bitmap(fs, i, made), OK);
        u32 used = 0;
        for (u32 bit = 0; bit < ext4_group_block_count(fs, i); bit++)
            used += made[bit / 8] >> bit % 8 & 1;
        if (group.flags & EXT4_GROUP_BLOCKS_UNINITIALISED) {
            assert_int_equal(ext4_group_block_count(fs, i) - used, group.free_blocks);
            compared++;
        }
    }
    assert_true(compared > 0);
    free(made);
    ext4_drop(fs);
    ram_disk_close(&fresh);
}

/* --- extent nodes --- */

enum { NODE_SIZE = 60 };

static void make_leaf(u8 *node)
{
    struct ext4_extent_level level = { .raw = node };
    memset(node, 0, NODE_SIZE);
    ext4_extent_node_init(node, 4, 0);
    for (u32 i = 0; i < 3; i++) {
        struct ext4_extent extent = { 10 * i, 5, 3000 + 100 * i, false };
        ext4_extent_entry_encode(ext4_extent_entry(&level, i), &extent);
    }
    ext4_extent_level_set_entries(&level, 3);
}

static void ext4_extent_find__every_bit_flip_of_a_root__ends_without_harm(void **state)
{
    (void)state;
    struct ext4 *fs = mount();
    for (size_t bit = 0; bit < (size_t)NODE_SIZE * 8; bit++) {
        struct ext4_inode inode = { .number = 12, .flags = EXT4_INODE_FLAG_EXTENTS };
        make_leaf(inode.map);
        inode.map[bit / 8] ^= (u8)(1 << bit % 8);
        for (u32 file_block = 0; file_block < 40; file_block++) {
            u64 block = 0, count = 0;
            enum status status = ext4_block_map(fs, &inode, file_block, &block, &count);
            assert_true(status == ERR_CORRUPT || (status == OK && count > 0));
            assert_true(status != OK || block < fs->superblock.block_count);
        }
    }
    ext4_drop(fs);
}

static void ext4_extent_node_is_valid__broken_nodes__are_refused(void **state)
{
    (void)state;
    struct ext4 *fs = mount();
    u8 node[NODE_SIZE];
    static const struct {
        size_t at;
        u16 value;
    } cases[] = {
        { 0, 0xF30B },  /* magic */
        { 2, 5 },       /* more entries than room */
        { 4, 5 },       /* more room than bytes */
        { 4, 0 },       /* no room */
        { 6, 1 },       /* another depth */
        { 12 + 4, 0 },  /* an extent without length */
        { 12 + 4, 20 }, /* one that reaches into the next */
        { 12 + 6, 1 },  /* beyond the disk */
        { 24, 3 },      /* unsorted */
    };
    make_leaf(node);
    assert_true(ext4_extent_node_is_valid(fs, node, sizeof node, 0));
    for (size_t size = 0; size < sizeof node; size++)
        assert_false(ext4_extent_node_is_valid(fs, node, size, 0));
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        make_leaf(node);
        put_le16(node + cases[i].at, cases[i].value);
        assert_false(ext4_extent_node_is_valid(fs, node, sizeof node, 0));
    }
    ext4_drop(fs);
}

/* --- a mount of anything --- */

static void ext4_mount__random_damage_anywhere__ends_without_harm(void **state)
{
    (void)state;
    u8 *pristine = malloc(ram.size_bytes);
    memcpy(pristine, ram.bytes, ram.size_bytes);
    for (u64 round = 1; round <= 300; round++) {
        u64 seed = round;
        for (int i = 0; i < 8; i++) { /* the first 256 KiB hold nearly all metadata */
            u64 at = random_next(&seed) % (256 * KIB);
            ram.bytes[at] = (u8)random_next(&seed);
        }
        struct ext4_mount_options options = { .read_only = true };
        struct ext4 *fs;
        if (ext4_mount(&ram.disk, &options, &fs) == OK) {
            u8 byte;
            size_t got;
            for (u32 inode = 1; inode < 20; inode++)
                (void)!ext4_read(fs, inode, 0, &byte, 1, &got);
            ext4_drop(fs);
        }
        memcpy(ram.bytes, pristine, ram.size_bytes);
    }
    free(pristine);
}

static void ext4_mount__bad_superblock__takes_a_backup_or_is_refused(void **state)
{
    (void)state;
    struct ext4_mount_options options = { .read_only = false };
    struct ext4 *fs;
    u8 copy[1024];
    memcpy(copy, raw, sizeof copy);
    raw[0x3F0] ^= 1; /* in the second sector */
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    struct ext4_space space;
    ext4_space(fs, &space);
    assert_true(space.read_only); /* the backup in group 1 */
    ext4_drop(fs);
    memset(ram.bytes + 8193 * 1024, 0, 1024);
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), ERR_CORRUPT);
    memcpy(raw, copy, sizeof copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ext4_superblock_decode__every_truncation__is_refused),
        cmocka_unit_test(ext4_superblock_decode__every_bit_flip__is_noticed),
        cmocka_unit_test(ext4_superblock_decode__impossible_value__is_refused),
        cmocka_unit_test(
            ext4_superblock_decode__unknown_incompat_feature__is_unsupported),
        cmocka_unit_test(
            ext4_superblock_seal__any_change_in_the_first_sector__keeps_the_rest),
        cmocka_unit_test(ext4_inode_decode__every_bit_flip__is_refused),
        cmocka_unit_test(ext4_inode_load__number_out_of_range__is_refused),
        cmocka_unit_test(ext4_group_load__every_bit_flip__is_refused),
        cmocka_unit_test(ext4_group_make_block_bitmap__each_group__equals_that_of_mkfs),
        cmocka_unit_test(ext4_extent_find__every_bit_flip_of_a_root__ends_without_harm),
        cmocka_unit_test(ext4_extent_node_is_valid__broken_nodes__are_refused),
        cmocka_unit_test(ext4_mount__random_damage_anywhere__ends_without_harm),
        cmocka_unit_test(ext4_mount__bad_superblock__takes_a_backup_or_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
