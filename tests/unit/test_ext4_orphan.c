/* Orphans left by others, and our own that do not fit one transaction; e2fsck judges the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/fs/ext4/ext4_internal.h"
#include "kernel/fs/ext4/orphan.h"
#include "tests/support/ext4_image.h"
#include "tests/support/host_run.h"
#include "tests/support/orphan_image.h"
#include "tests/support/port_host.h"
#include "tests/support/ram_disk.h"

struct world {
    struct orphan_image image;
    struct ram_disk ram;
    struct ext4 *fs;
};

static enum status mount(struct world *world)
{
    struct ext4_mount_options options = { 0 };
    return ext4_mount(&world->ram.disk, &options, &world->fs);
}

static void given_files(struct world *world, const char *options)
{
    memset(world, 0, sizeof *world);
    orphan_image_make(&world->image, "orphan", options);
}

static void load(struct world *world)
{
    assert_true(ram_disk_load(&world->ram, world->image.path));
}

static void expect_clean_end(struct world *world)
{
    assert_int_equal(ext4_unmount(world->fs), OK);
    assert_true(ext4_image_ram_is_clean(&world->ram, world->image.path));
    ram_disk_close(&world->ram);
}

static void recover_list(const char *options)
{
    struct world world;
    struct ext4_space space;
    struct ext4_stat stat;
    given_files(&world, options);
    orphan_image_delete(&world.image, 0, world.image.inodes[2]);
    orphan_image_cut(&world.image, 2, world.image.inodes[1]);
    orphan_image_delete(&world.image, 1, 0);
    orphan_image_set_head(&world.image, world.image.inodes[0]);
    load(&world);
    assert_int_equal(mount(&world), OK);
    ext4_space(world.fs, &space);
    assert_false(space.read_only);
    assert_int_equal(ext4_stat(world.fs, world.image.inodes[2], &stat), OK);
    assert_int_equal(stat.size_bytes, 1500);
    assert_true(stat.blocks_512 <= 8);
    expect_clean_end(&world);
}

static void recover__list_of_deleted_and_truncated__is_clean(void **state)
{
    (void)state;
    recover_list("");
    recover_list("-O ^metadata_csum");
    recover_list("-b 4096");
}

static void expect_read_only(struct world *world, const char *message)
{
    struct ext4_space space;
    u32 inode;
    load(world);
    port_host_clear_log();
    assert_int_equal(mount(world), OK);
    ext4_space(world->fs, &space);
    assert_true(space.read_only);
    assert_true(port_host_logged(message));
    assert_int_equal(ext4_create(world->fs, EXT4_ROOT_INODE, "x", &inode), ERR_READ_ONLY);
    assert_int_equal(ext4_unmount(world->fs), OK);
    ram_disk_close(&world->ram);
}

static void recover__list_with_a_loop__mounts_read_only(void **state)
{
    (void)state;
    struct world world;
    given_files(&world, "");
    orphan_image_cut(&world.image, 0, world.image.inodes[1]);
    orphan_image_cut(&world.image, 1, world.image.inodes[0]);
    orphan_image_set_head(&world.image, world.image.inodes[0]);
    expect_read_only(&world, "loop");
}

static void recover__list_with_a_free_inode__mounts_read_only(void **state)
{
    (void)state;
    struct world world;
    given_files(&world, "");
    orphan_image_delete(&world.image, 0, world.image.inodes[2] + 5);
    orphan_image_set_head(&world.image, world.image.inodes[0]);
    expect_read_only(&world, "free inode");
}

static void recover__list_with_the_journal__mounts_read_only(void **state)
{
    (void)state;
    struct world world;
    given_files(&world, "");
    orphan_image_delete(&world.image, 0, 8);
    orphan_image_set_head(&world.image, world.image.inodes[0]);
    expect_read_only(&world, "impossible inode");
}

/* --- the orphan file --- */

static void recover_file(const char *options, bool checksums)
{
    struct world world;
    struct ext4_stat stat;
    given_files(&world, options);
    orphan_image_delete(&world.image, 0, 0);
    orphan_image_cut(&world.image, 2, 0);
    load(&world);
    orphan_image_fill_file(&world.ram, world.image.inodes[0], world.image.inodes[2],
                           checksums);
    assert_int_equal(mount(&world), OK);
    assert_int_equal(ext4_stat(world.fs, world.image.inodes[2], &stat), OK);
    assert_true(stat.blocks_512 <= 8);
    expect_clean_end(&world);
}

static void recover__orphan_file_with_entries__is_clean(void **state)
{
    (void)state;
    recover_file("-O orphan_file", true);
    recover_file("-O orphan_file,^metadata_csum", false);
}

static void recover__orphan_file_with_a_bad_checksum__mounts_read_only(void **state)
{
    (void)state;
    struct world world;
    given_files(&world, "-O orphan_file");
    load(&world);
    orphan_image_fill_file(&world.ram, world.image.inodes[0], 0, true);
    orphan_image_fill_file(&world.ram, world.image.inodes[1], 0, false);
    assert_true(ram_disk_save(&world.ram, world.image.path));
    ram_disk_close(&world.ram);
    expect_read_only(&world, "bad block");
}

/* Without checksums the magic number at the block's end is what tells. */
static void recover__orphan_file_without_its_magic__mounts_read_only(void **state)
{
    (void)state;
    static const u8 magic[] = { 0x04, 0xCA, 0x10, 0x0B };
    struct world world;
    size_t found = 0;
    given_files(&world, "-O orphan_file,^metadata_csum");
    load(&world);
    orphan_image_fill_file(&world.ram, world.image.inodes[0], 0, false);
    for (size_t at = 0; at + 8 <= world.ram.size_bytes; at += 4)
        if (at % 1024 == 1024 - 8 && memcmp(world.ram.bytes + at, magic, 4) == 0) {
            world.ram.bytes[at] ^= 1;
            found++;
        }
    assert_true(found > 0);
    assert_true(ram_disk_save(&world.ram, world.image.path));
    ram_disk_close(&world.ram);
    expect_read_only(&world, "bad block");
}

/* --- our own --- */

/*
 * A file that fills so many block groups that their bitmaps alone are more than a transaction of this
 * small journal takes.
 */
static void given_a_large_file(struct world *world, struct ext4_space *before)
{
    enum { SIZE = 84 * MIB, PIECE = 200 * 1024 };
    static u8 data[PIECE];
    u32 inode;
    memset(world, 0, sizeof *world);
    world->image.path = ext4_image_make_loaded(
        "orphan", 96, "-b 1024 -g 256 -N 8192 -J size=1", &world->ram);
    assert_int_equal(mount(world), OK);
    ext4_space(world->fs, before);
    assert_int_equal(ext4_create(world->fs, EXT4_ROOT_INODE, "large", &inode), OK);
    for (u64 at = 0; at < SIZE; at += PIECE) {
        enum status status = ext4_write(world->fs, inode, at, data, PIECE);
        if (status == ERR_TRANSACTION_FULL) {
            assert_int_equal(ext4_commit(world->fs), OK);
            status = ext4_write(world->fs, inode, at, data, PIECE);
        }
        assert_int_equal(status, OK);
    }
    assert_int_equal(ext4_commit(world->fs), OK);
    assert_int_equal(ext4_unlink(world->fs, EXT4_ROOT_INODE, "large"), OK);
    assert_int_equal(ext4_lookup(world->fs, EXT4_ROOT_INODE, "large", &inode),
                     ERR_NOT_FOUND);
    assert_int_equal(ext4_commit(world->fs), OK);

    struct ext4_space after;
    ext4_space(world->fs, &after);
    assert_true(after.free_blocks < before->free_blocks); /* else this tests nothing */
}

static void expect_space(struct world *world, const struct ext4_space *expected)
{
    struct ext4_space space;
    ext4_space(world->fs, &space);
    assert_int_equal(space.free_blocks, expected->free_blocks);
    assert_int_equal(space.free_inodes, expected->free_inodes);
}

static void unlink__larger_than_a_transaction__is_finished_after_a_crash(void **state)
{
    (void)state;
    struct world world;
    struct ext4_space before;
    given_a_large_file(&world, &before);
    ext4_drop(world.fs);
    assert_int_equal(mount(&world), OK);
    expect_space(&world, &before);
    expect_clean_end(&world);
}

static void unlink__larger_than_a_transaction__is_finished_by_what_follows(void **state)
{
    (void)state;
    struct world world;
    struct ext4_space before;
    u32 inode;
    given_a_large_file(&world, &before);
    for (int i = 0; i < 10; i++) {
        enum status status = ext4_create(world.fs, EXT4_ROOT_INODE, "x", &inode);
        if (status == OK)
            status = ext4_unlink(world.fs, EXT4_ROOT_INODE, "x");
        assert_true(status == OK || status == ERR_EXISTS ||
                    status == ERR_TRANSACTION_FULL);
        assert_int_equal(ext4_commit(world.fs), OK);
    }
    expect_space(&world, &before);
    expect_clean_end(&world);
}

static void unlink__larger_than_a_transaction__is_finished_by_the_unmount(void **state)
{
    (void)state;
    struct world world;
    struct ext4_space before;
    given_a_large_file(&world, &before);
    assert_int_equal(ext4_unmount(world.fs), OK);
    assert_true(ext4_image_ram_is_clean(&world.ram, world.image.path));
    assert_int_equal(mount(&world), OK);
    expect_space(&world, &before);
    expect_clean_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recover__list_of_deleted_and_truncated__is_clean),
        cmocka_unit_test(recover__list_with_a_loop__mounts_read_only),
        cmocka_unit_test(recover__list_with_a_free_inode__mounts_read_only),
        cmocka_unit_test(recover__list_with_the_journal__mounts_read_only),
        cmocka_unit_test(recover__orphan_file_with_entries__is_clean),
        cmocka_unit_test(recover__orphan_file_with_a_bad_checksum__mounts_read_only),
        cmocka_unit_test(recover__orphan_file_without_its_magic__mounts_read_only),
        cmocka_unit_test(unlink__larger_than_a_transaction__is_finished_after_a_crash),
        cmocka_unit_test(unlink__larger_than_a_transaction__is_finished_by_what_follows),
        cmocka_unit_test(unlink__larger_than_a_transaction__is_finished_by_the_unmount),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
