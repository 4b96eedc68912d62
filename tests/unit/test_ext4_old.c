/* What other systems left: files without extents, attribute blocks, unwritten extents, features. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "kernel/base/endian.h"
#include "kernel/fs/ext4/ext4.h"
#include "tests/support/ext4_image.h"
#include "tests/support/port_host.h"

enum { CONTENT_SIZE = 1200 * KIB };

static u8 content[CONTENT_SIZE], result[CONTENT_SIZE];
static char output[64 * KIB];

static void fill(u64 seed)
{
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (u8)random_next(&seed);
}

static struct ext4 *mount(struct ram_disk *ram)
{
    struct ext4_mount_options options = { .read_only = false };
    struct ext4 *fs = NULL;
    assert_int_equal(ext4_mount(&ram->disk, &options, &fs), OK);
    return fs;
}

static void unmount_clean(struct ext4 *fs, struct ram_disk *ram, const char *path)
{
    assert_int_equal(ext4_unmount(fs), OK);
    assert_true(ext4_image_ram_is_clean(ram, path));
}

static void expect_content(struct ext4 *fs, u32 inode, size_t size)
{
    size_t got = 0;
    assert_int_equal(ext4_read(fs, inode, 0, result, sizeof result, &got), OK);
    assert_int_equal(got, size);
    assert_memory_equal(result, content, size);
}

static void ext4_truncate__file_of_block_pointers__frees_each_level(void **state)
{
    (void)state;
    struct ram_disk ram;
    fill(1);
    const char *path = ext4_image_make("old", 16, "-b 1024 -O ^extents,^64bit");
    ext4_image_write(path, "/full", content, CONTENT_SIZE);
    u32 inode = ext4_image_inode(path, "/full");
    assert_true(ram_disk_load(&ram, path));
    struct ext4 *fs = mount(&ram);
    expect_content(fs, inode, CONTENT_SIZE);
    static const size_t sizes[] = { CONTENT_SIZE - 1, 600 * KIB,     269 * KIB,
                                    268 * KIB,        267 * KIB + 7, 13 * KIB,
                                    12 * KIB,         5000,          0 };
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        assert_int_equal(ext4_truncate(fs, inode, sizes[i]), OK);
        expect_content(fs, inode, sizes[i]);
        unmount_clean(fs, &ram, path);
        fs = mount(&ram);
    }
    assert_int_equal(ext4_write(fs, inode, 0, content, 12 * KIB), OK);
    assert_int_equal(ext4_write(fs, inode, 12 * KIB, content, 1), ERR_UNSUPPORTED);
    ext4_rollback(fs);
    assert_int_equal(ext4_write(fs, inode, 100, content + 100, 11 * KIB), OK);
    assert_int_equal(ext4_commit(fs), OK);
    unmount_clean(fs, &ram, path);
    ram_disk_close(&ram);
}

/* A block behind 65,804 others needs three levels of pointers with 1 KiB blocks. */
static void ext4_unlink__file_with_triple_pointers__frees_all(void **state)
{
    (void)state;
    struct ram_disk ram;
    enum { LAST = 12 + 256 + 65536 + 300 };
    const char *path = ext4_image_make("old_triple", 16, "-b 1024 -O ^extents,^64bit");
    struct ext4_space before, after;
    assert_true(ram_disk_load(&ram, path));
    struct ext4 *fs = mount(&ram);
    ext4_space(fs, &before);
    ext4_drop(fs);
    ram_disk_close(&ram);

    const char *host = "build/tests/images/old_triple.source";
    FILE *file = fopen(host, "wb");
    assert_non_null(file);
    assert_int_equal(fseek(file, (long)LAST * 1024, SEEK_SET), 0);
    assert_int_equal(fwrite(content, 1, 1024, file), 1024);
    fclose(file);
    char request[128];
    snprintf(request, sizeof request, "write %s big", host);
    ext4_image_debugfs(path, request, output, sizeof output);
    unlink(host);

    assert_true(ram_disk_load(&ram, path));
    fs = mount(&ram);
    u32 inode;
    size_t got;
    assert_int_equal(ext4_lookup(fs, EXT4_ROOT_INODE, "big", &inode), OK);
    assert_int_equal(ext4_read(fs, inode, (u64)LAST * 1024, result, 4096, &got), OK);
    assert_int_equal(got, 1024);
    assert_memory_equal(result, content, 1024);
    assert_int_equal(ext4_read(fs, inode, (u64)(LAST - 2) * 1024, result, 1024, &got),
                     OK);
    assert_true(result[0] == 0 && result[1023] == 0);
    assert_int_equal(ext4_unlink(fs, EXT4_ROOT_INODE, "big"), OK);
    assert_int_equal(ext4_commit(fs), OK);
    ext4_space(fs, &after);
    assert_int_equal(after.free_blocks, before.free_blocks);
    unmount_clean(fs, &ram, path);
    ram_disk_close(&ram);
}

static void ext4_unlink__file_with_an_attribute_block__frees_it(void **state)
{
    (void)state;
    struct ram_disk ram;
    char request[400];
    const char *path = ext4_image_make("old_attributes", 16, "-I 128");
    ext4_image_write(path, "/full", content, 5000);
    snprintf(request, sizeof request, "ea_set /full user.x %0300d", 7);
    ext4_image_debugfs(path, request, output, sizeof output);
    ext4_image_debugfs(path, "stat /full", output, sizeof output);
    assert_null(strstr(output, "File ACL: 0\n"));

    assert_true(ram_disk_load(&ram, path));
    struct ext4 *fs = mount(&ram);
    assert_int_equal(ext4_unlink(fs, EXT4_ROOT_INODE, "full"), OK);
    unmount_clean(fs, &ram, path);
    ram_disk_close(&ram);
}

static void ext4_write__into_unwritten_extents__leaves_zeros_around(void **state)
{
    (void)state;
    struct ram_disk ram;
    fill(3);
    const char *path = ext4_image_make("old_unwritten", 16, "-b 1024");
    ext4_image_write(path, "/file", "", 0);
    ext4_image_debugfs(path, "fallocate /file 0 399", output, sizeof output);
    char request[64];
    snprintf(request, sizeof request, "sif /file size %d", 400 * KIB);
    ext4_image_debugfs(path, request, output, sizeof output);
    u32 inode = ext4_image_inode(path, "/file");

    assert_true(ram_disk_load(&ram, path));
    struct ext4 *fs = mount(&ram);
    static u8 expected[400 * KIB];
    size_t got;
    u64 seed = 9;
    memset(expected, 0, sizeof expected);
    for (int i = 0; i < 60; i++) {
        size_t offset = random_next(&seed) % (390 * KIB);
        size_t size = random_next(&seed) % 5000 + 1;
        assert_int_equal(ext4_write(fs, inode, offset, content + offset, size), OK);
        memcpy(expected + offset, content + offset, size);
        if (i % 10 == 0)
            assert_int_equal(ext4_commit(fs), OK);
    }
    assert_int_equal(ext4_read(fs, inode, 0, result, sizeof expected, &got), OK);
    assert_int_equal(got, sizeof expected);
    assert_memory_equal(result, expected, sizeof expected);
    unmount_clean(fs, &ram, path);
    assert_int_equal(ext4_image_dump(path, "/file", result, sizeof result),
                     sizeof expected);
    assert_memory_equal(result, expected, sizeof expected);
    ram_disk_close(&ram);
}

static void ext4_mount__feature_unknown_or_missing__is_said_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *options, *words;
        enum status status;
    } cases[] = {
        { "-O inline_data", "inline_data", ERR_UNSUPPORTED },
        { "-O encrypt", "encrypt", ERR_UNSUPPORTED },
        { "-O mmp", "mmp", ERR_UNSUPPORTED },
        { "-O quota", "quota", OK },
        { "-O bigalloc", "bigalloc", OK },
        { "-O ^has_journal", "journal", OK },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct ram_disk ram;
        struct ext4_mount_options options = { .read_only = false };
        struct ext4 *fs;
        struct ext4_space space;
        ext4_image_make_loaded("old_features", 32, cases[i].options, &ram);
        port_host_clear_log();
        assert_int_equal(ext4_mount(&ram.disk, &options, &fs), cases[i].status);
        assert_true(port_host_logged(cases[i].words));
        if (cases[i].status == OK) {
            u32 inode;
            ext4_space(fs, &space);
            assert_true(space.read_only);
            assert_int_equal(ext4_create(fs, EXT4_ROOT_INODE, "x", &inode),
                             ERR_READ_ONLY);
            assert_int_equal(ext4_write(fs, 11, 0, "x", 1), ERR_READ_ONLY);
            assert_int_equal(ext4_unmount(fs), OK);
        }
        assert_int_equal(ram.disk.statistics.writes, 0);
        ram_disk_close(&ram);
    }
}

static void ext4_unmount__nothing_changed__wrote_nothing_lasting(void **state)
{
    (void)state;
    struct ram_disk ram;
    const char *path = ext4_image_make_loaded("old_untouched", 16, "", &ram);
    u8 *superblock = malloc(1024);
    memcpy(superblock, ram.bytes + 1024, 1024);
    unmount_clean(mount(&ram), &ram, path);
    assert_memory_equal(superblock, ram.bytes + 1024, 1024);
    free(superblock);
    ram_disk_close(&ram);
}

/* The superblock is bad, and then no copy of it can be read. */
static void ext4_mount__no_backup_can_be_read__is_refused(void **state)
{
    (void)state;
    struct ext4_mount_options options = { 0 };
    struct ram_disk ram;
    struct ext4 *fs;
    ext4_image_make_loaded("old_backup", 16, "-b 1024", &ram);
    memset(ram.bytes + 1024, 0, 1024);
    ram_disk_fail(&ram, DISK_READ, 2, true);
    assert_int_not_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    ram_disk_fail(&ram, DISK_READ, 0, false);
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    ext4_drop(fs);
    ram_disk_close(&ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ext4_mount__no_backup_can_be_read__is_refused),
        cmocka_unit_test(ext4_truncate__file_of_block_pointers__frees_each_level),
        cmocka_unit_test(ext4_unlink__file_with_triple_pointers__frees_all),
        cmocka_unit_test(ext4_unlink__file_with_an_attribute_block__frees_it),
        cmocka_unit_test(ext4_write__into_unwritten_extents__leaves_zeros_around),
        cmocka_unit_test(ext4_mount__feature_unknown_or_missing__is_said_by_name),
        cmocka_unit_test(ext4_unmount__nothing_changed__wrote_nothing_lasting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
