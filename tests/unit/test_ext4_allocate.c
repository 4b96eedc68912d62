/* Finding free runs, against a plain search; and what a transaction must not hand out again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/bitmap.h"
#include "kernel/fs/ext4/allocate.h"
#include "tests/support/ext4_image.h"

enum { BITS = 512 };

static u8 excluded[BITS / 8];

static bool is_excluded(const void *context, u64 bit)
{
    return bitmap_test(context, bit);
}

/* Bit by bit: the first run of `wanted`, else the first of the longest. */
static struct ext4_block_run search_plainly(const u8 *bits, u64 from, u64 limit,
                                            u64 wanted)
{
    struct ext4_block_run best = { 0, 0 };
    for (u64 first = from; first < limit; first++) {
        u64 count = 0;
        while (count < wanted && first + count < limit &&
               !bitmap_test(bits, first + count) && !bitmap_test(excluded, first + count))
            count++;
        if (count > best.count)
            best = (struct ext4_block_run){ first, count };
        if (best.count == wanted)
            break;
    }
    return best;
}

static void ext4_find_free_run__random_bitmaps__equals_a_plain_search(void **state)
{
    (void)state;
    u64 seed = 17;
    for (int round = 0; round < 3000; round++) {
        u8 bits[BITS / 8];
        u64 density = random_next(&seed) % 9;
        for (u64 i = 0; i < BITS; i++) {
            bool set = random_next(&seed) % 9 < density;
            set ? bitmap_set(bits, i) : bitmap_clear(bits, i);
            random_next(&seed) % 20 == 0 ? bitmap_set(excluded, i)
                                         : bitmap_clear(excluded, i);
        }
        u64 limit = random_next(&seed) % (BITS + 1);
        u64 from = random_next(&seed) % (limit + 1);
        u64 wanted = random_next(&seed) % 40 + 1;
        struct ext4_block_run expected = search_plainly(bits, from, limit, wanted);
        struct ext4_block_run found =
            ext4_find_free_run(bits, from, limit, wanted, is_excluded, excluded);
        assert_int_equal(found.count, expected.count);
        if (found.count > 0)
            assert_int_equal(found.first, expected.first);
    }
}

static struct ext4 *mount(struct ram_disk *ram)
{
    struct ext4_mount_options options = { .read_only = false };
    struct ext4 *fs = NULL;
    assert_int_equal(ext4_mount(&ram->disk, &options, &fs), OK);
    return fs;
}

/* Purge, then create on a full disk: the committed data must survive until the commit (J4). */
static void ext4_write__blocks_freed_in_this_transaction__are_not_used(void **state)
{
    (void)state;
    struct ram_disk ram;
    static u8 old[8 * MIB], seen[8 * MIB], fresh[64 * KIB];
    const char *path = ext4_image_make_loaded("allocate", 8, "-b 1024 -J size=1", &ram);
    struct ext4 *fs = mount(&ram);
    struct ext4_space space;
    u32 first, second;
    size_t size, got;
    memset(old, 0xAA, sizeof old);
    memset(fresh, 0x55, sizeof fresh);
    assert_int_equal(ext4_create(fs, EXT4_ROOT_INODE, "first", &first), OK);
    ext4_space(fs, &space);
    size = (size_t)(space.free_blocks - 40) * 1024;
    assert_true(size <= sizeof old);
    assert_int_equal(ext4_write(fs, first, 0, old, size), OK);
    assert_int_equal(ext4_commit(fs), OK);

    assert_int_equal(ext4_unlink(fs, EXT4_ROOT_INODE, "first"), OK);
    assert_int_equal(ext4_create(fs, EXT4_ROOT_INODE, "second", &second), OK);
    assert_int_not_equal(first, second);
    assert_int_equal(ext4_write(fs, second, 0, fresh, sizeof fresh), ERR_NO_SPACE);
    ext4_drop(fs); /* power fails with the data of "second" on its way */
    fs = mount(&ram);
    assert_int_equal(ext4_lookup(fs, EXT4_ROOT_INODE, "first", &first), OK);
    assert_int_equal(ext4_read(fs, first, 0, seen, sizeof seen, &got), OK);
    assert_int_equal(got, size);
    assert_memory_equal(seen, old, size);

    assert_int_equal(ext4_unlink(fs, EXT4_ROOT_INODE, "first"), OK);
    assert_int_equal(ext4_commit(fs), OK);
    assert_int_equal(ext4_create(fs, EXT4_ROOT_INODE, "second", &second), OK);
    assert_int_equal(ext4_write(fs, second, 0, fresh, sizeof fresh), OK);
    assert_int_equal(ext4_commit(fs), OK);
    assert_int_equal(ext4_unmount(fs), OK);
    assert_true(ext4_image_ram_is_clean(&ram, path));
    ram_disk_close(&ram);
}

static void ext4_stat__inode_used_again__has_another_generation(void **state)
{
    (void)state;
    struct ram_disk ram;
    u32 seen[50], inode = 0, first = 0;
    ext4_image_make_loaded("allocate", 8, "-b 1024 -J size=1 -N 16", &ram);
    struct ext4 *fs = mount(&ram);
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(seen); i++) {
        struct ext4_stat stat;
        assert_int_equal(ext4_create(fs, EXT4_ROOT_INODE, "x", &inode), OK);
        assert_int_equal(ext4_stat(fs, inode, &stat), OK);
        if (first == 0)
            first = inode;
        if (inode == first) {
            for (size_t other = 0; other < count; other++)
                assert_int_not_equal(seen[other], stat.generation);
            seen[count++] = stat.generation;
        }
        assert_int_equal(ext4_commit(fs), OK);
        assert_int_equal(ext4_unlink(fs, EXT4_ROOT_INODE, "x"), OK);
        assert_int_equal(ext4_commit(fs), OK);
        if (i % 10 == 9) {
            assert_int_equal(ext4_unmount(fs), OK);
            fs = mount(&ram);
        }
    }
    assert_true(count > 5);
    assert_int_equal(ext4_unmount(fs), OK);
    ram_disk_close(&ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ext4_find_free_run__random_bitmaps__equals_a_plain_search),
        cmocka_unit_test(ext4_write__blocks_freed_in_this_transaction__are_not_used),
        cmocka_unit_test(ext4_stat__inode_used_again__has_another_generation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
