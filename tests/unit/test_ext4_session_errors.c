/*
 * A mount with all that it does (replay, orphans), some work, a commit and the unmount, while something in
 * the layers below fails: an error of that kind comes back or nothing is amiss, and the next mount finds
 * a file system without a fault.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/fs/ext4/check.h"
#include "kernel/fs/ext4/ext4.h"
#include "tests/support/ext4_below.h"
#include "tests/support/layered_disk.h"
#include "tests/support/orphan_image.h"
#include "tests/support/victim.h"

/* All of the first calls, fewer and fewer of those that follow. */
enum { DENSE = 16, TRIES_MAX = 100000 };

static const char *what; /* is tried */
static const u8 *image;
static struct layered_disk layered;

static enum status work(struct ext4 *fs)
{
    static const u8 content[3000];
    u32 directory, inode;
    static u8 old[4000];
    size_t got = sizeof old;
    enum status status = ext4_make_directory(fs, EXT4_ROOT_INODE, "dir", &directory);

    for (u64 at = 0; status == OK && got == sizeof old && at < 60000; at += got)
        if (ext4_lookup(fs, EXT4_ROOT_INODE, "old", &inode) == OK)
            status = ext4_read(fs, inode, at, old, sizeof old, &got);
    if (status == OK)
        status = ext4_create(fs, directory, "file", &inode);
    if (status == OK)
        status = ext4_write(fs, inode, 0, content, sizeof content);
    if (status == OK)
        status = ext4_commit(fs);
    if (status == OK)
        status = ext4_unlink(fs, directory, "file");
    return status == OK ? ext4_commit(fs) : status;
}

static enum status session(void)
{
    struct ext4_mount_options options = { .cache_capacity = 64 };
    struct ext4 *fs;
    enum status status = ext4_mount(&layered.disk, &options, &fs);

    if (status != OK)
        return status;
    status = work(fs);
    if (status == ERR_TRANSACTION_FULL)
        (void)!ext4_commit(fs); /* it has changed nothing that may not be committed */
    else if (status != OK)
        ext4_rollback(fs);
    enum status ended = ext4_unmount(fs);
    return status == OK ? ended : status;
}

static void expect_sound(enum below kind, u64 nth)
{
    struct ext4_mount_options options = { .cache_capacity = 64 };
    struct ext4_check_report report;
    struct ext4_space space;
    struct ext4 *fs;

    assert_int_equal(ext4_mount(&layered.disk, &options, &fs), OK);
    ext4_space(fs, &space);
    if (space.read_only)
        print_error("%s: after call %llu of kind %d\n", what, (unsigned long long)nth,
                    kind);
    assert_false(space.read_only);
    assert_int_equal(ext4_check(fs, &report), OK);
    assert_string_equal(report.first, "");
    assert_int_equal(ext4_unmount(fs), OK);
}

/* False: there are not so many calls. */
static bool strike(enum below kind, u64 nth, bool for_good)
{
    layered_disk_reset(&layered, image);
    ext4_below_fail(kind, nth, for_good);
    enum status status = session();
    bool struck = ext4_below_struck();
    ext4_below_fail(kind, 0, false);
    /* A mount that cannot finish what it found is for reading only. */
    bool fine =
        status == OK || status == ext4_below_status(kind) || status == ERR_READ_ONLY;
    if (!fine)
        print_error("%s: call %llu of kind %d%s: %s\n", what, (unsigned long long)nth,
                    kind, for_good ? " and on" : "", status_text(status));
    assert_true(fine);
    assert_true(struck || status == OK);
    expect_sound(kind, nth);
    return struck;
}

static void strike_each(void)
{
    for (enum below kind = BELOW_BUFFERS; kind < BELOW_KINDS; kind++)
        for (int for_good = 0; for_good < 2; for_good++)
            for (u64 nth = 1; strike(kind, nth, for_good == 1); nth += 1 + nth / DENSE)
                assert_true(nth < TRIES_MAX);
}

static void session__each_call_below_fails__next_mount_is_sound(void **state)
{
    (void)state;
    for (size_t which = 0; which < victim_count; which++) {
        struct victim victim;

        victim_open(&victim, which);
        what = victim.name;
        image = victim.places.image.bytes;
        layered_disk_open(&layered, victim.places.image.size_bytes);
        strike_each();
        layered_disk_close(&layered);
        victim_close(&victim);
    }
}

static void strike_orphans(const struct orphan_image *orphans, struct ram_disk *ram)
{
    what = orphans->path;
    image = ram->bytes;
    layered_disk_open(&layered, ram->size_bytes);
    strike_each();
    layered_disk_close(&layered);
    ram_disk_close(ram);
}

static void session__orphans_on_the_list__next_mount_is_sound(void **state)
{
    (void)state;
    struct orphan_image orphans;
    struct ram_disk ram;

    orphan_image_make(&orphans, "orphan_list_errors", "-b 1024");
    orphan_image_delete(&orphans, 0, orphans.inodes[2]);
    orphan_image_cut(&orphans, 2, orphans.inodes[1]);
    orphan_image_delete(&orphans, 1, 0);
    orphan_image_set_head(&orphans, orphans.inodes[0]);
    assert_true(ram_disk_load(&ram, orphans.path));
    strike_orphans(&orphans, &ram);
}

static void session__orphans_in_the_file__next_mount_is_sound(void **state)
{
    (void)state;
    struct orphan_image orphans;
    struct ram_disk ram;

    orphan_image_make(&orphans, "orphan_file_errors", "-b 1024 -O orphan_file");
    orphan_image_delete(&orphans, 0, 0);
    orphan_image_cut(&orphans, 2, 0);
    assert_true(ram_disk_load(&ram, orphans.path));
    orphan_image_fill_file(&ram, orphans.inodes[0], orphans.inodes[2], true);
    strike_orphans(&orphans, &ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session__each_call_below_fails__next_mount_is_sound),
        cmocka_unit_test(session__orphans_on_the_list__next_mount_is_sound),
        cmocka_unit_test(session__orphans_in_the_file__next_mount_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
