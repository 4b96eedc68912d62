/*
 * The journal between us and Linux's own tools: logs that debugfs wrote are replayed by our mount
 * and by e2fsck, with equal results; logs that we wrote are listed by debugfs and replayed by e2fsck.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/endian.h"
#include "kernel/fs/ext4/ext4.h"
#include "tests/support/ext4_image.h"
#include "tests/support/host_run.h"
#include "tests/support/port_host.h"

enum { BLOCK = 1024, FIRST = 6000, COUNT = 150, MAGIC_EVERY = 7 };
static const struct ext4_mount_options writable = { .cache_capacity = 256 };

static void fill(u8 *data, size_t blocks, u64 seed)
{
    for (size_t at = 0; at < blocks * BLOCK; at += 8)
        put_le64(data + at, random_next(&seed));
    for (size_t block = 0; block < blocks; block += MAGIC_EVERY)
        put_be32(data + block * BLOCK, 0xC03B3998);
}

static void save(const char *path, const char *suffix, const void *data, size_t size)
{
    char name[300];
    snprintf(name, sizeof name, "%s.%s", path, suffix);
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* A script for debugfs: two transactions and a last one, which is given as its options. */
static void write_log(const char *path, const char *open_options, const char *last)
{
    static char script[8192];
    u8 *data = malloc(COUNT * BLOCK);
    fill(data, COUNT, 1);
    save(path, "a", data, COUNT * BLOCK);
    fill(data, COUNT, 2);
    save(path, "b", data, COUNT * BLOCK);
    free(data);

    size_t at = (size_t)snprintf(script, sizeof script, "jo %s\njw -b ", open_options);
    for (int i = 0; i < COUNT; i++)
        at += (size_t)snprintf(script + at, sizeof script - at, "%s%d", i ? "," : "",
                               FIRST + i);
    snprintf(script + at, sizeof script - at,
             " %s.a\njw -b %d,%d,%d %s.b\njw %s %s.b\njc\n", path, FIRST, FIRST + 3,
             FIRST + 5, path, last, path);
    save(path, "script", script, strlen(script));
    const char *said =
        host_run(0, "debugfs -w -f %s.script %s 2>&1; rm %s.[ab] %s.script", path, path,
                 path, path);
    assert_null(strstr(said, "while"));
}

/* Our replay and e2fsck's of the image: the same blocks, and a clean file system after either. */
static void replay_both(const char *path, const char *report, u8 *blocks)
{
    struct ram_disk ours, theirs;
    struct ext4 *fs = NULL;
    assert_true(ram_disk_load(&ours, path));
    port_host_clear_log();
    assert_int_equal(ext4_mount(&ours.disk, &writable, &fs), OK);
    assert_true(port_host_logged(report));
    assert_int_equal(ext4_unmount(fs), OK);

    assert_true(ext4_image_is_clean_after_replay(path));
    assert_true(ram_disk_load(&theirs, path));
    assert_memory_equal(ours.bytes + FIRST * BLOCK, theirs.bytes + FIRST * BLOCK,
                        COUNT * BLOCK);
    memcpy(blocks, ours.bytes + FIRST * BLOCK, COUNT * BLOCK);
    assert_true(ext4_image_ram_is_clean(&ours, path));
    ram_disk_close(&ours);
    ram_disk_close(&theirs);
}

static const struct {
    const char *image, *open;
} formats[] = {
    { "-b 1024 -J size=1", "-c -v 3" },
    { "-b 1024 -J size=1 -O ^64bit", "-c -v 3" },
    { "-b 1024 -J size=1", "-c -v 2" },
    { "-b 1024 -J size=1 -O ^64bit", "-c -v 2" },
    { "-b 1024 -J size=1 -O ^metadata_csum", "" },
    { "-b 1024 -J size=1 -O ^metadata_csum,^64bit", "" },
};

static void journal_replay__revokes_by_debugfs__as_e2fsck_does(void **state)
{
    static u8 first[COUNT * BLOCK], second[COUNT * BLOCK], found[COUNT * BLOCK];
    (void)state;
    fill(first, COUNT, 1);
    fill(second, COUNT, 2);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const char *path = ext4_image_make("journal_linux", 8, formats[i].image);
        write_log(path, formats[i].open, "-b 6001,6005 -r 6005,6060,6000");
        replay_both(path, "3 transactions", found);
        assert_memory_equal(found + 80 * BLOCK, first + 80 * BLOCK, 70 * BLOCK);
        assert_memory_equal(found + BLOCK, second, BLOCK);
        assert_memory_equal(found + 3 * BLOCK, second + BLOCK, BLOCK);
        for (size_t at = 0; at < BLOCK; at++) /* in the log, and revoked */
            assert_true((found[at] | found[5 * BLOCK + at] | found[60 * BLOCK + at]) ==
                        0);
    }
}

static void journal_replay__no_commit_block_by_debugfs__as_e2fsck_does(void **state)
{
    static u8 second[COUNT * BLOCK], found[COUNT * BLOCK];
    (void)state;
    fill(second, COUNT, 2);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const char *path = ext4_image_make("journal_linux", 8, formats[i].image);
        write_log(path, formats[i].open, "-b 6000,6003 -c");
        replay_both(path, "2 transactions", found);
        assert_memory_equal(found, second, BLOCK);
        assert_memory_equal(found + 3 * BLOCK, second + BLOCK, BLOCK);
    }
}

/* --- ours for them --- */

static void write_file(struct ext4 *fs, const char *name, const u8 *data, size_t size)
{
    u32 inode;
    enum status status = ext4_lookup(fs, 2, name, &inode);
    if (status == ERR_NOT_FOUND)
        status = ext4_create(fs, 2, name, &inode);
    assert_int_equal(status, OK);
    assert_int_equal(ext4_write(fs, inode, 0, data, size), OK);
}

static void commit(struct ext4 *fs)
{
    assert_int_equal(ext4_commit(fs), OK);
}

static size_t count_of(const char *text, const char *what)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, what)); at++)
        count++;
    return count;
}

/* Escaped copies, revokes, several descriptors; the machine stops after the third commit. */
static void write_for_them(struct ram_disk *ram, const u8 *old, const u8 *new)
{
    struct ext4 *fs = NULL;
    assert_int_equal(ext4_mount(&ram->disk, &writable, &fs), OK);
    write_file(fs, "kept", old, COUNT * BLOCK);
    write_file(fs, "gone", old, 20 * BLOCK);
    commit(fs);
    write_file(fs, "kept", new, COUNT * BLOCK);
    write_file(fs, "gone", new, 20 * BLOCK);
    commit(fs);
    assert_int_equal(ext4_unlink(fs, 2, "gone"), OK);
    commit(fs);
    write_file(fs, "kept", old, BLOCK);
    ext4_drop(fs);
}

static void replay_ours(const char *options)
{
    struct ram_disk ram;
    static u8 old[COUNT * BLOCK], new[COUNT * BLOCK], found[COUNT * BLOCK + 1];
    const char *path = ext4_image_make_loaded("journal_linux", 16, options, &ram);
    fill(old, COUNT, 3);
    fill(new, COUNT, 4);
    write_for_them(&ram, old, new);
    assert_true(ram_disk_save(&ram, path));

    const char *listed = host_run(0, "debugfs -R 'logdump -a' %s 2>&1", path);
    assert_int_equal(count_of(listed, "(commit block)"), 3);
    assert_true(count_of(listed, "(descriptor block)") > 3);
    assert_true(count_of(listed, "(revoke table)") == 1);
    assert_int_equal(count_of(listed, "Revoke FS block"), 20);
    assert_true(count_of(listed, "(flags 0x3)") >= COUNT / MAGIC_EVERY - 3);
    assert_int_equal(count_of(listed, "end of journal"), 1);

    assert_true(ext4_image_is_clean_after_replay(path));
    assert_int_equal(ext4_image_dump(path, "/kept", found, sizeof found), sizeof new);
    assert_memory_equal(found, new, sizeof new);
    assert_int_equal(ext4_image_inode(path, "/gone"), 0);
    ram_disk_close(&ram);
}

static void journal_commit__log_by_us__debugfs_lists_and_e2fsck_replays(void **state)
{
    (void)state;
    replay_ours("-b 1024 -J size=4");
    replay_ours("-b 1024 -J size=4 -O ^64bit");
    replay_ours("-b 1024 -J size=4 -O ^metadata_csum");
    replay_ours("-b 1024 -J size=4 -O ^metadata_csum,^64bit");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_replay__revokes_by_debugfs__as_e2fsck_does),
        cmocka_unit_test(journal_replay__no_commit_block_by_debugfs__as_e2fsck_does),
        cmocka_unit_test(journal_commit__log_by_us__debugfs_lists_and_e2fsck_replays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
