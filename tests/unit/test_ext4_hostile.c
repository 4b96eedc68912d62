/*
 * Damaged images without checksums to protect them, mounted for writing: every operation ends, with
 * whatever status, and none touches memory that is not its own (the sanitizers watch).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/fs/ext4/ext4.h"
#include "tests/support/ext4_image.h"

enum { ROUNDS = 400, CONTENT_SIZE = 40 * KIB };

static u8 content[CONTENT_SIZE];

/* An image with files of many extents, directories and pointers to break. */
static void make_victim(struct ram_disk *ram, const char *options)
{
    ext4_image_make_loaded("hostile", 4, options, ram);
    struct ext4_mount_options mount = { .cache_capacity = 64 };
    struct ext4 *fs;
    u32 inode, directory;
    char name[16];
    assert_int_equal(ext4_mount(&ram->disk, &mount, &fs), OK);
    assert_int_equal(ext4_make_directory(fs, EXT4_ROOT_INODE, "d", &directory), OK);
    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "file%u", i);
        assert_int_equal(
            ext4_create(fs, i % 2 ? directory : EXT4_ROOT_INODE, name, &inode), OK);
        for (u64 at = 0; at < (i % 7) * 4096U; at += 4096)
            (void)!ext4_write(fs, inode, at, content, 1024);
    }
    assert_int_equal(ext4_commit(fs), OK);
    assert_int_equal(ext4_unmount(fs), OK);
}

/* Random bytes, and words that are likely to hurt, where the metadata is. */
static void damage(struct ram_disk *ram, u64 seed)
{
    static const u32 evil[] = { 0,          1,          0x7FFFFFFF, 0x80000000,
                                0xFFFFFFFF, 0xFFFFFFFE, 0x0000FFFF, 0x00010000,
                                4095,       4096 };
    size_t count = random_next(&seed) % 12 + 1;
    for (size_t i = 0; i < count; i++) {
        u64 at = random_next(&seed) % (ram->size_bytes / 4 - 4);
        if (i % 3 == 0)
            at = 1024 + random_next(&seed) % 4096;
        u32 word = evil[random_next(&seed) % ARRAY_LENGTH(evil)];
        if (random_next(&seed) % 2)
            memcpy(ram->bytes + at / 4 * 4, &word, sizeof word);
        else
            ram->bytes[at] = (u8)random_next(&seed);
    }
}

static void walk(struct ext4 *fs, u32 directory, int depth)
{
    struct ext4_directory_entry entry;
    static u8 data[CONTENT_SIZE];
    u64 cursor = 0;
    for (int i = 0; i < 200; i++) {
        size_t got;
        if (ext4_directory_next(fs, directory, &cursor, &entry) != OK)
            return;
        if (entry.type == EXT4_DIRECTORY && depth < 3)
            walk(fs, entry.inode, depth + 1);
        (void)!ext4_read(fs, entry.inode, 0, data, sizeof data, &got);
    }
}

static void use(struct ext4 *fs, u64 seed)
{
    char name[32];
    u32 inode;
    walk(fs, EXT4_ROOT_INODE, 0);
    for (int i = 0; i < 40; i++) {
        enum status status = OK;
        snprintf(name, sizeof name, "%s%d", random_next(&seed) % 3 ? "file" : "new", i);
        switch (random_next(&seed) % 6) {
        case 0:
            status = ext4_create(fs, EXT4_ROOT_INODE, name, &inode);
            break;
        case 1:
            status = ext4_unlink(fs, EXT4_ROOT_INODE, name);
            break;
        case 2:
            status = ext4_make_directory(fs, EXT4_ROOT_INODE, name, &inode);
            break;
        case 3:
            status = ext4_commit(fs);
            break;
        default:
            status = ext4_lookup(fs, EXT4_ROOT_INODE, name, &inode);
            if (status == OK)
                status = random_next(&seed) % 4
                             ? ext4_write(fs, inode, random_next(&seed) % 100000, content,
                                          random_next(&seed) % CONTENT_SIZE)
                             : ext4_truncate(fs, inode, random_next(&seed) % 50000);
            break;
        }
        if (status != OK && status != ERR_NOT_FOUND && status != ERR_EXISTS)
            ext4_rollback(fs);
    }
}

static void attack(const char *options, u64 first_seed)
{
    struct ram_disk ram;
    size_t mounted = 0;
    make_victim(&ram, options);
    u8 *pristine = malloc(ram.size_bytes);
    memcpy(pristine, ram.bytes, ram.size_bytes);
    for (u64 seed = first_seed; seed < first_seed + ROUNDS; seed++) {
        struct ext4_mount_options mount = { .cache_capacity = 64 };
        struct ext4 *fs;
        damage(&ram, seed);
        if (ext4_mount(&ram.disk, &mount, &fs) == OK) {
            mounted++;
            use(fs, seed);
            (void)!ext4_unmount(fs);
        }
        memcpy(ram.bytes, pristine, ram.size_bytes);
    }
    print_message("    %s: %zu of %d damaged images mounted\n", options, mounted, ROUNDS);
    assert_true(mounted > ROUNDS / 10);
    free(pristine);
    ram_disk_close(&ram);
}

static void ext4__any_use_of_a_damaged_image__ends_without_harm(void **state)
{
    (void)state;
    attack("-b 1024 -J size=1 -O ^metadata_csum", 1000);
    attack("-b 1024 -J size=1 -O ^metadata_csum,^extents,^64bit -I 128", 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ext4__any_use_of_a_damaged_image__ends_without_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
