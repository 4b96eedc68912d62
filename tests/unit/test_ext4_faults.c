/*
 * Every request of a workload fails in turn, and every allocation, once or for good: an error comes
 * back and nothing else breaks; after a healed disk and a new mount the last commit is there and the
 * file system is clean.
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
#include "tests/support/port_host.h"

enum { FILES = 12, CONTENT_SIZE = 9000, COMMITS = 3, JUDGED_EVERY = 29 };

static u8 content[CONTENT_SIZE];
static struct ram_disk ram;
static u8 *pristine;
static const char *path;

static int setup(void **state)
{
    (void)state;
    u64 seed = 1;
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (u8)random_next(&seed);
    path = ext4_image_make_loaded("faults", 4, "-b 1024 -J size=1", &ram);
    pristine = malloc(ram.size_bytes);
    memcpy(pristine, ram.bytes, ram.size_bytes);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(pristine);
    ram_disk_close(&ram);
    return 0;
}

/* One transaction: a directory of files by hand and by burst; the last round's are removed. */
static enum status transact(struct ext4 *fs, int round)
{
    char names[FILES][16], name[16];
    struct ext4_burst_file files[FILES];
    u32 directory, inode;
    snprintf(name, sizeof name, "d%d", round);
    enum status status = ext4_make_directory(fs, EXT4_ROOT_INODE, name, &directory);
    for (int i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "b%d", i);
        files[i] = (struct ext4_burst_file){ .name = names[i],
                                             .head = "head",
                                             .body = content,
                                             .head_size = 4,
                                             .body_size = 4096 };
    }
    if (status == OK)
        status = ext4_create_burst(fs, directory, files, FILES);
    if (status == OK)
        status = ext4_create(fs, directory, "file", &inode);
    if (status == OK)
        status = ext4_write(fs, inode, 0, content, CONTENT_SIZE);
    if (status == OK && round > 0) {
        snprintf(name, sizeof name, "d%d", round - 1);
        status = ext4_lookup(fs, EXT4_ROOT_INODE, name, &directory);
        for (int i = 0; i < FILES && status == OK; i++)
            status = ext4_unlink(fs, directory, names[i]);
        if (status == OK)
            status = ext4_lookup(fs, directory, "file", &inode);
        if (status == OK)
            status = ext4_write(fs, inode, 100, content + 100, 50);
    }
    return status == OK ? ext4_commit(fs) : status;
}

/* Mount, transactions, unmount; stops at the first error. *commits: how many were promised. */
static enum status workload(int *commits)
{
    struct ext4_mount_options options = { .cache_capacity = 32 };
    struct ext4 *fs;
    *commits = 0;
    enum status status = ext4_mount(&ram.disk, &options, &fs);
    if (status != OK)
        return status;
    for (int round = 0; round < COMMITS; round++) {
        status = transact(fs, round);
        if (status != OK) {
            ext4_rollback(fs);
            ext4_drop(fs);
            return status;
        }
        ++*commits;
    }
    return ext4_unmount(fs);
}

/* All that was promised is there. */
static void expect_commits(struct ext4 *fs, int commits)
{
    static u8 data[CONTENT_SIZE + 1];
    for (int round = 0; round < commits; round++) {
        char name[16];
        u32 directory, inode;
        size_t got;
        snprintf(name, sizeof name, "d%d", round);
        assert_int_equal(ext4_lookup(fs, EXT4_ROOT_INODE, name, &directory), OK);
        assert_int_equal(ext4_lookup(fs, directory, "file", &inode), OK);
        assert_int_equal(ext4_read(fs, inode, 0, data, sizeof data, &got), OK);
        assert_int_equal(got, CONTENT_SIZE);
        assert_memory_equal(data, content, CONTENT_SIZE);
    }
}

static void recover_and_judge(int commits, bool judge)
{
    struct ext4_mount_options options = { .cache_capacity = 256 };
    struct ext4 *fs = NULL;
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    expect_commits(fs, commits);
    assert_int_equal(ext4_unmount(fs), OK);
    if (judge)
        assert_true(ext4_image_ram_is_clean(&ram, path));
}

static size_t fail_requests(enum disk_operation operation, bool for_good)
{
    for (size_t nth = 1;; nth++) {
        int commits;
        memcpy(ram.bytes, pristine, ram.size_bytes);
        ram_disk_fail(&ram, operation, nth, for_good);
        enum status status = workload(&commits);
        bool reached = ram.faults[operation].countdown == 0 || for_good;
        ram_disk_fail(&ram, operation, 0, false);
        if (status == OK) {
            assert_int_equal(commits, COMMITS);
            if (!reached || for_good)
                return nth;
        }
        recover_and_judge(commits, nth % JUDGED_EVERY == 0);
    }
}

static void ext4__each_read_fails__an_error_and_a_clean_image(void **state)
{
    (void)state;
    print_message("    %zu reads\n", fail_requests(DISK_READ, false));
}

static void ext4__each_write_fails__an_error_and_a_clean_image(void **state)
{
    (void)state;
    print_message("    %zu writes\n", fail_requests(DISK_WRITE, false));
    print_message("    %zu writes and all after\n", fail_requests(DISK_WRITE, true));
}

static void ext4__each_flush_fails__an_error_and_a_clean_image(void **state)
{
    (void)state;
    print_message("    %zu flushes\n", fail_requests(DISK_FLUSH, false));
}

static void ext4__each_allocation_fails__an_error_and_a_clean_image(void **state)
{
    (void)state;
    port_host_fail_allocation(0, false);
    memcpy(ram.bytes, pristine, ram.size_bytes);
    int commits;
    assert_int_equal(workload(&commits), OK);
    u64 count = port_host_allocations();
    for (u64 nth = 1; nth <= count; nth++) {
        memcpy(ram.bytes, pristine, ram.size_bytes);
        port_host_fail_allocation(nth, false);
        enum status status = workload(&commits);
        port_host_fail_allocation(0, false);
        assert_true(status == OK || status == ERR_NO_MEMORY);
        recover_and_judge(commits, nth % (JUDGED_EVERY * 7) == 0);
    }
    print_message("    %llu allocations\n", (unsigned long long)count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ext4__each_read_fails__an_error_and_a_clean_image),
        cmocka_unit_test(ext4__each_write_fails__an_error_and_a_clean_image),
        cmocka_unit_test(ext4__each_flush_fails__an_error_and_a_clean_image),
        cmocka_unit_test(ext4__each_allocation_fails__an_error_and_a_clean_image),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
