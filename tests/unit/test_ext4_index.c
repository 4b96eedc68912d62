/*
 * Large directories on real images: names found, added and removed, in linear and indexed ones, with
 * debugfs and e2fsck as judges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "kernel/fs/ext4/ext4_internal.h"
#include "tests/support/ext4_image.h"
#include "tests/support/host_run.h"
#include "tests/support/ram_disk.h"

enum { NAMES = 4600, FOREIGN = 600 };

struct world {
    const char *path;
    struct ram_disk ram;
    struct ext4 *fs;
    u32 directory;
    bool present[NAMES];
};

/* Names up to 120 bytes long, so that a leaf of 1 KiB holds few. */
static const char *name_of(unsigned number)
{
    static char name[160];
    snprintf(
        name, sizeof name, "%u-%.*s", number, (int)(number * 7 % 110),
        "the-quick-brown-fox-jumps-over-the-lazy-dog-and-the-lazy-dog-does-not-care-at-"
        "all-because-it-is-asleep-in-the-sun");
    return name;
}

static void mount(struct world *world)
{
    struct ext4_mount_options options = { .cache_capacity = 512 };
    assert_int_equal(ext4_mount(&world->ram.disk, &options, &world->fs), OK);
    assert_int_equal(ext4_resolve(world->fs, "/many", &world->directory), OK);
}

/* An image whose /many has FOREIGN names, put there and indexed by the tools. */
static void given_a_foreign_directory(struct world *world, const char *options,
                                      bool indexed)
{
    static const char folder[] = "build/tests/images/index.tree";
    char all[256], file[512];
    host_run(0, "rm -rf %s && mkdir -p %s/many", folder, folder);
    memset(world, 0, sizeof *world);
    for (unsigned i = 0; i < FOREIGN; i++) {
        snprintf(file, sizeof file, "%s/many/%s", folder, name_of(i));
        fclose(fopen(file, "w"));
        world->present[i] = true;
    }
    snprintf(all, sizeof all, "%s -N 8192 -d %s", options, folder);
    world->path = ext4_image_make("index", 48, all);
    if (indexed)
        host_run(1, "e2fsck -fyD %s 2>&1", world->path);
    assert_true(ram_disk_load(&world->ram, world->path));
    mount(world);
    struct ext4_inode inode;
    assert_int_equal(ext4_inode_load(world->fs, world->directory, &inode), OK);
    assert_int_equal((inode.flags & EXT4_INODE_FLAG_INDEXED) != 0, indexed);
}

static void settle(struct world *world, enum status status)
{
    assert_int_equal(status, OK);
    if (ext4_transaction_room(world->fs) < 100)
        assert_int_equal(ext4_commit(world->fs), OK);
}

static void toggle(struct world *world, unsigned number)
{
    u32 inode;
    if (world->present[number])
        settle(world, ext4_unlink(world->fs, world->directory, name_of(number)));
    else
        settle(world, ext4_create(world->fs, world->directory, name_of(number), &inode));
    world->present[number] = !world->present[number];
}

static void expect_all_lookups(struct world *world)
{
    for (unsigned i = 0; i < NAMES; i++) {
        u32 inode;
        enum status status = ext4_lookup(world->fs, world->directory, name_of(i), &inode);
        assert_int_equal(status, world->present[i] ? OK : ERR_NOT_FOUND);
    }
}

/* Each present name once, no other one. */
static void expect_listing(struct world *world)
{
    static bool seen[NAMES];
    struct ext4_directory_entry entry;
    enum status status;
    u64 cursor = 0;
    memset(seen, 0, sizeof seen);
    while ((status = ext4_directory_next(world->fs, world->directory, &cursor, &entry)) ==
           OK) {
        unsigned number = (unsigned)atoi(entry.name);
        assert_true(number < NAMES && !seen[number]);
        assert_string_equal(entry.name, name_of(number));
        assert_int_equal(entry.type, EXT4_FILE);
        seen[number] = true;
    }
    assert_int_equal(status, ERR_NOT_FOUND);
    assert_memory_equal(seen, world->present, sizeof seen);
}

static void expect_tools_agree(struct world *world)
{
    assert_int_equal(ext4_unmount(world->fs), OK);
    assert_true(ext4_image_ram_is_clean(&world->ram, world->path));
    const char *list =
        host_run(0,
                 "debugfs -R 'ls -p /many' %s 2>/dev/null | cut -d/ -f6 | sort -n | "
                 "cut -d- -f1 | grep -v '^[.]*$' | cksum",
                 world->path);
    char expected[64];
    snprintf(expected, sizeof expected, "%s", list);
    FILE *file = fopen("build/tests/images/index.list", "w");
    for (unsigned i = 0; i < NAMES; i++)
        if (world->present[i])
            fprintf(file, "%u\n", i);
    fclose(file);
    assert_string_equal(host_run(0, "cksum < build/tests/images/index.list"), expected);
    mount(world);
}

static bool two_levels_seen;

/* Has the index more than a root? */
static void look_at_levels(struct world *world)
{
    const char *dump =
        host_run(0, "debugfs -R 'htree /many' %s 2>/dev/null | head -20", world->path);
    two_levels_seen = two_levels_seen || strstr(dump, "Indirect levels: 1");
}

static void close_world(struct world *world)
{
    ext4_drop(world->fs);
    ram_disk_close(&world->ram);
}

static void live(const char *options, bool indexed)
{
    static struct world world;
    given_a_foreign_directory(&world, options, indexed);
    expect_all_lookups(&world);
    expect_listing(&world);
    for (unsigned i = FOREIGN; i < NAMES - 600; i++)
        toggle(&world, i);
    expect_all_lookups(&world);
    expect_listing(&world);
    expect_tools_agree(&world);
    look_at_levels(&world);

    u64 seed = 99;
    for (int i = 0; i < 2000; i++)
        toggle(&world, (unsigned)(random_next(&seed) % NAMES));
    expect_all_lookups(&world);
    expect_listing(&world);
    expect_tools_agree(&world);

    for (unsigned i = 0; i < NAMES; i++)
        if (world.present[i])
            toggle(&world, i);
    expect_listing(&world);
    settle(&world, ext4_remove_directory(world.fs, EXT4_ROOT_INODE, "many"));
    assert_int_equal(ext4_unmount(world.fs), OK);
    assert_true(ext4_image_ram_is_clean(&world.ram, world.path));
    ram_disk_close(&world.ram);
}

static void indexed__1k_blocks__grows_two_levels_and_shrinks(void **state)
{
    (void)state;
    live("-b 1024", true);
    assert_true(two_levels_seen);
}

static void indexed__1k_blocks_without_checksums__grows_and_shrinks(void **state)
{
    (void)state;
    live("-b 1024 -O ^metadata_csum", true);
}

static void indexed__2k_blocks__grows_and_shrinks(void **state)
{
    (void)state;
    live("-b 2048", true);
}

static void indexed__4k_blocks__grows_and_shrinks(void **state)
{
    (void)state;
    live("-b 4096", true);
}

static void indexed__tea_and_no_types__grows_and_shrinks(void **state)
{
    (void)state;
    live("-b 1024 -O ^filetype,^metadata_csum", true);
}

static void linear__1k_blocks__grows_and_shrinks(void **state)
{
    (void)state;
    live("-b 1024", false);
}

/* A burst of names into both kinds of directory. */
static void add_many(const char *options, bool indexed)
{
    enum { BURST = 500 };
    static struct world world;
    static struct ext4_burst_file files[BURST];
    static char names[BURST][160];
    given_a_foreign_directory(&world, options, indexed);
    for (unsigned from = FOREIGN; from + BURST <= NAMES; from += BURST) {
        for (unsigned i = 0; i < BURST; i++) {
            snprintf(names[i], sizeof names[i], "%s", name_of(from + i));
            files[i] = (struct ext4_burst_file){ .name = names[i] };
        }
        enum status status = ext4_create_burst(world.fs, world.directory, files, BURST);
        if (status == ERR_TRANSACTION_FULL) {
            assert_int_equal(ext4_commit(world.fs), OK);
            status = ext4_create_burst(world.fs, world.directory, files, BURST);
        }
        if (status ==
            ERR_TRANSACTION_FULL) /* indexed: more leaves than the journal takes */
            break;
        assert_int_equal(status, OK);
        memset(world.present + from, true, BURST);
    }
    expect_all_lookups(&world);
    expect_listing(&world);
    expect_tools_agree(&world);
    close_world(&world);
}

static void burst__linear__finds_every_name(void **state)
{
    (void)state;
    add_many("-b 1024", false);
}

static void burst__indexed__finds_every_name(void **state)
{
    (void)state;
    add_many("-b 4096", true);
}

static void rollback__names_added_and_index_grown__leaves_the_old_directory(void **state)
{
    (void)state;
    static struct world world;
    u32 inode;
    given_a_foreign_directory(&world, "-b 1024", true);
    for (unsigned i = FOREIGN; i < NAMES; i++)
        if (ext4_create(world.fs, world.directory, name_of(i), &inode) != OK)
            break;
    ext4_rollback(world.fs);
    expect_all_lookups(&world);
    expect_tools_agree(&world);
    close_world(&world);
}

/*
 * With the seed that the algorithm has by itself these endings of a name give the same hash, four by
 * four; three such names fill a leaf, so the fourth must go to a leaf that continues it.
 */
static const u32 colliding[] = { 0x615c46, 0x130de7d, 0x18e3a10, 0x191b900,
                                 0x240ed4, 0x71823c,  0x9b419b,  0xe96957,
                                 0x2596a1, 0x61d80b,  0xc3a0d2,  0xf440f0 };

static const char *colliding_name(size_t number)
{
    static char name[256];
    memset(name, 'a', 224);
    snprintf(name + 224, sizeof name - 224, "%08x", colliding[number]);
    return name;
}

static void expect_colliding(struct world *world, u32 present)
{
    u32 inode;
    for (size_t i = 0; i < ARRAY_LENGTH(colliding); i++)
        assert_int_equal(
            ext4_lookup(world->fs, world->directory, colliding_name(i), &inode),
            present >> i & 1 ? OK : ERR_NOT_FOUND);
}

static void indexed__names_of_one_hash__continue_in_the_next_leaf(void **state)
{
    (void)state;
    static struct world world;
    u32 present = 0, inode;
    u64 seed = 5;
    given_a_foreign_directory(
        &world, "-b 1024 -E hash_seed=01234567-89ab-cdef-fedc-ba9876543210", true);
    for (unsigned i = 0; i < ARRAY_LENGTH(colliding); i++) {
        unsigned number = (i * 5) % ARRAY_LENGTH(colliding);
        settle(&world,
               ext4_create(world.fs, world.directory, colliding_name(number), &inode));
        present |= 1U << number;
        expect_colliding(&world, present);
    }
    assert_int_equal(ext4_unmount(world.fs), OK);
    assert_true(ext4_image_ram_is_clean(&world.ram, world.path));
    assert_non_null(strstr(
        host_run(0, "debugfs -R 'htree /many' %s 2>/dev/null | grep Entry", world.path),
        "72828879")); /* the hash with its lowest bit set */
    mount(&world);
    for (int i = 0; i < 200; i++) {
        unsigned number = (unsigned)(random_next(&seed) % ARRAY_LENGTH(colliding));
        settle(
            &world,
            present >> number & 1
                ? ext4_unlink(world.fs, world.directory, colliding_name(number))
                : ext4_create(world.fs, world.directory, colliding_name(number), &inode));
        present ^= 1U << number;
        expect_colliding(&world, present);
    }
    assert_int_equal(ext4_unmount(world.fs), OK);
    assert_true(ext4_image_ram_is_clean(&world.ram, world.path));
    ram_disk_close(&world.ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indexed__1k_blocks__grows_two_levels_and_shrinks),
        cmocka_unit_test(indexed__1k_blocks_without_checksums__grows_and_shrinks),
        cmocka_unit_test(indexed__2k_blocks__grows_and_shrinks),
        cmocka_unit_test(indexed__4k_blocks__grows_and_shrinks),
        cmocka_unit_test(indexed__tea_and_no_types__grows_and_shrinks),
        cmocka_unit_test(indexed__names_of_one_hash__continue_in_the_next_leaf),
        cmocka_unit_test(linear__1k_blocks__grows_and_shrinks),
        cmocka_unit_test(burst__linear__finds_every_name),
        cmocka_unit_test(burst__indexed__finds_every_name),
        cmocka_unit_test(rollback__names_added_and_index_grown__leaves_the_old_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
