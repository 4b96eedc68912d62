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
#include "kernel/fs/jbd2/journal.h"
#include "tests/support/ext4_operations.h"
#include "tests/support/port_host.h"
#include "tests/support/victim.h"

/* --- the layers below (the linker leads calls here) --- */

enum below { BUFFERS, FRESH_BUFFERS, CHANGES, REVOKES, ENTRIES, BELOW_KINDS };

static const enum status below_status[] = { ERR_IO, ERR_NO_MEMORY, ERR_TRANSACTION_FULL,
                                            ERR_NO_MEMORY, ERR_NO_MEMORY };

static struct {
    enum below kind;
    u64 countdown; /* the call that fails: 1 is the next; 0: none */
    bool for_good; /* and all after it */
    u64 struck;
} below;

static bool fails(enum below kind)
{
    if (below.countdown == 0 || below.kind != kind)
        return false;
    if (below.countdown > 1) {
        below.countdown--;
        return false;
    }
    if (!below.for_good)
        below.countdown = 0;
    below.struck++;
    return true;
}

enum status __real_cache_get(struct cache *cache, u64 block, struct buffer **buffer);
enum status __wrap_cache_get(struct cache *cache, u64 block, struct buffer **buffer)
{
    return fails(BUFFERS) ? below_status[BUFFERS]
                          : __real_cache_get(cache, block, buffer);
}

enum status __real_cache_get_fresh(struct cache *cache, u64 block,
                                   struct buffer **buffer);
enum status __wrap_cache_get_fresh(struct cache *cache, u64 block, struct buffer **buffer)
{
    return fails(FRESH_BUFFERS) ? below_status[FRESH_BUFFERS]
                                : __real_cache_get_fresh(cache, block, buffer);
}

enum status __real_journal_modify(struct journal *journal, struct buffer *buffer);
enum status __wrap_journal_modify(struct journal *journal, struct buffer *buffer)
{
    return fails(CHANGES) ? below_status[CHANGES]
                          : __real_journal_modify(journal, buffer);
}

enum status __real_journal_revoke(struct journal *journal, u64 block, u64 count);
enum status __wrap_journal_revoke(struct journal *journal, u64 block, u64 count)
{
    return fails(REVOKES) ? below_status[REVOKES]
                          : __real_journal_revoke(journal, block, count);
}

enum status __real_map_set(struct map *map, u64 key, u64 value);
enum status __wrap_map_set(struct map *map, u64 key, u64 value)
{
    return fails(ENTRIES) ? below_status[ENTRIES] : __real_map_set(map, key, value);
}

static void fail_below(enum below kind, u64 nth, bool for_good)
{
    below.kind = kind;
    below.countdown = nth;
    below.for_good = for_good;
    below.struck = 0;
}

/* --- each of them in turn --- */

/* All of the first calls, fewer and fewer of those that follow: most of them only go on. */
enum { DENSE = 40, TRIES_MAX = 100000 };

static struct victim victim;
static struct ram_disk ram;
static struct ext4 *fs;

/* One call fails. What comes back is that, or what comes back without. */
static bool strike(const struct ext4_operation *operation, enum status usual,
                   enum below kind, u64 nth, bool for_good)
{
    fail_below(kind, nth, for_good);
    enum status status = operation->run(fs);
    bool struck = below.struck > 0;
    fail_below(kind, 0, false);
    ext4_rollback(fs);
    if (status != usual && status != below_status[kind])
        print_error("%s: %s: call %llu of kind %d: %s\n", victim.name, operation->name,
                    (unsigned long long)nth, kind, status_text(status));
    assert_true(status == usual || status == below_status[kind]);
    assert_true(struck || status == usual);
    return struck;
}

static void try_operation(const struct ext4_operation *operation, bool for_good)
{
    struct ext4_check_report report;
    enum status usual = operation->run(fs);
    u64 nth;

    ext4_rollback(fs);
    for (enum below kind = BUFFERS; kind < BELOW_KINDS; kind++) {
        for (nth = 1; strike(operation, usual, kind, nth, for_good);
             nth += 1 + nth / DENSE)
            assert_true(nth < TRIES_MAX);
        assert_true(nth > 1 || !operation->changes || kind > CHANGES ||
                    kind == FRESH_BUFFERS);
    }
    assert_int_equal(ext4_check(fs, &report), OK);
    assert_string_equal(report.first, "");
    assert_int_equal(operation->run(fs), usual);
    ext4_rollback(fs);
}

static void open_victim(size_t which)
{
    struct ext4_mount_options options = { .cache_capacity = 64 };

    victim_open(&victim, which);
    ram_disk_open(&ram, victim.places.image.size_bytes / SECTOR_SIZE);
    memcpy(ram.bytes, victim.places.image.bytes, ram.size_bytes);
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    assert_int_equal(ext4_operations_prepare(fs), OK);
}

static void close_victim(void)
{
    assert_int_equal(ext4_unmount(fs), OK);
    ram_disk_close(&ram);
    victim_close(&victim);
}

static void each_operation(bool for_good)
{
    for (size_t which = 0; which < victim_count; which++) {
        open_victim(which);
        for (size_t i = 0; i < ext4_operation_count; i++)
            try_operation(&ext4_operations[i], for_good);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operation__each_call_below_fails_once__rollback_undoes_it),
        cmocka_unit_test(
            operation__each_call_below_and_all_after_fail__rollback_undoes_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
