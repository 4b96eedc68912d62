/* The commit: its requests in their order, the checkpoint, the ring, and failures at each point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/endian.h"
#include "tests/support/journal_fixture.h"
#include "tests/support/port_host.h"

static int set_up(void **state)
{
    struct journal_fixture_options options = { .checksums = true, .wide_blocks = true };
    struct journal_fixture *fixture = calloc(1, sizeof *fixture);
    journal_fixture_open(fixture, &options);
    assert_int_equal(journal_fixture_mount(fixture, false), OK);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    journal_fixture_close(*state);
    free(*state);
    return 0;
}

static void set(struct journal_fixture *fixture, u64 block, u64 value)
{
    assert_int_equal(journal_fixture_set(fixture, block, value), OK);
}

static void commit(struct journal_fixture *fixture)
{
    assert_int_equal(journal_commit(fixture->journal), OK);
}

static void remount(struct journal_fixture *fixture)
{
    journal_fixture_crash(fixture);
    assert_int_equal(journal_fixture_mount(fixture, false), OK);
}

/* --- the order of requests --- */

/* Is a block of this type, or part of it, in the record? */
static bool has_type(const struct ram_disk_record *record, size_t block_size, u32 type)
{
    for (size_t at = 0; at < record->size_bytes; at += block_size)
        if (get_be32(record->data + at) == JOURNAL_MAGIC &&
            get_be32(record->data + at + 4) == type)
            return true;
    return false;
}

/*
 * The writes since the recording began: which flush (counted from 0) each type of block comes
 * before; descriptors and copies before the first, the commit block and superblock between the two.
 */
static void check_order(const struct journal_fixture *fixture)
{
    size_t flushes = 0, commits = 0;
    for (size_t i = 0; i < fixture->ram.record_count; i++) {
        const struct ram_disk_record *record = &fixture->ram.records[i];
        if (record->operation == DISK_FLUSH) {
            flushes++;
            continue;
        }
        assert_true(flushes < 2);
        bool commit = has_type(record, fixture->block_size, JOURNAL_COMMIT);
        bool tail = has_type(record, fixture->block_size, JOURNAL_SUPERBLOCK_V2);
        assert_int_equal(flushes, commit || tail);
        commits += commit;
    }
    assert_int_equal(flushes, 2);
    assert_int_equal(commits, 1);
}

static void journal_commit__any__two_flushes_and_the_commit_block_between(void **state)
{
    struct journal_fixture *fixture = *state;
    for (u64 round = 1; round < 40; round++) {
        for (u64 block = 5; block < 5 + round % 9; block++)
            set(fixture, block, 100 * round + block);
        set(fixture, 100 + round, round);
        if (round % 4 == 0)
            assert_int_equal(journal_revoke(fixture->journal, 100 + round - 1, 1), OK);
        fixture->ram.order_seed = round;
        ram_disk_record(&fixture->ram);
        commit(fixture);
        check_order(fixture);
    }
}

static void journal_commit__nothing_changed__costs_nothing(void **state)
{
    struct journal_fixture *fixture = *state;
    struct disk_statistics before = fixture->ram.disk.statistics;
    commit(fixture);
    assert_memory_equal(&before, &fixture->ram.disk.statistics, sizeof before);
    set(fixture, 5, 50);
    journal_rollback(fixture->journal);
    commit(fixture);
    assert_int_equal(before.writes, fixture->ram.disk.statistics.writes);
    assert_int_equal(before.flushes, fixture->ram.disk.statistics.flushes);
}

/* --- the live log --- */

static void journal_commit__live_log_is_long__blocks_go_to_their_places(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 0);
    for (u64 round = 0; round < 20 && journal_fixture_on_disk(fixture, 5) == 0; round++) {
        set(fixture, 100 + round, 7);
        commit(fixture);
    }
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 50);
    remount(fixture);
    assert_true(fixture->report.blocks < 3); /* the tail has moved */
}

static void journal_commit__ring_wraps_many_times__all_of_it_is_replayed(void **state)
{
    struct journal_fixture *fixture = *state;
    for (u64 round = 1; round <= 300; round++) {
        for (u64 block = 0; block < 1 + round % 11; block++)
            set(fixture, block, 1000 * round + block);
        commit(fixture);
        if (round % 7 == 0)
            remount(fixture);
    }
    remount(fixture);
    for (u64 block = 0; block < 11; block++) {
        u64 round = 300;
        while (block >= 1 + round % 11)
            round--;
        assert_int_equal(journal_fixture_get(fixture, block), 1000 * round + block);
    }
}

static void journal_checkpoint_all__then__log_is_empty_and_disk_is_right(void **state)
{
    struct journal_fixture *fixture = *state;
    struct journal_superblock superblock;
    set(fixture, 5, 51);
    set(fixture, 6, 60);
    commit(fixture);
    assert_int_equal(journal_checkpoint_all(fixture->journal), OK);
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 51);
    assert_int_equal(journal_fixture_on_disk(fixture, 6), 60);
    journal_fixture_superblock(fixture, &superblock);
    assert_int_equal(superblock.start, 0);
    remount(fixture);
    assert_false(fixture->report.was_dirty);
}

static void
journal_checkpoint_all__with_a_running_transaction__leaves_it_alone(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 51);
    set(fixture, 6, 60);
    set(fixture, 7, 70);
    commit(fixture);
    set(fixture, 5, 52);
    assert_int_equal(journal_revoke(fixture->journal, 6, 1), OK);
    u32 room = journal_room(fixture->journal);
    assert_int_equal(journal_checkpoint_all(fixture->journal), OK);
    assert_true(journal_room(fixture->journal) > room); /* nothing to revoke any more */
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 51);
    assert_int_equal(journal_fixture_on_disk(fixture, 6), 60);
    assert_true(journal_is_freed(fixture->journal, 6));
    journal_rollback(fixture->journal);
    assert_int_equal(journal_fixture_get(fixture, 5), 51);
    set(fixture, 5, 53);
    commit(fixture);
    remount(fixture);
    assert_int_equal(journal_fixture_get(fixture, 5), 53);
    assert_int_equal(journal_fixture_get(fixture, 6), 60);
}

/* --- the sequence --- */

/* The highest sequence number that any block of the log carries. */
static u32 highest_in_log(struct journal_fixture *fixture)
{
    u32 highest = 0, type, sequence;
    struct journal_superblock superblock;
    journal_fixture_superblock(fixture, &superblock);
    for (u32 block = superblock.first; block < superblock.block_count; block++)
        if (journal_header_decode(journal_fixture_log(fixture, block), &type,
                                  &sequence) &&
            sequence > highest)
            highest = sequence;
    return highest;
}

static void end_session(struct journal_fixture *fixture, u64 way)
{
    if (way == 0)
        assert_int_equal(journal_checkpoint_all(fixture->journal), OK);
    if (way == 1) {
        ram_disk_fail(&fixture->ram, DISK_WRITE, 2, false); /* stops in the middle */
        set(fixture, 5, 5);
        assert_int_equal(journal_commit(fixture->journal), ERR_IO);
        ram_disk_fail(&fixture->ram, DISK_WRITE, 0, false);
    }
    if (way == 2) {
        ram_disk_fail(&fixture->ram, DISK_FLUSH, 2,
                      false); /* complete, but not durable */
        set(fixture, 5, 5);
        assert_int_equal(journal_commit(fixture->journal), ERR_IO);
        ram_disk_fail(&fixture->ram, DISK_FLUSH, 0, false);
    }
    journal_fixture_crash(fixture);
}

static void journal_replay__any_end_of_the_last_session__a_new_sequence(void **state)
{
    struct journal_fixture *fixture = *state;
    struct journal_superblock superblock;
    u32 used = 0;
    for (u64 session = 0; session < 60; session++) {
        for (u64 commits = session % 5; commits > 0; commits--) {
            set(fixture, 5 + commits, session);
            commit(fixture);
        }
        end_session(fixture, session % 4);
        u32 highest = highest_in_log(fixture);
        used = highest > used ? highest : used;
        assert_int_equal(journal_fixture_mount(fixture, false), OK);
        journal_fixture_superblock(fixture, &superblock);
        assert_true(journal_sequence_after(superblock.sequence, used));
    }
}

static void journal_replay__sequence_at_its_end__wraps_to_zero(void **state)
{
    struct journal_fixture *fixture = *state;
    journal_fixture_crash(fixture);
    put_be32(journal_fixture_log(fixture, 0) + 0x18, UINT32_MAX - 2);
    journal_fixture_reseal(fixture);
    assert_int_equal(journal_fixture_mount(fixture, false), OK);
    for (u64 value = 1; value < 5; value++) {
        set(fixture, 5, value);
        commit(fixture);
    }
    remount(fixture);
    assert_int_equal(fixture->report.transactions, 4);
    assert_int_equal(journal_fixture_get(fixture, 5), 4);
}

/* --- failures --- */

static void prepare_change(struct journal_fixture *fixture)
{
    for (u64 block = 5; block < 11; block++)
        set(fixture, block, 33 + block);
    assert_int_equal(journal_revoke(fixture->journal, 100, 1), OK);
}

static void give_it_a_past(struct journal_fixture *fixture)
{
    set(fixture, 5, 50);
    set(fixture, 100, 99);
    commit(fixture);
}

static void journal_commit__allocation_n_fails__all_rolled_back_and_usable(void **state)
{
    struct journal_fixture *fixture = *state;
    enum status status = ERR_NO_MEMORY;
    give_it_a_past(fixture);
    u64 nth = 0;
    while (status == ERR_NO_MEMORY) {
        prepare_change(fixture);
        port_host_fail_allocation(++nth, false);
        status = journal_commit(fixture->journal);
        port_host_fail_allocation(0, false);
        assert_false(journal_is_aborted(fixture->journal));
        assert_false(journal_is_running(fixture->journal));
        assert_int_equal(journal_fixture_get(fixture, 5), status == OK ? 38 : 50);
    }
    assert_int_equal(status, OK);
    assert_true(nth > 3);
    remount(fixture);
    assert_int_equal(journal_fixture_get(fixture, 5), 38);
}

/* One commit with the `nth` request of a kind failing; after a replay all of it or nothing. */
static enum status try_with_fault(u64 long_log, enum disk_operation operation, u64 nth)
{
    struct journal_fixture fixture;
    journal_fixture_open(&fixture, NULL);
    assert_int_equal(journal_fixture_mount(&fixture, false), OK);
    give_it_a_past(&fixture);
    for (u64 round = 0; round < long_log; round++) {
        set(&fixture, 200 + round, 1);
        commit(&fixture);
    }
    prepare_change(&fixture);
    ram_disk_fail(&fixture.ram, operation, nth, false);
    enum status status = journal_commit(fixture.journal);
    assert_true(status == OK || journal_is_aborted(fixture.journal));
    assert_int_equal(journal_fixture_get(&fixture, 5), status == OK ? 38 : 50);
    ram_disk_fail(&fixture.ram, operation, 0, false);
    remount(&fixture);
    u64 value = journal_fixture_get(&fixture, 5);
    assert_true(value == 38 || (status != OK && value == 50));
    for (u64 block = 6; block < 11; block++)
        assert_int_equal(journal_fixture_get(&fixture, block),
                         value == 38 ? 33 + block : 0);
    if (value == 50)
        assert_int_equal(journal_fixture_get(&fixture, 100), 99);
    journal_fixture_close(&fixture);
    return status;
}

static void journal_commit__request_n_fails__all_or_nothing_after_replay(void **state)
{
    (void)state;
    for (u64 long_log = 0; long_log < 5; long_log++) {
        u64 writes = 1, flushes = 1;
        while (try_with_fault(long_log, DISK_WRITE, writes) == ERR_IO)
            writes++;
        while (try_with_fault(long_log, DISK_FLUSH, flushes) == ERR_IO)
            flushes++;
        assert_true(writes > 2);
        assert_int_equal(flushes, 3);
    }
}

static void journal_checkpoint_all__request_n_fails__nothing_is_lost(void **state)
{
    (void)state;
    for (u64 nth = 1; nth < 6; nth++) {
        for (enum disk_operation kind = DISK_WRITE; kind <= DISK_FLUSH; kind++) {
            struct journal_fixture fixture;
            journal_fixture_open(&fixture, NULL);
            assert_int_equal(journal_fixture_mount(&fixture, false), OK);
            give_it_a_past(&fixture);
            ram_disk_fail(&fixture.ram, kind, nth, false);
            enum status status = journal_checkpoint_all(fixture.journal);
            assert_int_equal(status == OK, !journal_is_aborted(fixture.journal));
            ram_disk_fail(&fixture.ram, kind, 0, false);
            remount(&fixture);
            assert_int_equal(journal_fixture_get(&fixture, 5), 50);
            assert_int_equal(journal_fixture_get(&fixture, 100), 99);
            journal_fixture_close(&fixture);
        }
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(journal_commit__any__two_flushes_and_the_commit_block_between),
        TEST(journal_commit__nothing_changed__costs_nothing),
        TEST(journal_commit__live_log_is_long__blocks_go_to_their_places),
        TEST(journal_commit__ring_wraps_many_times__all_of_it_is_replayed),
        TEST(journal_checkpoint_all__then__log_is_empty_and_disk_is_right),
        TEST(journal_checkpoint_all__with_a_running_transaction__leaves_it_alone),
        TEST(journal_replay__any_end_of_the_last_session__a_new_sequence),
        TEST(journal_replay__sequence_at_its_end__wraps_to_zero),
        TEST(journal_commit__allocation_n_fails__all_rolled_back_and_usable),
        cmocka_unit_test(journal_commit__request_n_fails__all_or_nothing_after_replay),
        cmocka_unit_test(journal_checkpoint_all__request_n_fails__nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
