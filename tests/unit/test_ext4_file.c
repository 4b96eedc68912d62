/* Files on images of every format, with e2fsprogs as the other reader and writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/fs/ext4/ext4.h"
#include "tests/support/ext4_formats.h"
#include "tests/support/ext4_image.h"

enum { CONTENT_SIZE = 3 * MIB };

static u8 content[CONTENT_SIZE], result[CONTENT_SIZE];

static void fill(u64 seed)
{
    for (size_t i = 0; i < sizeof content; i += sizeof seed) {
        u64 value = random_next(&seed);
        memcpy(content + i, &value, sizeof value);
    }
}

static struct ext4 *mount(struct ram_disk *ram)
{
    struct ext4_mount_options options = { .read_only = false };
    struct ext4 *fs = NULL;
    assert_int_equal(ext4_mount(&ram->disk, &options, &fs), OK);
    return fs;
}

/* One image of a format, mounted. */
struct fixture {
    struct ram_disk ram;
    const char *path;
    struct ext4 *fs;
};

static void open_fixture(struct fixture *fixture, const struct ext4_format *format)
{
    char name[64];
    snprintf(name, sizeof name, "file_%s", format->name);
    fixture->path = ext4_image_make(name, format->mib, format->options);
    ext4_image_write(fixture->path, "/empty", "", 0);
    ext4_image_write(fixture->path, "/full", content, CONTENT_SIZE);
    assert_true(ram_disk_load(&fixture->ram, fixture->path));
    fixture->fs = mount(&fixture->ram);
}

static void close_fixture(struct fixture *fixture)
{
    assert_int_equal(ext4_unmount(fixture->fs), OK);
    assert_true(ext4_image_ram_is_clean(&fixture->ram, fixture->path));
    ram_disk_close(&fixture->ram);
}

static void for_each_format(void (*check)(struct fixture *fixture), unsigned largest_mib)
{
    for (size_t i = 0; i < ARRAY_LENGTH(ext4_formats); i++) {
        struct fixture fixture;
        if (ext4_formats[i].mib > largest_mib)
            continue;
        fill(i + 1);
        open_fixture(&fixture, &ext4_formats[i]);
        print_message("    %s\n", ext4_formats[i].name);
        check(&fixture);
        close_fixture(&fixture);
    }
}

static void expect_content(struct ext4 *fs, u32 inode, size_t size)
{
    size_t got = 0;
    memset(result, 0xEE, sizeof result);
    assert_int_equal(ext4_read(fs, inode, 0, result, sizeof result, &got), OK);
    assert_int_equal(got, size);
    assert_memory_equal(result, content, size);
}

static void read_full(struct fixture *fixture)
{
    u32 inode = ext4_image_inode(fixture->path, "/full");
    u64 seed = 5;
    expect_content(fixture->fs, inode, CONTENT_SIZE);
    for (int i = 0; i < 200; i++) {
        size_t offset = random_next(&seed) % CONTENT_SIZE;
        size_t size = random_next(&seed) % 9000;
        size_t got = 0;
        assert_int_equal(ext4_read(fixture->fs, inode, offset, result, size, &got), OK);
        assert_int_equal(got,
                         size < CONTENT_SIZE - offset ? size : CONTENT_SIZE - offset);
        assert_memory_equal(result, content + offset, got);
    }
}

static void ext4_read__file_written_by_debugfs__is_the_same(void **state)
{
    (void)state;
    for_each_format(read_full, 64);
}

static void write_pieces(struct fixture *fixture)
{
    u32 inode = ext4_image_inode(fixture->path, "/empty");
    u64 seed = 7;
    for (size_t at = 0; at < CONTENT_SIZE / 2;) {
        size_t piece = random_next(&seed) % 20000 + 1;
        assert_int_equal(ext4_write(fixture->fs, inode, at, content + at, piece), OK);
        at += piece;
        if (at < CONTENT_SIZE / 2)
            continue;
        expect_content(fixture->fs, inode, at);
        assert_int_equal(ext4_commit(fixture->fs), OK);
        expect_content(fixture->fs, inode, at);
        assert_int_equal(ext4_write(fixture->fs, inode, 100, content, 5000), OK);
        memmove(content + 100, content, 5000);
        expect_content(fixture->fs, inode, at);
        assert_int_equal(ext4_unmount(fixture->fs), OK);
        assert_true(ext4_image_ram_is_clean(&fixture->ram, fixture->path));
        fixture->fs = mount(&fixture->ram);
        expect_content(fixture->fs, inode, at);
        assert_int_equal(ext4_image_dump(fixture->path, "/empty", result, sizeof result),
                         at);
        assert_memory_equal(result, content, at);
    }
}

static void ext4_write__pieces_of_any_size__are_read_by_us_and_debugfs(void **state)
{
    (void)state;
    for_each_format(write_pieces, 1024);
}

static void truncate_in_steps(struct fixture *fixture)
{
    u32 inode = ext4_image_inode(fixture->path, "/full");
    struct ext4_space before, after;
    for (size_t size = CONTENT_SIZE; size > 100; size = size * 2 / 3) {
        assert_int_equal(ext4_truncate(fixture->fs, inode, size), OK);
        expect_content(fixture->fs, inode, size);
    }
    assert_int_equal(ext4_truncate(fixture->fs, inode, 60000), OK);
    size_t got;
    assert_int_equal(ext4_read(fixture->fs, inode, 0, result, sizeof result, &got), OK);
    assert_int_equal(got, 60000);
    assert_true(result[59999] == 0 && result[1000] == 0);
    ext4_rollback(fixture->fs);
    expect_content(fixture->fs, inode, CONTENT_SIZE);

    ext4_space(fixture->fs, &before);
    assert_int_equal(ext4_truncate(fixture->fs, inode, 0), OK);
    assert_int_equal(ext4_commit(fixture->fs), OK);
    ext4_space(fixture->fs, &after);
    assert_true(after.free_blocks >=
                before.free_blocks + CONTENT_SIZE / before.block_size);
}

static void ext4_truncate__in_steps_and_back__keeps_what_is_left(void **state)
{
    (void)state;
    for_each_format(truncate_in_steps, 64);
}

/* Every other block written, so that the extent tree grows to several levels. */
static void write_sparse(struct fixture *fixture)
{
    u32 inode = ext4_image_inode(fixture->path, "/empty");
    struct ext4_space space;
    ext4_space(fixture->fs, &space);
    size_t step = 2 * space.block_size;
    size_t count = CONTENT_SIZE / step;
    memset(result, 0, sizeof result);
    u64 seed = 11;
    for (size_t i = 0; i < 2 * count; i++) {
        size_t at = (i < count ? i * 7919 % count : random_next(&seed) % count) * step;
        assert_int_equal(ext4_write(fixture->fs, inode, at, content + at, 100), OK);
    }
    for (size_t at = 0; at < CONTENT_SIZE; at += step)
        memset(content + at + 100, 0, (at + step < CONTENT_SIZE ? step : step) - 100);
    assert_int_equal(ext4_commit(fixture->fs), OK);
    expect_content(fixture->fs, inode, (count - 1) * step + 100);
    assert_int_equal(ext4_unmount(fixture->fs), OK);
    assert_true(ext4_image_ram_is_clean(&fixture->ram, fixture->path));
    fixture->fs = mount(&fixture->ram);
    assert_int_equal(ext4_truncate(fixture->fs, inode, 50 * step), OK);
    expect_content(fixture->fs, inode, 50 * step);
}

static void ext4_write__holes_in_any_order__give_a_valid_tree(void **state)
{
    (void)state;
    for_each_format(write_sparse, 64);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ext4_read__file_written_by_debugfs__is_the_same),
        cmocka_unit_test(ext4_write__pieces_of_any_size__are_read_by_us_and_debugfs),
        cmocka_unit_test(ext4_truncate__in_steps_and_back__keeps_what_is_left),
        cmocka_unit_test(ext4_write__holes_in_any_order__give_a_valid_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
