/*
 * Names on real images: a random life of a tree of directories beside a model of it, in every
 * format; then what each call refuses. TEST_SEED repeats one life.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/fs/ext4/check.h"
#include "tests/support/ext4_formats.h"
#include "tests/support/ext4_image.h"
#include "tests/support/host_run.h"
#include "tests/support/ram_disk.h"

enum { NODES = 160, ROOT = 0, NAME_CHOICES = 40, STEPS = 1200 };

/* Node 0 is the root. A node without a parent does not exist. */
struct node {
    bool exists, is_directory;
    int parent;
    int name;
    u32 inode;
};

struct tree {
    struct node nodes[NODES];
};

struct world {
    const char *path;
    struct ram_disk ram;
    struct ext4 *fs;
    u64 seed;
    struct tree running, committed;
};

static const char *name_of(int name)
{
    static char text[8][300];
    static unsigned turn;
    char *to = text[turn++ % 8];
    sprintf(
        to, "n%d-%.*s", name, name * 6 % 240,
        "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggghhhhhhhhhh"
        "iiiiiiiiiijjjjjjjjjjkkkkkkkkkkllllllllllmmmmmmmmmmnnnnnnnnnnoooooooooopppppppppp"
        "qqqqqqqqqqrrrrrrrrrrssssssssssttttttttttuuuuuuuuuuvvvvvvvvvvwwwwwwwwwwxxxxxxxxx"
        "x");
    return to;
}

static int pick(struct world *world, int limit)
{
    return (int)(random_next(&world->seed) % (u64)limit);
}

static void mount(struct world *world)
{
    struct ext4_mount_options options = { .cache_capacity = 256 };
    assert_int_equal(ext4_mount(&world->ram.disk, &options, &world->fs), OK);
}

static void given_an_image(struct world *world, const struct ext4_format *format)
{
    char name[64];
    memset(world, 0, sizeof *world);
    snprintf(name, sizeof name, "namespace-%s", format->name);
    world->path = ext4_image_make_loaded(name, format->mib, format->options, &world->ram);
    world->running.nodes[ROOT] = (struct node){ true, true, ROOT, -1, EXT4_ROOT_INODE };
    world->committed = world->running;
    mount(world);
}

static int find_child(const struct tree *tree, int parent, int name)
{
    for (int i = 1; i < NODES; i++)
        if (tree->nodes[i].exists && tree->nodes[i].parent == parent &&
            tree->nodes[i].name == name)
            return i;
    return -1;
}

static int count_children(const struct tree *tree, int parent, bool only_directories)
{
    int count = 0;
    for (int i = 1; i < NODES; i++)
        count += tree->nodes[i].exists && tree->nodes[i].parent == parent &&
                 (!only_directories || tree->nodes[i].is_directory);
    return count;
}

static bool is_inside(const struct tree *tree, int node, int ancestor)
{
    for (; node != ROOT; node = tree->nodes[node].parent)
        if (node == ancestor)
            return true;
    return ancestor == ROOT;
}

static int pick_directory(struct world *world)
{
    for (;;) {
        int node = pick(world, NODES);
        if (world->running.nodes[node].exists && world->running.nodes[node].is_directory)
            return node;
        if (pick(world, 8) == 0)
            return ROOT;
    }
}

static void make(struct world *world, int parent, int name, bool directory)
{
    struct tree *tree = &world->running;
    u32 parent_inode = tree->nodes[parent].inode;
    u32 inode = 0;
    int free_node = 1;
    while (free_node < NODES && tree->nodes[free_node].exists)
        free_node++;
    if (free_node == NODES)
        return;
    enum status status =
        directory ? ext4_make_directory(world->fs, parent_inode, name_of(name), &inode)
                  : ext4_create(world->fs, parent_inode, name_of(name), &inode);
    if (find_child(tree, parent, name) >= 0) {
        assert_int_equal(status, ERR_EXISTS);
        return;
    }
    assert_int_equal(status, OK);
    tree->nodes[free_node] = (struct node){ true, directory, parent, name, inode };
}

static void remove_name(struct world *world, int parent, int name, bool directory)
{
    struct tree *tree = &world->running;
    u32 parent_inode = tree->nodes[parent].inode;
    int child = find_child(tree, parent, name);
    enum status expected = OK;
    if (child < 0)
        expected = ERR_NOT_FOUND;
    else if (directory && !tree->nodes[child].is_directory)
        expected = ERR_NOT_DIRECTORY;
    else if (!directory && tree->nodes[child].is_directory)
        expected = ERR_IS_DIRECTORY;
    else if (directory && count_children(tree, child, false) > 0)
        expected = ERR_NOT_EMPTY;
    enum status status =
        directory ? ext4_remove_directory(world->fs, parent_inode, name_of(name))
                  : ext4_unlink(world->fs, parent_inode, name_of(name));
    assert_int_equal(status, expected);
    if (status == OK)
        tree->nodes[child].exists = false;
}

static enum status expected_of_rename(const struct tree *tree, int child, int to,
                                      int replaced)
{
    if (child < 0)
        return ERR_NOT_FOUND;
    bool directory = tree->nodes[child].is_directory;
    if (directory && is_inside(tree, to, child))
        return ERR_INVALID_ARGUMENT;
    if (replaced < 0 || replaced == child)
        return OK;
    if (tree->nodes[replaced].is_directory && !directory)
        return ERR_IS_DIRECTORY;
    if (!tree->nodes[replaced].is_directory)
        return directory ? ERR_NOT_DIRECTORY : OK;
    return count_children(tree, replaced, false) > 0 ? ERR_NOT_EMPTY : OK;
}

static void rename_name(struct world *world, int from, int name, int to, int new_name)
{
    struct tree *tree = &world->running;
    int child = find_child(tree, from, name);
    int replaced = find_child(tree, to, new_name);
    enum status expected = expected_of_rename(tree, child, to, replaced);
    enum status status = ext4_rename(world->fs, tree->nodes[from].inode, name_of(name),
                                     tree->nodes[to].inode, name_of(new_name));
    assert_int_equal(status, expected);
    if (status != OK || child == replaced)
        return;
    if (replaced >= 0)
        tree->nodes[replaced].exists = false;
    tree->nodes[child].parent = to;
    tree->nodes[child].name = new_name;
}

static void compare_entries(struct world *world, int directory)
{
    const struct tree *tree = &world->running;
    struct ext4_directory_entry entry;
    enum status status;
    u64 cursor = 0;
    int count = 0;
    while ((status = ext4_directory_next(world->fs, tree->nodes[directory].inode, &cursor,
                                         &entry)) == OK) {
        int name;
        if (strcmp(entry.name, "lost+found") == 0)
            continue;
        assert_int_equal(sscanf(entry.name, "n%d", &name), 1);
        assert_string_equal(entry.name, name_of(name));
        int child = find_child(tree, directory, name);
        assert_true(child > 0);
        assert_int_equal(entry.inode, tree->nodes[child].inode);
        assert_int_equal(entry.type,
                         tree->nodes[child].is_directory ? EXT4_DIRECTORY : EXT4_FILE);
        count++;
    }
    assert_int_equal(status, ERR_NOT_FOUND);
    assert_int_equal(count, count_children(tree, directory, false));
}

static void compare(struct world *world)
{
    const struct tree *tree = &world->running;
    for (int i = 0; i < NODES; i++) {
        const struct node *node = &tree->nodes[i];
        struct ext4_stat stat;
        u32 parent;
        if (!node->exists)
            continue;
        assert_int_equal(ext4_stat(world->fs, node->inode, &stat), OK);
        assert_int_equal(stat.type, node->is_directory ? EXT4_DIRECTORY : EXT4_FILE);
        if (!node->is_directory) {
            assert_int_equal(stat.links, 1);
            continue;
        }
        u32 lost_and_found = i == ROOT;
        assert_int_equal(stat.links,
                         2 + (u32)count_children(tree, i, true) + lost_and_found);
        assert_int_equal(ext4_lookup(world->fs, node->inode, "..", &parent), OK);
        assert_int_equal(parent, tree->nodes[node->parent].inode);
        compare_entries(world, i);
    }
}

/* Our own check, at the border of two transactions. */
static void expect_sound(struct world *world)
{
    struct ext4_check_report report;
    assert_int_equal(ext4_check(world->fs, &report), OK);
    if (report.problems > 0)
        fail_msg("%s", report.first);
}

static void end_or_begin_transaction(struct world *world)
{
    switch (pick(world, 6)) {
    case 0:
        ext4_rollback(world->fs);
        world->running = world->committed;
        break;
    case 1:
        assert_int_equal(ext4_unmount(world->fs), OK);
        mount(world);
        world->committed = world->running;
        break;
    case 2:
        ext4_drop(world->fs);
        mount(world);
        world->running = world->committed;
        break;
    default:
        assert_int_equal(ext4_commit(world->fs), OK);
        world->committed = world->running;
    }
    expect_sound(world);
}

static void step(struct world *world)
{
    int directory = pick_directory(world);
    int name = pick(world, NAME_CHOICES);
    if (ext4_transaction_room(world->fs) < 60 || pick(world, 20) == 0)
        end_or_begin_transaction(world);
    if (!world->running.nodes[directory].exists)
        return;
    switch (pick(world, 8)) {
    case 0:
    case 1:
        make(world, directory, name, false);
        break;
    case 2:
    case 3:
        make(world, directory, name, true);
        break;
    case 4:
        remove_name(world, directory, name, false);
        break;
    case 5:
        remove_name(world, directory, name, true);
        break;
    default:
        rename_name(world, directory, name, pick_directory(world),
                    pick(world, NAME_CHOICES));
    }
}

static void tree__random_life_in_every_format__is_as_the_model_and_clean(void **state)
{
    (void)state;
    static struct world world;
    const char *chosen = getenv("TEST_SEED");
    for (size_t i = 0; i < ARRAY_LENGTH(ext4_formats); i++) {
        if (ext4_formats[i].mib > 100)
            continue;
        given_an_image(&world, &ext4_formats[i]);
        world.seed = chosen ? strtoull(chosen, NULL, 0) : 1000 + i;
        print_message("%s: seed %llu\n", ext4_formats[i].name,
                      (unsigned long long)world.seed);
        for (int n = 0; n < STEPS; n++)
            step(&world);
        compare(&world);
        assert_int_equal(ext4_unmount(world.fs), OK);
        assert_true(ext4_image_ram_is_clean(&world.ram, world.path));
        mount(&world);
        compare(&world);
        ext4_drop(world.fs);
        ram_disk_close(&world.ram);
        remove(world.path);
    }
}

/* --- what is refused --- */

static const struct ext4_format plain = { "plain", 16, "" };

static void given_a_file_and_a_directory(struct world *world, u32 *file, u32 *directory)
{
    given_an_image(world, &plain);
    assert_int_equal(ext4_create(world->fs, EXT4_ROOT_INODE, "file", file), OK);
    assert_int_equal(
        ext4_make_directory(world->fs, EXT4_ROOT_INODE, "directory", directory), OK);
}

static void close_world(struct world *world)
{
    ext4_drop(world->fs);
    ram_disk_close(&world->ram);
}

static void create__impossible_names__are_refused(void **state)
{
    (void)state;
    static struct world world;
    u32 file, directory, inode;
    char longest[EXT4_NAME_MAX + 2];
    given_a_file_and_a_directory(&world, &file, &directory);
    memset(longest, 'x', sizeof longest);
    longest[EXT4_NAME_MAX + 1] = '\0';
    assert_int_equal(ext4_create(world.fs, directory, "", &inode), ERR_INVALID_ARGUMENT);
    assert_int_equal(ext4_create(world.fs, directory, ".", &inode), ERR_INVALID_ARGUMENT);
    assert_int_equal(ext4_create(world.fs, directory, "..", &inode),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(ext4_create(world.fs, directory, "a/b", &inode),
                     ERR_INVALID_ARGUMENT);
    assert_int_equal(ext4_create(world.fs, directory, longest, &inode), ERR_TOO_LARGE);
    longest[EXT4_NAME_MAX] = '\0';
    assert_int_equal(ext4_create(world.fs, directory, longest, &inode), OK);
    assert_int_equal(ext4_lookup(world.fs, directory, longest, &file), OK);
    assert_int_equal(file, inode);
    close_world(&world);
}

static void create__in_a_file_or_a_deleted_directory__is_refused(void **state)
{
    (void)state;
    static struct world world;
    u32 file, directory, inode;
    given_a_file_and_a_directory(&world, &file, &directory);
    assert_int_equal(ext4_create(world.fs, file, "x", &inode), ERR_NOT_DIRECTORY);
    assert_int_equal(ext4_remove_directory(world.fs, EXT4_ROOT_INODE, "directory"), OK);
    assert_int_equal(ext4_create(world.fs, directory, "x", &inode), ERR_NOT_FOUND);
    assert_int_equal(ext4_create(world.fs, 5000000, "x", &inode), ERR_CORRUPT);
    close_world(&world);
}

static void create__transaction_full__changes_nothing(void **state)
{
    (void)state;
    static struct world world;
    u32 file, directory, inode;
    char name[32];
    struct ext4_space before, after;
    enum status status = OK;
    given_a_file_and_a_directory(&world, &file, &directory);
    for (int i = 0; status == OK; i++) {
        snprintf(name, sizeof name, "directory-%d", i);
        ext4_space(world.fs, &before);
        status = ext4_make_directory(world.fs, directory, name, &inode);
    }
    ext4_space(world.fs, &after);
    assert_int_equal(status, ERR_TRANSACTION_FULL);
    assert_int_equal(after.free_blocks, before.free_blocks);
    assert_int_equal(after.free_inodes, before.free_inodes);
    assert_int_equal(ext4_commit(world.fs), OK);
    assert_int_equal(ext4_make_directory(world.fs, directory, name, &inode), OK);
    assert_int_equal(ext4_unmount(world.fs), OK);
    assert_true(ext4_image_ram_is_clean(&world.ram, world.path));
    ram_disk_close(&world.ram);
}

static void directory_next__entries_removed_meanwhile__misses_none(void **state)
{
    (void)state;
    static struct world world;
    u32 file, directory, inode;
    char name[32];
    struct ext4_directory_entry entry;
    u64 cursor = 0;
    int seen = 0;
    given_a_file_and_a_directory(&world, &file, &directory);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof name, "file-%d", i);
        assert_int_equal(ext4_create(world.fs, directory, name, &inode), OK);
    }
    while (ext4_directory_next(world.fs, directory, &cursor, &entry) == OK) {
        assert_int_equal(ext4_unlink(world.fs, directory, entry.name), OK);
        seen++;
    }
    assert_int_equal(seen, 100);
    assert_int_equal(ext4_remove_directory(world.fs, EXT4_ROOT_INODE, "directory"), OK);
    close_world(&world);
}

static void create__ten_thousand_names_in_one_directory__is_clean(void **state)
{
    (void)state;
    enum { BURST = 500, COUNT = 10000 };
    static struct world world;
    static struct ext4_burst_file files[BURST];
    static char names[BURST][32];
    static const struct ext4_format many = { "many", 64, "-N 12000" };
    struct ext4_directory_entry entry;
    u64 cursor = 0;
    u32 directory;
    int seen = 0;
    given_an_image(&world, &many);
    assert_int_equal(ext4_make_directory(world.fs, EXT4_ROOT_INODE, "many", &directory),
                     OK);
    for (int from = 0; from < COUNT; from += BURST) {
        for (int i = 0; i < BURST; i++) {
            snprintf(names[i], sizeof names[i], "%08x", from + i);
            files[i] = (struct ext4_burst_file){ .name = names[i] };
        }
        assert_int_equal(ext4_create_burst(world.fs, directory, files, BURST), OK);
        assert_int_equal(ext4_commit(world.fs), OK);
    }
    while (ext4_directory_next(world.fs, directory, &cursor, &entry) == OK)
        seen++;
    assert_int_equal(seen, COUNT);
    assert_int_equal(ext4_unmount(world.fs), OK);
    assert_true(ext4_image_ram_is_clean(&world.ram, world.path));
    ram_disk_close(&world.ram);
}

static void burst__names_there_or_twice__changes_nothing(void **state)
{
    (void)state;
    static struct world world;
    u32 file, directory, inode;
    struct ext4_burst_file there[] = { { .name = "new" }, { .name = "old" } };
    struct ext4_burst_file twice[] = { { .name = "a" },
                                       { .name = "b" },
                                       { .name = "a" } };
    struct ext4_burst_file fine[] = { { .name = "a" }, { .name = "b" } };
    given_a_file_and_a_directory(&world, &file, &directory);
    assert_int_equal(ext4_create(world.fs, directory, "old", &inode), OK);
    assert_int_equal(ext4_create_burst(world.fs, directory, there, 2), ERR_EXISTS);
    assert_int_equal(ext4_create_burst(world.fs, directory, twice, 3), ERR_EXISTS);
    assert_int_equal(ext4_create_burst(world.fs, directory, fine, 2), OK);
    assert_int_equal(ext4_commit(world.fs), OK);
    expect_sound(&world);
    assert_int_equal(ext4_lookup(world.fs, directory, "new", &inode), ERR_NOT_FOUND);
    assert_int_equal(ext4_lookup(world.fs, directory, "b", &inode), OK);
    assert_int_equal(inode, fine[1].inode);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree__random_life_in_every_format__is_as_the_model_and_clean),
        cmocka_unit_test(create__impossible_names__are_refused),
        cmocka_unit_test(create__in_a_file_or_a_deleted_directory__is_refused),
        cmocka_unit_test(create__transaction_full__changes_nothing),
        cmocka_unit_test(directory_next__entries_removed_meanwhile__misses_none),
        cmocka_unit_test(burst__names_there_or_twice__changes_nothing),
        cmocka_unit_test(create__ten_thousand_names_in_one_directory__is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
