/*
 * Whatever ext4 calls in the layers below fails in turn: each buffer of the cache, each block that is to
 * join a transaction, each allocation, each read. An error of that kind comes back, the rollback makes
 * the operation never have happened, and then it works.
 *
 * A request of the disk that fails (test_ext4_faults.c) does not get as far: most of what an operation
 * needs is in the cache by then, and would only be missing there had it been dropped meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/fs/ext4/check.h"
#include "kernel/fs/ext4/ext4.h"
#include "tests/support/ext4_below.h"
#include "tests/support/ext4_odd.h"
#include "tests/support/ext4_operations.h"
#include "tests/support/ext4_tree_operations.h"
#include "tests/support/orphan_image.h"
#include "tests/support/port_host.h"
#include "tests/support/victim.h"

/* --- each of them in turn --- */

/* All of the first calls, fewer and fewer of those that follow: most of them only go on. */
enum { DENSE = 40, DENSE_FOR_GOOD = 8, TRIES_MAX = 100000 };

static struct victim victim;
static struct ram_disk ram;
static struct ext4 *fs;

/* One call fails. What comes back is that, or what comes back without. */
static bool strike(const struct ext4_operation *operation, enum status usual,
                   enum below kind, u64 nth, bool for_good)
{
    ext4_below_fail(kind, nth, for_good);
    enum status status = operation->run(fs);
    bool struck = ext4_below_struck();
    ext4_below_fail(kind, 0, false);
    ext4_rollback(fs);
    if (status != usual && status != ext4_below_status(kind))
        print_error("%s: %s: call %llu of kind %d: %s\n", victim.name, operation->name,
                    (unsigned long long)nth, kind, status_text(status));
    assert_true(status == usual || status == ext4_below_status(kind));
    assert_true(struck || status == usual);
    return struck;
}

static void try_operation(const struct ext4_operation *operation, bool for_good)
{
    struct ext4_check_report report;
    enum status usual = operation->run(fs);
    u64 nth, dense = for_good ? DENSE_FOR_GOOD : DENSE;

    ext4_rollback(fs);
    for (enum below kind = BELOW_BUFFERS; kind < BELOW_KINDS; kind++) {
        for (nth = 1; strike(operation, usual, kind, nth, for_good);
             nth += 1 + nth / dense)
            assert_true(nth < TRIES_MAX);
        assert_true(nth > 1 || !operation->changes || kind > BELOW_CHANGES ||
                    kind == BELOW_FRESH_BUFFERS);
    }
    assert_int_equal(ext4_check(fs, &report), OK);
    assert_string_equal(report.first, "");
    assert_int_equal(operation->run(fs), usual);
    ext4_rollback(fs);
}

static void open_victim(size_t which, size_t segments)
{
    struct ext4_mount_options options = { .cache_capacity = 64 };

    victim_open(&victim, which);
    ram_disk_open(&ram, victim.places.image.size_bytes / SECTOR_SIZE);
    memcpy(ram.bytes, victim.places.image.bytes, ram.size_bytes);
    if (segments > 0)
        ram.disk.max_pieces = segments;
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    assert_int_equal(ext4_operations_prepare(fs), OK);
    assert_int_equal(ext4_tree_operations_prepare(fs), OK);
}

/* The trees have grown, and are still right. */
static void close_victim(void)
{
    struct ext4_check_report report;

    for (size_t i = 0; i < ext4_tree_operation_count; i++) {
        (void)!ext4_tree_operations[i].run(fs);
        assert_int_equal(ext4_commit(fs), OK);
        assert_int_equal(ext4_check(fs, &report), OK);
        assert_string_equal(report.first, "");
    }
    assert_int_equal(ext4_unmount(fs), OK);
    ram_disk_close(&ram);
    victim_close(&victim);
}

static void each_operation(bool for_good)
{
    for (size_t which = 0; which < victim_count; which++) {
        open_victim(which, 0);
        for (size_t i = 0; i < ext4_operation_count; i++)
            try_operation(&ext4_operations[i], for_good);
        for (size_t i = 0; i < ext4_tree_operation_count; i++)
            try_operation(&ext4_tree_operations[i], for_good);
        close_victim();
    }
}

static void operation__each_call_below_fails_once__rollback_undoes_it(void **state)
{
    (void)state;
    each_operation(false);
}

static void
operation__each_call_below_and_all_after_fail__rollback_undoes_it(void **state)
{
    (void)state;
    each_operation(true);
}

static void each_odd_operation(const char *options)
{
    struct ext4_mount_options mount = { .cache_capacity = 64 };

    ext4_odd_image("errors_odd", options, &ram);
    victim.name = "odd";
    assert_int_equal(ext4_mount(&ram.disk, &mount, &fs), OK);
    for (size_t i = 0; i < ext4_odd_operation_count; i++) {
        assert_int_equal(ext4_odd_operations[i].run(fs), OK);
        ext4_rollback(fs);
        try_operation(&ext4_odd_operations[i], false);
        try_operation(&ext4_odd_operations[i], true);
    }
    assert_int_equal(ext4_unmount(fs), OK);
    ram_disk_close(&ram);
}

static void operation__on_what_others_left__rollback_undoes_it(void **state)
{
    (void)state;
    each_odd_operation("-b 1024 -J size=1");
    each_odd_operation("-b 1024 -J size=1 -O ^metadata_csum,^64bit");
    each_odd_operation("-b 1024 -J size=1 -O ^filetype,^huge_file");
    each_odd_operation("-b 1024 -J size=1 -g 512 -N 256");
}

/* A full transaction, and then the `then`-th call that is to put in order what was done fails, too. */
static void strike_without_room(const struct ext4_operation *operation, enum below kind,
                                u64 then)
{
    bool struck = true;

    for (u64 nth = 1; struck; nth += 1 + nth / DENSE_FOR_GOOD) {
        ext4_below_fail_without_room(nth, kind, then);
        (void)!operation->run(fs);
        struck = ext4_below_struck();
        ext4_below_fail(kind, 0, false);
        ext4_rollback(fs);
        assert_true(nth < TRIES_MAX);
    }
}

static void operation__no_room_and_another_failure__rollback_undoes_it(void **state)
{
    (void)state;
    enum { THEN_MAX = 6 };

    open_victim(0, 0);
    for (size_t i = 0; i < ext4_operation_count; i++)
        for (u64 then = 1; then < THEN_MAX; then++) {
            strike_without_room(&ext4_operations[i], BELOW_BUFFERS, then);
            strike_without_room(&ext4_operations[i], BELOW_CHANGES, then);
        }
    close_victim();
}

/* Requests of two pieces at most: nothing is read around what is wanted. */
static void operation__disk_of_two_segments__rollback_undoes_it(void **state)
{
    (void)state;
    open_victim(0, 2);
    for (size_t i = 0; i < ext4_operation_count; i++)
        if (!ext4_operations[i].changes)
            try_operation(&ext4_operations[i], true);
    close_victim();
}

/* Orphans on the list of an image that is only looked at. */
static void check__orphans_and_a_failure__is_refused(void **state)
{
    (void)state;
    struct ext4_mount_options mount = { .read_only = true, .cache_capacity = 64 };
    struct orphan_image orphans;

    orphan_image_make(&orphans, "errors_orphans", "-b 1024");
    orphan_image_delete(&orphans, 0, orphans.inodes[2]);
    orphan_image_delete(&orphans, 2, 0);
    orphan_image_set_head(&orphans, orphans.inodes[0]);
    assert_true(ram_disk_load(&ram, orphans.path));
    victim.name = "orphans";
    assert_int_equal(ext4_mount(&ram.disk, &mount, &fs), OK);
    try_operation(&ext4_odd_operations[0], false);
    try_operation(&ext4_odd_operations[0], true);
    assert_int_equal(ext4_unmount(fs), OK);
    ram_disk_close(&ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operation__each_call_below_fails_once__rollback_undoes_it),
        cmocka_unit_test(
            operation__each_call_below_and_all_after_fail__rollback_undoes_it),
        cmocka_unit_test(operation__on_what_others_left__rollback_undoes_it),
        cmocka_unit_test(operation__no_room_and_another_failure__rollback_undoes_it),
        cmocka_unit_test(operation__disk_of_two_segments__rollback_undoes_it),
        cmocka_unit_test(check__orphans_and_a_failure__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
