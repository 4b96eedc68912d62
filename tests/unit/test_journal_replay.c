/* Replay after a crash: what comes back, what must not, and what failures leave behind. */
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

static const struct journal_fixture_options large = { .journal_blocks = 2000,
                                                      .checksums = true,
                                                      .wide_blocks = true };
static const struct journal_fixture_options plain = { .journal_blocks = 200 };

static int open_with(void **state, const struct journal_fixture_options *options)
{
    struct journal_fixture *fixture = calloc(1, sizeof *fixture);
    journal_fixture_open(fixture, options);
    assert_int_equal(journal_fixture_mount(fixture, false), OK);
    port_host_clear_log();
    *state = fixture;
    return 0;
}

static int set_up(void **state)
{
    return open_with(state, &large);
}

static int set_up_plain(void **state)
{
    return open_with(state, &plain);
}

static int tear_down(void **state)
{
    journal_fixture_close(*state);
    free(*state);
    return 0;
}

/* Blocks first ... first + count - 1 get a value each, in one transaction. */
static void commit_run(struct journal_fixture *fixture, u64 first, u64 count, u64 value)
{
    for (u64 block = first; block < first + count; block++)
        assert_int_equal(journal_fixture_set(fixture, block, value + block), OK);
    assert_int_equal(journal_commit(fixture->journal), OK);
}

static void check_run(struct journal_fixture *fixture, u64 first, u64 count, u64 value)
{
    for (u64 block = first; block < first + count; block++)
        assert_int_equal(journal_fixture_get(fixture, block), value + block);
}

static void remount(struct journal_fixture *fixture)
{
    journal_fixture_crash(fixture);
    assert_int_equal(journal_fixture_mount(fixture, false), OK);
}

/* The n-th block (from 0) of this type and sequence in the log, in the order of the ring. */
static u8 *find_in_log(struct journal_fixture *fixture, u32 type, u32 sequence, u32 nth)
{
    struct journal_superblock superblock;
    u32 found_type, found;
    journal_fixture_superblock(fixture, &superblock);
    for (u32 block = superblock.first; block < superblock.block_count; block++) {
        u8 *raw = journal_fixture_log(fixture, block);
        if (journal_header_decode(raw, &found_type, &found) && found_type == type &&
            found == sequence && nth-- == 0)
            return raw;
    }
    fail_msg("no block of type %u and sequence %u in the log", type, sequence);
    return NULL;
}

static u32 tail_sequence(struct journal_fixture *fixture)
{
    struct journal_superblock superblock;
    journal_fixture_superblock(fixture, &superblock);
    return superblock.sequence;
}

/* The mount fails so, with this in its line, and writes nothing at all; in memory too. */
static void assert_refused(struct journal_fixture *fixture, enum status status,
                           const char *line)
{
    u8 *before = malloc(fixture->ram.size_bytes);
    journal_fixture_crash(fixture);
    memcpy(before, fixture->ram.bytes, fixture->ram.size_bytes);
    for (int in_memory = 0; in_memory < 2; in_memory++) {
        port_host_clear_log();
        assert_int_equal(journal_fixture_mount(fixture, in_memory), status);
        assert_true(port_host_logged(line));
        assert_memory_equal(before, fixture->ram.bytes, fixture->ram.size_bytes);
    }
    free(before);
}

/* --- what comes back --- */

static void journal_replay__again__finds_nothing_to_do(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 200, 1000);
    commit_run(fixture, 20, 7, 5000);
    remount(fixture);
    assert_true(fixture->report.was_dirty);
    assert_int_equal(fixture->report.transactions, 2);
    assert_int_equal(fixture->report.blocks, 200);
    remount(fixture);
    assert_false(fixture->report.was_dirty);
    assert_int_equal(fixture->report.transactions, 0);
    check_run(fixture, 10, 10, 1000);
    check_run(fixture, 20, 7, 5000);
    check_run(fixture, 27, 183, 1000);
}

static void
journal_replay__power_fails_at_every_write__the_next_one_ends_equal(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 150, 1000);
    commit_run(fixture, 20, 90, 5000);
    journal_fixture_crash(fixture);
    fixture->ram.order_seed = 5;
    ram_disk_record(&fixture->ram);
    assert_int_equal(journal_fixture_mount(fixture, false), OK);
    size_t records = fixture->ram.record_count;
    assert_true(records > 4);
    for (size_t i = 0; i < 4 * records; i++) {
        struct journal_fixture after;
        journal_fixture_open(&after, &large);
        ram_disk_cut(&fixture->ram, i / 4, i % 4, after.ram.bytes);
        assert_int_equal(journal_fixture_mount(&after, false), OK);
        check_run(&after, 10, 10, 1000);
        check_run(&after, 20, 90, 5000);
        check_run(&after, 110, 50, 1000);
        journal_fixture_close(&after);
    }
}

static void
journal_replay__transactions_of_earlier_sessions__stay_where_they_are(void **state)
{
    struct journal_fixture *fixture = *state;
    for (u64 i = 0; i < 8; i++)
        commit_run(fixture, 10, 3, 1000 * i);
    assert_int_equal(journal_checkpoint_all(fixture->journal), OK);
    for (u64 session = 1; session < 5; session++) {
        remount(fixture);
        commit_run(fixture, 10, 3, 70000 * session); /* over the first of them */
        remount(fixture);
        assert_int_equal(fixture->report.transactions, 1);
        check_run(fixture, 10, 3, 70000 * session);
        assert_int_equal(journal_checkpoint_all(fixture->journal), OK);
    }
}

/*
 * A header in the middle of the log is lost and nothing tells, for there are no checksums. What
 * lies behind it must not come back when the next session's transaction ends just before it.
 */
static void journal_replay__transactions_behind_a_lost_one__never_come_back(void **state)
{
    struct journal_fixture *fixture = *state;
    for (u64 i = 0; i < 5; i++)
        commit_run(fixture, 10, 1, 1000 * i); /* descriptor, copy, commit block */
    u32 tail = tail_sequence(fixture);
    memset(find_in_log(fixture, JOURNAL_DESCRIPTOR, tail + 1, 0), 0, 1024);
    remount(fixture);
    assert_int_equal(fixture->report.transactions, 1);
    commit_run(fixture, 10, 7, 90000); /* as long as three of them */
    remount(fixture);
    assert_int_equal(fixture->report.transactions, 1);
    check_run(fixture, 10, 7, 90000);
}

static void journal_replay__more_revokes_than_a_block_holds__all_count(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 20, 200, 1000);
    assert_int_equal(journal_revoke(fixture->journal, 20, 200), OK);
    commit_run(fixture, 5, 1, 1);
    for (u64 block = 20; block < 220; block++)
        journal_fixture_fill(fixture, journal_fixture_bytes(fixture, block), 7);
    remount(fixture);
    assert_int_equal(fixture->report.revoked, 200);
    for (u64 block = 20; block < 220; block++)
        assert_int_equal(journal_fixture_get(fixture, block), 7);
}

static void journal_replay__in_memory_only__shows_all_and_writes_nothing(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 150, 1000);
    journal_fixture_crash(fixture);
    u64 writes = fixture->ram.disk.statistics.writes;
    fixture->ram.disk.read_only = true;
    for (int again = 0; again < 2; again++) {
        assert_int_equal(journal_fixture_mount(fixture, true), OK);
        assert_int_equal(fixture->report.blocks, 150);
        check_run(fixture, 10, 150, 1000);
        assert_int_equal(journal_fixture_on_disk(fixture, 10), 0);
        assert_int_equal(journal_fixture_set(fixture, 10, 1), ERR_READ_ONLY);
        assert_int_equal(journal_checkpoint_all(fixture->journal), ERR_READ_ONLY);
        journal_fixture_crash(fixture);
    }
    assert_int_equal(fixture->ram.disk.statistics.writes, writes);
}

/* --- the torn end of the log --- */

static void journal_replay__commit_block_torn__as_if_it_had_never_been(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 3, 1000);
    commit_run(fixture, 10, 3, 5000);
    u8 *raw = find_in_log(fixture, JOURNAL_COMMIT, tail_sequence(fixture) + 1, 0);
    raw[60] ^= 1;
    remount(fixture);
    assert_int_equal(fixture->report.transactions, 1);
    check_run(fixture, 10, 3, 1000);
}

static void journal_replay__descriptor_torn_before_the_commit__is_the_end(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 3, 1000);
    commit_run(fixture, 10, 3, 5000);
    u32 sequence = tail_sequence(fixture) + 1;
    memset(find_in_log(fixture, JOURNAL_COMMIT, sequence, 0), 0, 1024);
    memset(find_in_log(fixture, JOURNAL_DESCRIPTOR, sequence, 0) + 512, 9, 512);
    remount(fixture);
    assert_int_equal(fixture->report.transactions, 1);
    check_run(fixture, 10, 3, 1000);
}

/* --- damage to what was committed --- */

static void journal_replay__copy_damaged__is_corrupt_and_nothing_changed(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 150, 1000); /* more than is restored at a time */
    u8 *descriptor = find_in_log(fixture, JOURNAL_DESCRIPTOR, tail_sequence(fixture), 2);
    descriptor[3 * 1024 + 77] ^= 1; /* a copy behind the third descriptor */
    assert_refused(fixture, ERR_CORRUPT, "bad checksum of block");
}

static void
journal_replay__descriptor_of_a_committed_one_damaged__is_corrupt(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 3, 1000);
    commit_run(fixture, 10, 3, 5000);
    commit_run(fixture, 10, 3, 8000);
    u32 tail = tail_sequence(fixture);
    for (u32 which = 0; which < 3; which++) {
        u8 *raw = find_in_log(fixture, JOURNAL_DESCRIPTOR, tail + which, 0);
        raw[5] ^= 1; /* not a descriptor any more */
        assert_refused(fixture, ERR_CORRUPT, "damaged");
        raw[5] ^= 1;
        raw[40] ^= 1; /* one with a bad checksum */
        assert_refused(fixture, ERR_CORRUPT, "damaged");
        raw[40] ^= 1;
    }
    remount(fixture);
    check_run(fixture, 10, 3, 8000);
}

static void journal_replay__commit_block_before_another_damaged__is_corrupt(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 3, 1000);
    commit_run(fixture, 10, 3, 5000);
    memset(find_in_log(fixture, JOURNAL_COMMIT, tail_sequence(fixture), 0), 0, 1024);
    assert_refused(fixture, ERR_CORRUPT, "damaged");
}

/* --- failures --- */

static void journal_replay__request_n_fails__keeps_the_log(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 150, 1000);
    for (enum disk_operation kind = DISK_READ; kind <= DISK_FLUSH; kind++) {
        for (u64 nth = 1;; nth++) {
            u8 *before = malloc(fixture->ram.size_bytes);
            memcpy(before, fixture->ram.bytes, fixture->ram.size_bytes);
            journal_fixture_crash(fixture);
            ram_disk_fail(&fixture->ram, kind, nth, true);
            enum status status = journal_fixture_mount(fixture, false);
            ram_disk_fail(&fixture->ram, kind, 0, false);
            if (status != OK)
                assert_int_equal(status, ERR_IO);
            remount(fixture);
            /* The very last flush fails when all is done. */
            assert_true(fixture->report.was_dirty == (status != OK) ||
                        kind == DISK_FLUSH);
            check_run(fixture, 10, 150, 1000);
            journal_fixture_crash(fixture);
            memcpy(fixture->ram.bytes, before, fixture->ram.size_bytes);
            free(before);
            if (status == OK)
                break;
        }
    }
}

static void journal_replay__allocation_n_fails__works_or_keeps_the_log(void **state)
{
    struct journal_fixture *fixture = *state;
    commit_run(fixture, 10, 150, 1000);
    assert_int_equal(journal_revoke(fixture->journal, 100, 1), OK);
    commit_run(fixture, 5, 1, 1);
    journal_fixture_crash(fixture);
    u8 *before = malloc(fixture->ram.size_bytes);
    memcpy(before, fixture->ram.bytes, fixture->ram.size_bytes);
    bool asked = true;
    for (u64 nth = 1; asked; nth++) {
        for (int in_memory = 1; in_memory >= 0; in_memory--) {
            port_host_fail_allocation(nth, false);
            enum status status = journal_fixture_mount(fixture, in_memory);
            asked = port_host_allocations() >= nth;
            port_host_fail_allocation(0, false);
            assert_true(status == OK || status == ERR_NO_MEMORY);
            remount(fixture);
            check_run(fixture, 10, 90, 1000);
            journal_fixture_crash(fixture);
            memcpy(fixture->ram.bytes, before, fixture->ram.size_bytes);
        }
    }
    free(before);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
#define TEST_PLAIN(function)                                                             \
    cmocka_unit_test_setup_teardown(function, set_up_plain, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(journal_replay__again__finds_nothing_to_do),
        TEST(journal_replay__power_fails_at_every_write__the_next_one_ends_equal),
        TEST(journal_replay__transactions_of_earlier_sessions__stay_where_they_are),
        TEST_PLAIN(journal_replay__transactions_of_earlier_sessions__stay_where_they_are),
        TEST_PLAIN(journal_replay__transactions_behind_a_lost_one__never_come_back),
        TEST(journal_replay__more_revokes_than_a_block_holds__all_count),
        TEST(journal_replay__in_memory_only__shows_all_and_writes_nothing),
        TEST(journal_replay__commit_block_torn__as_if_it_had_never_been),
        TEST(journal_replay__descriptor_torn_before_the_commit__is_the_end),
        TEST(journal_replay__copy_damaged__is_corrupt_and_nothing_changed),
        TEST(journal_replay__descriptor_of_a_committed_one_damaged__is_corrupt),
        TEST(journal_replay__commit_block_before_another_damaged__is_corrupt),
        TEST(journal_replay__request_n_fails__keeps_the_log),
        TEST(journal_replay__allocation_n_fails__works_or_keeps_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
