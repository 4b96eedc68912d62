/*
 * Directories that nobody would write: each kind of damage is refused with one line, and nothing that
 * the bytes say makes an operation hang or leave its bounds. TEST_SEED repeats one random case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/base/endian.h"
#include "kernel/fs/ext4/ext4_internal.h"
#include "tests/support/ext4_image.h"
#include "tests/support/host_run.h"
#include "tests/support/port_host.h"
#include "tests/support/ram_disk.h"

enum { BLOCK = 1024 };

/* One image for all tests, without checksums, so that damage is seen by its meaning. */
struct world {
    const char *path;
    struct ram_disk ram;
    u8 *pristine;
    struct ext4 *fs;
    u32 linear, indexed, outer, inner;
};

static struct world world;

static void mount(bool read_only)
{
    struct ext4_mount_options options = { .read_only = read_only };
    assert_int_equal(ext4_mount(&world.ram.disk, &options, &world.fs), OK);
}

static int make_image(void **state)
{
    (void)state;
    static const char tree[] = "build/tests/images/hostile.tree";
    char options[256];
    host_run(0,
             "rm -rf %s; mkdir -p %s/linear %s/indexed %s/outer/inner; "
             "for i in $(seq 100); do : > %s/linear/name-$i; done; "
             "for i in $(seq 500); do : > %s/indexed/a-longer-name-number-$i; done",
             tree, tree, tree, tree, tree, tree);
    snprintf(options, sizeof options, "-b 1024 -O ^metadata_csum -d %s", tree);
    world.path = ext4_image_make("hostile", 16, options);
    host_run(
        1,
        "e2fsck -fyD %s 2>&1; debugfs -w -R 'set_inode_field /linear flags 0x80000' %s",
        world.path, world.path);
    assert_true(ram_disk_load(&world.ram, world.path));
    world.pristine = malloc(world.ram.size_bytes);
    memcpy(world.pristine, world.ram.bytes, world.ram.size_bytes);
    mount(true);
    assert_int_equal(ext4_resolve(world.fs, "/linear", &world.linear), OK);
    assert_int_equal(ext4_resolve(world.fs, "/indexed", &world.indexed), OK);
    assert_int_equal(ext4_resolve(world.fs, "/outer", &world.outer), OK);
    assert_int_equal(ext4_resolve(world.fs, "/outer/inner", &world.inner), OK);
    ext4_drop(world.fs);
    return 0;
}

static int remove_image(void **state)
{
    (void)state;
    free(world.pristine);
    ram_disk_close(&world.ram);
    return 0;
}

/* The raw bytes of one block of a directory of the pristine image. */
static u8 *block_of(u32 directory, u64 number)
{
    struct ext4_inode inode;
    u64 block, count;
    mount(true);
    assert_int_equal(ext4_inode_load(world.fs, directory, &inode), OK);
    assert_int_equal(ext4_block_map(world.fs, &inode, number, &block, &count), OK);
    assert_true(block != 0);
    ext4_drop(world.fs);
    return world.ram.bytes + block * BLOCK;
}

static void given_the_pristine_image(void)
{
    memcpy(world.ram.bytes, world.pristine, world.ram.size_bytes);
    port_host_clear_log();
}

static enum status list(u32 directory)
{
    struct ext4_directory_entry entry;
    enum status status;
    u64 cursor = 0;
    while ((status = ext4_directory_next(world.fs, directory, &cursor, &entry)) == OK)
        ;
    return status == ERR_NOT_FOUND ? OK : status;
}

/* --- damage by name --- */

struct damage {
    const char *what;
    bool indexed;
    u32 block, at, size, value;
    const char *message;
};

static const struct damage damages[] = {
    { "rec_len zero", false, 1, 4, 2, 0, "impossible entry length" },
    { "rec_len unaligned", false, 1, 4, 2, 21, "impossible entry length" },
    { "rec_len beyond the block", false, 1, 4, 2, 2000, "reaches beyond" },
    { "name_len beyond the entry", false, 1, 6, 1, 250, "name longer" },
    { "inode out of range", false, 1, 0, 4, 99999999, "impossible inode" },
    { "a reserved inode", false, 1, 0, 4, 7, "impossible inode" },
    { "an unknown hash", true, 0, 28, 1, 9, "unknown hash version" },
    { "too many levels", true, 0, 30, 1, 3, "index with levels" },
    { "one level more than there is", true, 0, 30, 1, 1, "no index" },
    { "a wrong limit", true, 0, 32, 2, 500, "index with limit" },
    { "more entries than the limit", true, 0, 34, 2, 200, "index with entries" },
    { "no entries", true, 0, 34, 2, 0, "index with entries" },
    { "a leaf that is the root", true, 0, 36, 4, 0, "leads to its root" },
    { "a leaf beyond the end", true, 0, 36, 4, 5000, "no such block" },
    { "order broken", true, 0, 40, 4, 0xFFFFFFF0, "not in order" },
    { "a header of another size", true, 0, 29, 1, 16, "header of" },
};

static void lookup__damaged_directory__is_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(damages); i++) {
        const struct damage *damage = &damages[i];
        u32 directory = damage->indexed ? world.indexed : world.linear;
        enum status status = OK;
        u8 value[4];
        u32 inode;
        given_the_pristine_image();
        put_le32(value, damage->value);
        memcpy(block_of(directory, damage->block) + damage->at, value, damage->size);
        mount(true);
        port_host_clear_log();
        for (int n = 1; n <= 500 && (status == OK || status == ERR_NOT_FOUND); n++) {
            char name[64];
            snprintf(name, sizeof name,
                     damage->indexed ? "a-longer-name-number-%d" : "no-%d", n);
            status = ext4_lookup(world.fs, directory, name, &inode);
        }
        if (status != ERR_CORRUPT && status != ERR_UNSUPPORTED)
            fail_msg("%s: %s", damage->what, status_text(status));
        if (!port_host_logged(damage->message))
            fail_msg("%s: not said", damage->what);
        ext4_drop(world.fs);
    }
}

static void dots__missing__are_refused(void **state)
{
    (void)state;
    u32 inode;
    given_the_pristine_image();
    put_le32(block_of(world.inner, 0) + 12, 0);
    mount(false);
    assert_int_equal(ext4_lookup(world.fs, world.inner, "..", &inode), ERR_CORRUPT);
    assert_int_equal(
        ext4_rename(world.fs, world.outer, "inner", EXT4_ROOT_INODE, "moved"),
        ERR_CORRUPT);
    ext4_drop(world.fs);
}

static void rename__parents_in_a_circle__is_refused(void **state)
{
    (void)state;
    given_the_pristine_image();
    put_le32(block_of(world.outer, 0) + 12, world.inner);
    mount(false);
    assert_int_equal(
        ext4_rename(world.fs, EXT4_ROOT_INODE, "indexed", world.inner, "moved"),
        ERR_CORRUPT);
    ext4_drop(world.fs);
}

static void remove_directory__that_contains_itself__is_refused(void **state)
{
    (void)state;
    given_the_pristine_image();
    u8 *raw = block_of(world.outer, 0) + 24;
    assert_int_equal(get_le32(raw), world.inner);
    put_le32(raw, world.outer);
    mount(false);
    enum status status = ext4_remove_directory(world.fs, world.outer, "inner");
    assert_true(status == ERR_CORRUPT || status == ERR_NOT_EMPTY);
    ext4_drop(world.fs);
}

static void check__size_of_a_directory_impossible__is_refused(void **state)
{
    (void)state;
    struct ext4_inode inode;
    u32 found;
    static const u64 sizes[] = { 0, 1000, 1ULL << 30 };
    given_the_pristine_image();
    mount(true);
    assert_int_equal(ext4_inode_load(world.fs, world.linear, &inode), OK);
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        inode.size_bytes = sizes[i];
        assert_int_equal(ext4_dir_lookup(world.fs, &inode, "x", &found), ERR_CORRUPT);
    }
    inode.size_bytes = 64 * BLOCK; /* holes behind its blocks */
    assert_int_equal(ext4_dir_lookup(world.fs, &inode, "x", &found), ERR_CORRUPT);
    ext4_drop(world.fs);
}

/* --- damage by chance --- */

static void do_everything(u32 directory)
{
    char name[64];
    u32 inode;
    for (int n = 1; n < 40; n++) {
        snprintf(name, sizeof name, "a-longer-name-number-%d", n * 12);
        (void)!ext4_lookup(world.fs, directory, name, &inode);
        if (n % 3 == 0)
            (void)!ext4_unlink(world.fs, directory, name);
        snprintf(name, sizeof name, "new-name-%d", n);
        (void)!ext4_create(world.fs, directory, name, &inode);
    }
    (void)!list(directory);
    (void)!ext4_rename(world.fs, directory, "name-7", EXT4_ROOT_INODE, "moved");
    (void)!ext4_rename(world.fs, EXT4_ROOT_INODE, "outer", directory, "moved");
    (void)!ext4_remove_directory(world.fs, EXT4_ROOT_INODE, "indexed");
    (void)!ext4_resolve(world.fs, "/indexed/../linear/./../indexed/x", &inode);
}

static void damage_at_random(u64 seed)
{
    static const u8 values[] = { 0, 1, 4, 8, 12, 0x7F, 0x80, 0xFF };
    u32 directory = seed % 3 == 0 ? world.linear : world.indexed;
    given_the_pristine_image();
    for (u64 n = random_next(&seed) % 4; n < 4; n++) {
        u64 number = random_next(&seed) % 4 == 0 ? random_next(&seed) % 3 : 0;
        u8 *raw = block_of(directory, number);
        u64 at = random_next(&seed) % (random_next(&seed) % 2 ? 64 : BLOCK);
        raw[at] = random_next(&seed) % 2 ? values[random_next(&seed) % 8]
                                         : (u8)random_next(&seed);
    }
    mount(false);
    do_everything(directory);
    ext4_drop(world.fs);
}

static volatile u64 current_seed;

static void say_seed(int signal)
{
    (void)signal;
    fprintf(stderr, "hangs: TEST_SEED=%llu\n", (unsigned long long)current_seed);
    abort();
}

static void everything__random_damage__comes_back(void **state)
{
    (void)state;
    const char *chosen = getenv("TEST_SEED");
    if (chosen) {
        damage_at_random(strtoull(chosen, NULL, 0));
        return;
    }
    signal(SIGALRM, say_seed);
    for (u64 seed = 1; seed <= 400; seed++) {
        current_seed = seed;
        alarm(20);
        damage_at_random(seed);
    }
    alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lookup__damaged_directory__is_refused_by_name),
        cmocka_unit_test(dots__missing__are_refused),
        cmocka_unit_test(rename__parents_in_a_circle__is_refused),
        cmocka_unit_test(remove_directory__that_contains_itself__is_refused),
        cmocka_unit_test(check__size_of_a_directory_impossible__is_refused),
        cmocka_unit_test(everything__random_damage__comes_back),
    };
    return cmocka_run_group_tests(tests, make_image, remove_image);
}
