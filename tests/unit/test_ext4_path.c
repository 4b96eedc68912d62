/* Paths and symbolic links, made by the host and by debugfs, and made impossible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "kernel/fs/ext4/ext4_internal.h"
#include "tests/support/ext4_image.h"
#include "tests/support/host_run.h"
#include "tests/support/port_host.h"
#include "tests/support/ram_disk.h"

struct world {
    const char *path;
    struct ram_disk ram;
    struct ext4 *fs;
};

static const char tree[] = "build/tests/images/path.tree";

static void mount(struct world *world)
{
    struct ext4_mount_options options = { .read_only = true };
    assert_true(ram_disk_load(&world->ram, world->path));
    assert_int_equal(ext4_mount(&world->ram.disk, &options, &world->fs), OK);
}

static int given_a_tree(void **state)
{
    static struct world world;
    char options[300];
    host_run(
        0,
        "rm -rf %s; mkdir -p %s/a/b/c; cd %s; echo x > a/b/c/file; ln -s b/c a/relative; "
        "ln -s /a/b a/absolute; ln -s ../.. a/b/up; ln -s loop2 loop1; ln -s loop1 "
        "loop2; "
        "ln -s nothing dangling; ln -s self/x self; ln -s a/b/c/file to_file; "
        "ln -s a/ slash; ln -s / root; "
        "ln -s $(printf './%%.0s' $(seq 500))a/b long; "

        "mkdir $(printf 'd%%.0s' $(seq 56)); ln -s $(printf 'd%%.0s' $(seq 56))/.. "
        "fast59;"
        "mkdir $(printf 'e%%.0s' $(seq 57)); ln -s $(printf 'e%%.0s' $(seq 57))/.. "
        "slow60;"
        "p=a; for i in $(seq 39); do ln -s $p l$i; p=l$i; done; ln -s l39 l40; ln -s l40 "
        "l41",
        tree, tree, tree);
    snprintf(options, sizeof options, "-d %s %s", tree, (const char *)*state);
    world.path = ext4_image_make("path", 16, options);
    mount(&world);
    *state = &world;
    return 0;
}

static int close_tree(void **state)
{
    struct world *world = *state;
    ext4_drop(world->fs);
    ram_disk_close(&world->ram);
    return 0;
}

static void expect_same(struct world *world, const char *path, const char *same)
{
    u32 inode = 0, expected = 0;
    assert_int_equal(ext4_resolve(world->fs, same, &expected), OK);
    enum status status = ext4_resolve(world->fs, path, &inode);
    if (status != OK || inode != expected)
        fail_msg("%s: %s, inode %u instead of %u", path, status_text(status), inode,
                 expected);
}

static void expect_status(struct world *world, const char *path, enum status expected)
{
    u32 inode = 77;
    enum status status = ext4_resolve(world->fs, path, &inode);
    if (status != expected)
        fail_msg("%s: %s instead of %s", path, status_text(status),
                 status_text(expected));
    assert_true(status == OK || inode == 77);
}

static void resolve__plain_paths__agree_with_debugfs(void **state)
{
    struct world *world = *state;
    static const char *const paths[] = { "/a", "/a/b", "/a/b/c", "/a/b/c/file" };
    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        u32 inode;
        assert_int_equal(ext4_resolve(world->fs, paths[i], &inode), OK);
        assert_int_equal(inode, ext4_image_inode(world->path, paths[i]));
    }
    u32 root;
    assert_int_equal(ext4_resolve(world->fs, "/", &root), OK);
    assert_int_equal(root, EXT4_ROOT_INODE);
}

static void resolve__dots_and_slashes__are_walked(void **state)
{
    struct world *world = *state;
    expect_same(world, "//a///b//", "/a/b");
    expect_same(world, "/a/./b/.", "/a/b");
    expect_same(world, "/a/b/../b/c/../..", "/a");
    expect_same(world, "/../../a", "/a");
    expect_same(world, "/./", "/");
}

static void resolve__symbolic_links__are_followed(void **state)
{
    struct world *world = *state;
    expect_same(world, "/a/relative/file", "/a/b/c/file");
    expect_same(world, "/a/absolute/c", "/a/b/c");
    expect_same(world, "/a/absolute", "/a/b");
    expect_same(world, "/a/b/up", "/");
    expect_same(world, "/a/b/up/a/b", "/a/b");
    expect_same(world, "/to_file", "/a/b/c/file");
    expect_same(world, "/slash/b", "/a/b");
    expect_same(world, "/slash", "/a");
    expect_same(world, "/root/a", "/a");
    expect_same(world, "/long/c", "/a/b/c");
    expect_same(world, "/fast59/a", "/a");
    expect_same(world, "/slow60/a", "/a");
}

static void resolve__links_without_end__are_refused(void **state)
{
    struct world *world = *state;
    expect_status(world, "/loop1", ERR_LOOP);
    expect_status(world, "/self", ERR_LOOP);
    expect_same(world, "/l40", "/a");
    expect_status(world, "/l41", ERR_LOOP);
}

static void resolve__impossible_paths__are_refused(void **state)
{
    struct world *world = *state;
    static char path[EXT4_PATH_MAX + 100];
    expect_status(world, "", ERR_INVALID_ARGUMENT);
    expect_status(world, "a", ERR_INVALID_ARGUMENT);
    expect_status(world, "/b", ERR_NOT_FOUND);
    expect_status(world, "/dangling", ERR_NOT_FOUND);
    expect_status(world, "/a/b/c/file/", ERR_NOT_DIRECTORY);
    expect_status(world, "/a/b/c/file/x", ERR_NOT_DIRECTORY);
    expect_status(world, "/a/b/c/file/..", ERR_NOT_DIRECTORY);
    expect_status(world, "/to_file/", ERR_NOT_DIRECTORY);
    memset(path, '/', sizeof path - 1);
    expect_status(world, path, ERR_TOO_LARGE);
    memset(path + 1, 'x', EXT4_NAME_MAX + 1);
    path[EXT4_NAME_MAX + 2] = '\0';
    expect_status(world, path, ERR_TOO_LARGE);
    path[EXT4_NAME_MAX + 1] = '\0';
    expect_status(world, path, ERR_NOT_FOUND);
}

static void resolve__short_of_memory__says_so(void **state)
{
    struct world *world = *state;
    port_host_fail_allocation(1, false);
    expect_status(world, "/a", ERR_NO_MEMORY);
    port_host_fail_allocation(0, false);
    expect_status(world, "/a", OK);
}

static void symlink_target__size_damaged__is_refused(void **state)
{
    struct world *world = *state;
    static const u64 sizes[] = { 0, 1024, 4096, 1ULL << 40 };
    char text[EXT4_PATH_MAX + 1];
    struct ext4_inode link;
    u32 inode;
    struct ext4_inode root;
    assert_int_equal(ext4_inode_load(world->fs, EXT4_ROOT_INODE, &root), OK);
    assert_int_equal(ext4_dir_lookup(world->fs, &root, "long", &inode), OK);
    assert_int_equal(ext4_inode_load(world->fs, inode, &link), OK);
    assert_int_equal(ext4_symlink_target(world->fs, &link, text, sizeof text), OK);
    assert_int_equal(strlen(text), link.size_bytes);
    assert_int_equal(ext4_symlink_target(world->fs, &link, text, 100),
                     ERR_BUFFER_TOO_SMALL);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        link.size_bytes = sizes[i];
        assert_int_equal(ext4_symlink_target(world->fs, &link, text, sizeof text),
                         ERR_CORRUPT);
    }
    link.size_bytes = 1010; /* the block holds zeros behind the text */
    assert_int_equal(ext4_symlink_target(world->fs, &link, text, sizeof text),
                     ERR_CORRUPT);
}

int main(void)
{
#define ON_TREE(test, options)                                                           \
    {                                                                                    \
#test, test, given_a_tree, close_tree, options                                   \
    }
    const struct CMUnitTest tests[] = {
        ON_TREE(resolve__plain_paths__agree_with_debugfs, ""),
        ON_TREE(resolve__dots_and_slashes__are_walked, ""),
        ON_TREE(resolve__symbolic_links__are_followed, ""),
        ON_TREE(resolve__symbolic_links__are_followed,
                "-O ^metadata_csum,^extents,^64bit"),
        ON_TREE(resolve__links_without_end__are_refused, ""),
        ON_TREE(resolve__impossible_paths__are_refused, ""),
        ON_TREE(resolve__short_of_memory__says_so, ""),
        ON_TREE(symlink_target__size_damaged__is_refused, ""),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
