/*
 * What ext4 refuses, and mounts that are out of the ordinary: names, sizes and places that cannot be, disks
 * without a journal or a file system, link counts at their limit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/fs/ext4/check.h"
#include "kernel/fs/ext4/ext4_internal.h"
#include "kernel/fs/jbd2/journal.h"
#include "tests/support/ext4_image.h"
#include "tests/support/port_host.h"

enum { ROOT = EXT4_ROOT_INODE, LINKS_LIMIT = 65000 };

static struct ram_disk ram;
static struct ext4 *fs;
static const char *path;

static void open_image(const char *options)
{
    struct ext4_mount_options mount = { .cache_capacity = 64 };

    path = ext4_image_make_loaded("refused", 8, options, &ram);
    port_host_clear_log();
    assert_int_equal(ext4_mount(&ram.disk, &mount, &fs), OK);
}

static void close_clean(void)
{
    assert_int_equal(ext4_unmount(fs), OK);
    assert_true(ext4_image_ram_is_clean(&ram, path));
    ram_disk_close(&ram);
}

static u32 directory_of(const char *name)
{
    u32 directory;

    assert_int_equal(ext4_make_directory(fs, ROOT, name, &directory), OK);
    return directory;
}

static u32 file_of(const char *name, size_t size)
{
    static u8 content[20000];
    u32 inode;

    memset(content, 'c', sizeof content);
    assert_int_equal(ext4_create(fs, ROOT, name, &inode), OK);
    if (size > 0)
        assert_int_equal(ext4_write(fs, inode, 0, content, size), OK);
    return inode;
}

static void names__empty_or_too_long__are_refused(void **state)
{
    (void)state;
    char name[EXT4_NAME_MAX + 2];
    u32 inode;

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    open_image("");
    assert_int_equal(ext4_create(fs, ROOT, "", &inode), ERR_INVALID_ARGUMENT);
    assert_int_equal(ext4_create(fs, ROOT, name, &inode), ERR_TOO_LARGE);
    assert_int_equal(ext4_lookup(fs, ROOT, name, &inode), ERR_TOO_LARGE);
    assert_int_equal(ext4_lookup(fs, ROOT, "", &inode), ERR_INVALID_ARGUMENT);
    name[EXT4_NAME_MAX] = '\0';
    assert_int_equal(ext4_create(fs, ROOT, name, &inode), OK);
    assert_int_equal(ext4_unlink(fs, ROOT, name), OK);
    close_clean();
}

static enum status burst(u32 directory, const char *first, const char *second)
{
    struct ext4_burst_file files[] = { { .name = first }, { .name = second } };

    return ext4_create_burst(fs, directory, files, ARRAY_LENGTH(files));
}

static void burst__names_that_cannot_be__are_refused(void **state)
{
    (void)state;
    static struct ext4_burst_file many[5000];
    char name[EXT4_NAME_MAX + 2];

    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    open_image("-N 200");
    u32 directory = directory_of("dir");
    u32 file = file_of("file", 0);
    assert_int_equal(burst(directory, "", "b"), ERR_INVALID_ARGUMENT);
    assert_int_equal(burst(directory, "a/b", "b"), ERR_INVALID_ARGUMENT);
    assert_int_not_equal(burst(directory, name, "b"), OK);
    assert_int_equal(burst(directory, "twice", "twice"), ERR_EXISTS);
    assert_int_equal(burst(file, "a", "b"), ERR_NOT_DIRECTORY);
    assert_int_equal(ext4_create_burst(fs, directory, many, 0), OK);
    for (size_t i = 0; i < ARRAY_LENGTH(many); i++)
        many[i].name = "any";
    assert_int_equal(ext4_create_burst(fs, directory, many, ARRAY_LENGTH(many)),
                     ERR_NO_SPACE);
    ext4_rollback(fs);
    assert_int_equal(ext4_commit(fs), OK);
    close_clean();
}

/* Two names that only their bytes tell apart: of equal length, CRC-32 and CRC-32C. */
static void burst__names_with_equal_checksums__are_told_apart(void **state)
{
    (void)state;
    static const char one[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                              "aaaaaaaaaaaaaaaaaaaaaa";
    static const char other[] = "caaaccacaaccacccaccaaacacccaacaaacaacaacccaccacaacccacca"
                                "cacccacccaaaaaaaaaaaaaaa";
    u32 inode;

    assert_int_equal(crc32(one, sizeof one - 1), crc32(other, sizeof other - 1));
    open_image("");
    u32 directory = directory_of("dir");
    assert_int_equal(burst(directory, one, other), OK);
    assert_int_equal(ext4_lookup(fs, directory, one, &inode), OK);
    assert_int_equal(ext4_lookup(fs, directory, other, &inode), OK);
    assert_int_equal(ext4_unlink(fs, directory, one), OK);
    assert_int_equal(burst(directory, one, "x"), OK); /* though the other is there */
    assert_int_equal(ext4_unlink(fs, directory, one), OK);
    assert_int_equal(ext4_unlink(fs, directory, "x"), OK);
    assert_int_equal(burst(directory, one, other), ERR_EXISTS);
    assert_int_equal(ext4_commit(fs), OK);
    close_clean();
}

static void content__behind_the_largest_size__is_refused(void **state)
{
    (void)state;
    u8 byte = 0;

    open_image("-b 1024");
    u32 file = file_of("file", 3000);
    u64 limit = (u64)UINT32_MAX << 10;
    assert_int_equal(ext4_write(fs, file, UINT64_MAX, &byte, 1), ERR_TOO_LARGE);
    assert_int_equal(ext4_write(fs, file, limit + 4096, &byte, 1), ERR_TOO_LARGE);
    assert_int_equal(ext4_truncate(fs, file, limit + 4096), ERR_TOO_LARGE);
    assert_int_equal(ext4_write(fs, ROOT, 0, &byte, 1), ERR_IS_DIRECTORY);
    assert_int_equal(ext4_commit(fs), OK);
    close_clean();
}

static void poke__no_byte_of_a_file__is_refused(void **state)
{
    (void)state;
    open_image("");
    u32 file = file_of("file", 3000);
    assert_int_equal(ext4_truncate(fs, file, 100000), OK);
    assert_int_equal(ext4_commit(fs), OK);
    assert_int_equal(ext4_poke(fs, file, 100, 1), OK);
    assert_int_not_equal(ext4_poke(fs, file, 50000, 1), OK); /* a hole */
    assert_int_not_equal(ext4_poke(fs, file, 100000, 1), OK);
    assert_int_not_equal(ext4_poke(fs, ROOT, 0, 1), OK);
    assert_int_equal(ext4_flush(fs), OK);
    close_clean();
}

static void remove__root_and_dots__are_refused(void **state)
{
    (void)state;
    open_image("");
    u32 below, directory = directory_of("dir");
    assert_int_not_equal(ext4_remove_directory(fs, directory, "."), OK);
    assert_int_not_equal(ext4_remove_directory(fs, directory, ".."), OK);
    assert_int_not_equal(ext4_remove_directory(fs, ROOT, ".."), OK);
    assert_int_not_equal(ext4_rename(fs, ROOT, "dir", directory, "below"), OK);
    assert_int_not_equal(ext4_rename(fs, ROOT, "dir", directory, ".."), OK);
    assert_int_equal(ext4_make_directory(fs, directory, "sub", &below), OK);
    assert_int_not_equal(ext4_rename(fs, directory, "sub", ROOT, "dir"), OK);
    assert_int_not_equal(ext4_rename(fs, directory, "..", ROOT, "other"), OK);
    ext4_rollback(fs);
    close_clean();
}

/* --- link counts --- */

static void set_links(u32 number, u32 links)
{
    struct ext4_inode inode;

    assert_int_equal(ext4_inode_load(fs, number, &inode), OK);
    inode.links = links;
    assert_int_equal(ext4_inode_store(fs, &inode), OK);
}

static u32 links_of(u32 number)
{
    struct ext4_stat stat;

    assert_int_equal(ext4_stat(fs, number, &stat), OK);
    return stat.links;
}

/* From the limit on a directory has one link, until its directories can be counted again. */
static void links__at_the_limit__are_counted_no_more(void **state)
{
    (void)state;
    u32 inode;

    open_image("");
    u32 directory = directory_of("dir");
    set_links(directory, LINKS_LIMIT - 1);
    assert_int_equal(ext4_make_directory(fs, directory, "a", &inode), OK);
    assert_int_equal(links_of(directory), LINKS_LIMIT);
    assert_int_equal(ext4_make_directory(fs, directory, "b", &inode), OK);
    assert_int_equal(links_of(directory), 1);
    assert_int_equal(ext4_make_directory(fs, directory, "c", &inode), OK);
    assert_int_equal(links_of(directory), 1);
    assert_int_equal(ext4_remove_directory(fs, directory, "b"), OK);
    assert_int_equal(links_of(directory), 4);
    assert_int_equal(ext4_commit(fs), OK);
    close_clean();
}

static void links__at_the_limit_of_an_old_image__are_refused(void **state)
{
    (void)state;
    u32 inode;

    open_image("-O ^dir_nlink");
    u32 directory = directory_of("dir");
    set_links(directory, LINKS_LIMIT);
    assert_int_equal(ext4_make_directory(fs, directory, "a", &inode), ERR_TOO_LARGE);
    set_links(directory, 2);
    assert_int_equal(ext4_commit(fs), OK);
    close_clean();
}

/* --- mounts --- */

static void expect_read_only(void)
{
    struct ext4_space space;
    u32 inode;

    ext4_space(fs, &space);
    assert_true(space.read_only);
    assert_int_equal(ext4_transaction_room(fs), 0);
    assert_int_equal(ext4_create(fs, ROOT, "x", &inode), ERR_READ_ONLY);
    assert_int_equal(ext4_flush(fs), OK);
    assert_int_equal(ext4_commit(fs), OK);
    ext4_rollback(fs);
    assert_int_equal(ext4_unmount(fs), OK);
}

static void mount__no_journal__is_read_only(void **state)
{
    (void)state;
    struct ext4_mount_options read_only = { .read_only = true };

    open_image("-O ^has_journal");
    assert_true(port_host_logged("no journal"));
    assert_int_equal(ext4_checkpoint(fs), OK);
    expect_read_only();
    port_host_clear_log();
    assert_int_equal(ext4_mount(&ram.disk, &read_only, &fs), OK);
    assert_false(port_host_logged("no journal")); /* nobody asked for more */
    expect_read_only();
    ram_disk_close(&ram);
}

static void mount__read_only_disk__is_read_only(void **state)
{
    (void)state;
    struct ext4_mount_options mount = { 0 };

    open_image("");
    assert_int_equal(ext4_checkpoint(fs), OK);
    assert_int_equal(ext4_unmount(fs), OK);
    ram.disk.read_only = true;
    assert_int_equal(ext4_mount(&ram.disk, &mount, &fs), OK);
    expect_read_only();
    ram_disk_close(&ram);
}

static void mount__three_sectors__is_refused(void **state)
{
    (void)state;
    struct ext4_mount_options mount = { 0 };

    ram_disk_open(&ram, 3);
    assert_int_equal(ext4_mount(&ram.disk, &mount, &fs), ERR_CORRUPT);
    ram_disk_close(&ram);
}

static void mount__unknown_feature_for_reading__is_not_complained_of(void **state)
{
    (void)state;
    struct ext4_mount_options read_only = { .read_only = true };

    path = ext4_image_make_loaded("refused", 8, "-O ^metadata_csum", &ram);
    u8 *super = ram.bytes + 1024;
    put_le32(super + 0x64, get_le32(super + 0x64) | 1U << 30);
    port_host_clear_log();
    assert_int_equal(ext4_mount(&ram.disk, &read_only, &fs), OK);
    assert_int_equal(port_host_complaints(), 0);
    expect_read_only();
    ram_disk_close(&ram);
}

/* Of an image without checksums and copies: nothing else is there to go by. */
static void mount__impossible_superblock__is_refused(void **state)
{
    (void)state;
    static const struct {
        size_t at, size;
        u32 value;
    } cases[] = {
        { 0x58, 2, 100 },   { 0x58, 2, 64 },      { 0x58, 2, 8192 },
        { 0x28, 4, 1 },     { 0x54, 4, 3 },       { 0x54, 4, 1 << 30 },
        { 0xFE, 2, 96 },    { 0xFE, 2, 32 },      { 0xFE, 2, 2048 },
        { 0x174, 1, 40 },   { 0xE0, 4, 1 << 30 }, { 0x280, 4, 1 << 30 },
        { 0xCE, 2, 60000 },
    };
    struct ext4_mount_options mount = { 0 };
    u8 good[1024];

    path = ext4_image_make_loaded("refused", 4, "-b 1024 -O ^metadata_csum,orphan_file",
                                  &ram);
    u8 *super = ram.bytes + 1024;
    memcpy(good, super, sizeof good);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        memcpy(super, good, sizeof good);
        for (size_t byte = 0; byte < cases[i].size; byte++)
            super[cases[i].at + byte] = (u8)(cases[i].value >> 8 * byte);
        enum status status = ext4_mount(&ram.disk, &mount, &fs);
        if (status != ERR_CORRUPT)
            print_error("field 0x%zx = %u: %s\n", cases[i].at, cases[i].value,
                        status_text(status));
        assert_int_equal(status, ERR_CORRUPT);
    }
    ram_disk_close(&ram);
}

/* What callers ask of the layer below ext4.h, beyond what they may. */
static void internal__places_that_cannot_be__are_refused(void **state)
{
    (void)state;
    struct ext4_inode inode;
    char target[10];
    u64 block, count;

    open_image("-b 1024");
    u32 file = file_of("file", 3000);
    assert_int_equal(ext4_inode_load(fs, file, &inode), OK);
    assert_int_equal(ext4_block_map(fs, &inode, 1ULL << 32, &block, &count), OK);
    assert_int_equal(block, 0); /* a hole */
    assert_int_equal(ext4_block_map_truncate(fs, &inode, 1ULL << 32), OK);
    assert_int_not_equal(
        ext4_block_map_allocate(fs, &inode, 1ULL << 32, 1, &block, &count), OK);
    assert_int_not_equal(ext4_symlink_target(fs, &inode, target, sizeof target), OK);
    ext4_rollback(fs);
    close_clean();
}

/* Behind what three levels of pointers reach there is nothing. */
static void block_map__behind_all_pointers__is_a_hole(void **state)
{
    (void)state;
    struct ext4_inode inode;
    u64 block, count;

    open_image("-b 1024 -O ^extents,^64bit");
    u32 file = file_of("file", 3000);
    assert_int_equal(ext4_inode_load(fs, file, &inode), OK);
    assert_int_equal(ext4_block_map(fs, &inode, 1ULL << 31, &block, &count), OK);
    assert_int_equal(block, 0);
    assert_int_equal(ext4_commit(fs), OK);
    close_clean();
}

static void unlink__name_of_a_deleted_inode__is_refused(void **state)
{
    (void)state;
    open_image("");
    set_links(file_of("file", 0), 0);
    port_host_clear_log();
    assert_int_equal(ext4_unlink(fs, ROOT, "file"), ERR_CORRUPT);
    assert_true(port_host_complaints() > 0);
    ext4_rollback(fs);
    close_clean();
}

static void resolve__links_longer_than_a_path__is_refused(void **state)
{
    (void)state;
    static char long_path[EXT4_PATH_MAX];
    char output[500];
    u32 number;

    path = ext4_image_make("refused", 8, "-b 1024");
    ext4_image_debugfs(path, "symlink /to lost+found/../lost+found", output,
                       sizeof output);
    struct ext4_mount_options mount = { 0 };
    assert_true(ram_disk_load(&ram, path));
    assert_int_equal(ext4_mount(&ram.disk, &mount, &fs), OK);
    strcpy(long_path, "/to");
    while (strlen(long_path) < EXT4_PATH_MAX - 4)
        strcat(long_path, "/.");
    assert_int_not_equal(ext4_resolve(fs, long_path, &number), OK);
    assert_int_equal(ext4_resolve(fs, "/to", &number), OK);
    u8 byte = 0;
    assert_int_not_equal(ext4_write(fs, ext4_image_inode(path, "/to"), 0, &byte, 1), OK);
    ext4_rollback(fs);
    close_clean();
}

/* Where the copies of the superblock lie, by three rules. */
static void check__every_rule_for_copies_of_the_superblock__is_clean(void **state)
{
    (void)state;
    static const char *const options[] = {
        "-b 1024 -g 512 -J size=1 -O sparse_super2",
        "-b 1024 -g 1024 -J size=1 -O ^sparse_super,^resize_inode",
        "-b 1024 -g 256 -J size=1 -O ^resize_inode,meta_bg",
        "-b 1024 -g 256 -J size=1",
    };
    struct ext4_check_report report;

    for (size_t i = 0; i < ARRAY_LENGTH(options); i++) {
        open_image(options[i]);
        (void)file_of("file", 20000);
        assert_int_equal(ext4_commit(fs), OK);
        assert_int_equal(ext4_check(fs, &report), OK);
        assert_string_equal(report.first, "");
        close_clean();
    }
}

/* --- symbolic links --- */

static void resolve__link_of_impossible_length__is_refused(void **state)
{
    (void)state;
    static const u64 sizes[] = { 0, 5000, 1ULL << 40 };
    struct ext4_inode inode;
    char output[500];
    u32 number;

    path = ext4_image_make("refused", 8, "-b 1024");
    ext4_image_debugfs(path, "symlink /fast lost+found", output, sizeof output);
    u32 link = ext4_image_inode(path, "/fast");
    struct ext4_mount_options mount = { 0 };
    assert_true(ram_disk_load(&ram, path));
    assert_int_equal(ext4_mount(&ram.disk, &mount, &fs), OK);
    assert_int_equal(ext4_resolve(fs, "/fast", &number), OK);
    assert_int_equal(ext4_inode_load(fs, link, &inode), OK);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        char target[100];
        inode.size_bytes = sizes[i];
        assert_int_not_equal(ext4_symlink_target(fs, &inode, target, sizeof target), OK);
    }
    ext4_drop(fs);
    ram_disk_close(&ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names__empty_or_too_long__are_refused),
        cmocka_unit_test(burst__names_that_cannot_be__are_refused),
        cmocka_unit_test(burst__names_with_equal_checksums__are_told_apart),
        cmocka_unit_test(content__behind_the_largest_size__is_refused),
        cmocka_unit_test(poke__no_byte_of_a_file__is_refused),
        cmocka_unit_test(remove__root_and_dots__are_refused),
        cmocka_unit_test(links__at_the_limit__are_counted_no_more),
        cmocka_unit_test(links__at_the_limit_of_an_old_image__are_refused),
        cmocka_unit_test(mount__no_journal__is_read_only),
        cmocka_unit_test(mount__read_only_disk__is_read_only),
        cmocka_unit_test(mount__three_sectors__is_refused),
        cmocka_unit_test(mount__unknown_feature_for_reading__is_not_complained_of),
        cmocka_unit_test(check__every_rule_for_copies_of_the_superblock__is_clean),
        cmocka_unit_test(mount__impossible_superblock__is_refused),
        cmocka_unit_test(internal__places_that_cannot_be__are_refused),
        cmocka_unit_test(block_map__behind_all_pointers__is_a_hole),
        cmocka_unit_test(unlink__name_of_a_deleted_inode__is_refused),
        cmocka_unit_test(resolve__links_longer_than_a_path__is_refused),
        cmocka_unit_test(resolve__link_of_impossible_length__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
