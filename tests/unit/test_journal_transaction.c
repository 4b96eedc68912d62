/* The running transaction: J1, J3, J4 of journal.h, its room, and what is left after failures. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support/journal_fixture.h"
#include "tests/support/port_host.h"

static int set_up(void **state)
{
    struct journal_fixture *fixture = calloc(1, sizeof *fixture);
    journal_fixture_open(fixture, NULL);
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

static void revoke(struct journal_fixture *fixture, u64 block, u64 count)
{
    assert_int_equal(journal_revoke(fixture->journal, block, count), OK);
}

static void remount(struct journal_fixture *fixture)
{
    journal_fixture_crash(fixture);
    assert_int_equal(journal_fixture_mount(fixture, false), OK);
}

/* --- rolling back --- */

static void journal_rollback__after_changes__last_committed_content(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    set(fixture, 5, 51);
    set(fixture, 5, 52);
    set(fixture, 6, 60); /* never committed: the disk's zeros */
    journal_rollback(fixture->journal);
    assert_int_equal(journal_fixture_get(fixture, 5), 50);
    assert_int_equal(journal_fixture_get(fixture, 6), 0);
    assert_false(journal_is_running(fixture->journal));
    commit(fixture);
    remount(fixture);
    assert_int_equal(journal_fixture_get(fixture, 5), 50);
    assert_int_equal(journal_fixture_get(fixture, 6), 0);
}

static void journal_rollback__zeros_still_held__are_zeros_again(void **state)
{
    struct journal_fixture *fixture = *state;
    struct buffer *held;
    assert_int_equal(cache_get(&fixture->cache, 6, &held), OK);
    set(fixture, 6, 60);
    journal_rollback(fixture->journal);
    assert_int_equal(journal_fixture_value(fixture, held->data), 0);
    cache_release(held);
}

static void journal_rollback__zeros_that_the_log_holds__reach_the_disk(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    set(fixture, 5, 0);
    commit(fixture);
    set(fixture, 5, 51);
    assert_int_equal(journal_checkpoint_all(fixture->journal), OK);
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 0);
    journal_rollback(fixture->journal);
    assert_int_equal(journal_fixture_get(fixture, 5), 0);
}

static void journal_rollback__fresh_buffer__is_read_from_disk_again(void **state)
{
    struct journal_fixture *fixture = *state;
    journal_fixture_fill(fixture, journal_fixture_bytes(fixture, 9), 91);
    assert_int_equal(journal_fixture_set_fresh(fixture, 9, 92), OK);
    journal_rollback(fixture->journal);
    assert_int_equal(journal_fixture_get(fixture, 9), 91);
}

static void journal_rollback__fresh_buffer_still_held__goes_when_let_go(void **state)
{
    struct journal_fixture *fixture = *state;
    struct buffer *held;
    journal_fixture_fill(fixture, journal_fixture_bytes(fixture, 9), 91);
    assert_int_equal(cache_get_fresh(&fixture->cache, 9, &held), OK);
    assert_int_equal(journal_modify(fixture->journal, held), OK);
    journal_fixture_fill(fixture, held->data, 92);
    journal_rollback(fixture->journal);
    cache_release(held);
    assert_int_equal(journal_fixture_get(fixture, 9), 91);
}

static void journal_rollback__freed_blocks__are_in_use_again(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    set(fixture, 5, 51);
    revoke(fixture, 5, 1);
    assert_true(journal_is_freed(fixture->journal, 5));
    journal_rollback(fixture->journal);
    assert_false(journal_is_freed(fixture->journal, 5));
    assert_int_equal(journal_fixture_get(fixture, 5), 50);
    set(fixture, 6, 60);
    commit(fixture);
    remount(fixture);
    assert_int_equal(fixture->report.revoked, 0);
    assert_int_equal(journal_fixture_get(fixture, 5), 50);
}

/* --- freed blocks --- */

static void journal_is_freed__any_run__exactly_its_blocks(void **state)
{
    struct journal_fixture *fixture = *state;
    static const struct {
        u64 first, count;
    } runs[] = { { 3, 1 }, { 63, 2 }, { 64, 64 }, { 100, 130 }, { 1ull << 40, 1 } };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        u64 end = runs[i].first + runs[i].count;
        revoke(fixture, runs[i].first, runs[i].count);
        for (u64 block = runs[i].first - 3; block < end + 3; block++)
            assert_int_equal(journal_is_freed(fixture->journal, block),
                             block >= runs[i].first && block < end);
        assert_true(journal_is_running(fixture->journal));
        journal_rollback(fixture->journal);
        assert_false(journal_is_freed(fixture->journal, runs[i].first));
    }
}

static void journal_is_freed__until_the_commit__and_no_longer(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 8, 80);
    revoke(fixture, 5, 2);
    assert_true(journal_is_freed(fixture->journal, 6));
    commit(fixture);
    assert_false(journal_is_freed(fixture->journal, 6));
}

static void journal_revoke__reused_as_data__the_old_copy_is_not_replayed(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    revoke(fixture, 5, 1);
    set(fixture, 8, 80);
    commit(fixture);
    journal_fixture_fill(fixture, journal_fixture_bytes(fixture, 5), 55);
    remount(fixture);
    assert_int_equal(fixture->report.revoked, 1);
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 55);
    assert_int_equal(journal_fixture_on_disk(fixture, 8), 80);
}

static void journal_revoke__reused_as_data__no_checkpoint_overwrites_it(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    revoke(fixture, 5, 1);
    set(fixture, 8, 80);
    commit(fixture);
    journal_fixture_fill(fixture, journal_fixture_bytes(fixture, 5), 55);
    assert_int_equal(journal_checkpoint_all(fixture->journal), OK);
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 55);
    assert_int_equal(journal_fixture_get(fixture, 5),
                     55); /* nor does the cache keep it */
}

static void journal_modify__block_freed_in_the_same_transaction__cancels(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    revoke(fixture, 5, 1);
    set(fixture, 5, 51);
    assert_false(journal_is_freed(fixture->journal, 5));
    commit(fixture);
    remount(fixture);
    assert_int_equal(fixture->report.revoked, 0);
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 51);
}

static void journal_modify__block_freed_that_no_log_has__is_in_use_again(void **state)
{
    struct journal_fixture *fixture = *state;
    revoke(fixture, 4, 3);
    set(fixture, 5, 51);
    assert_true(journal_is_freed(fixture->journal, 4));
    assert_false(journal_is_freed(fixture->journal, 5));
    assert_true(journal_is_freed(fixture->journal, 6));
}

static void journal_modify__block_freed_in_an_earlier_one__is_replayed(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    revoke(fixture, 5, 1);
    set(fixture, 8, 80);
    commit(fixture);
    assert_int_equal(journal_fixture_set_fresh(fixture, 5, 52), OK);
    commit(fixture);
    remount(fixture);
    assert_int_equal(fixture->report.revoked, 1); /* the copy of the first transaction */
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 52);
}

static void journal_revoke__changed_in_the_same_transaction__is_not_logged(void **state)
{
    struct journal_fixture *fixture = *state;
    assert_int_equal(journal_fixture_set_fresh(fixture, 5, 50), OK);
    set(fixture, 6, 60);
    u32 room = journal_room(fixture->journal);
    revoke(fixture, 5, 1);
    assert_int_equal(journal_room(fixture->journal), room + 1);
    commit(fixture);
    remount(fixture);
    assert_int_equal(fixture->report.blocks, 1);
    assert_int_equal(journal_fixture_on_disk(fixture, 5), 0);
}

static void journal_commit__only_freed_blocks_without_copies__asks_nothing(void **state)
{
    struct journal_fixture *fixture = *state;
    u64 writes = fixture->ram.disk.statistics.writes;
    revoke(fixture, 5, 3);
    commit(fixture);
    assert_int_equal(fixture->ram.disk.statistics.writes, writes);
    assert_false(journal_is_freed(fixture->journal, 5));
}

/* --- room --- */

/* Blocks 10... are changed until the transaction is full; returns how many were. */
static u32 fill_up(struct journal_fixture *fixture, u64 value)
{
    u32 count = 0;
    enum status status;
    while ((status = journal_fixture_set(fixture, 10 + count, value)) == OK)
        count++;
    assert_int_equal(status, ERR_TRANSACTION_FULL);
    return count;
}

static void journal_room__each_change__takes_one_until_full(void **state)
{
    struct journal_fixture *fixture = *state;
    u32 room = journal_room(fixture->journal);
    assert_true(room > 8);
    set(fixture, 10, 1);
    set(fixture, 10, 2); /* there already */
    assert_int_equal(journal_room(fixture->journal), room - 1);
    assert_int_equal(fill_up(fixture, 3), room);
    assert_int_equal(journal_room(fixture->journal), 0);
}

static void journal_commit__a_full_transaction__succeeds(void **state)
{
    struct journal_fixture *fixture = *state;
    u32 count = fill_up(fixture, 1);
    set(fixture, 10, 5); /* what is in it may still be changed */
    assert_int_equal(journal_fixture_get(fixture, 10 + count), 0);
    commit(fixture);
    remount(fixture);
    assert_int_equal(fixture->report.blocks, count);
    assert_int_equal(journal_fixture_get(fixture, 10), 5);
    assert_int_equal(journal_fixture_get(fixture, 10 + count - 1), 1);
}

struct hook {
    struct journal_fixture *fixture;
    u64 value;
    enum status fails;
};

static enum status put_superblock_in(void *context)
{
    struct hook *hook = context;
    if (hook->fails != OK)
        return hook->fails;
    return journal_fixture_set(hook->fixture, 1, ++hook->value);
}

static void journal_room__with_a_hook__keeps_a_block_for_it(void **state)
{
    struct journal_fixture *fixture = *state;
    struct hook hook = { .fixture = fixture };
    journal_set_before_commit(fixture->journal, put_superblock_in, &hook);
    for (u64 value = 1; value < 6; value++) {
        u32 room = journal_room(fixture->journal);
        assert_int_equal(fill_up(fixture, value), room);
        commit(fixture);
        assert_int_equal(journal_fixture_get(fixture, 1), value);
    }
    remount(fixture);
    assert_int_equal(journal_fixture_get(fixture, 1), 5);
}

static void journal_revoke__in_a_full_transaction_with_a_hook__still_commits(void **state)
{
    struct journal_fixture *fixture = *state;
    struct hook hook = { .fixture = fixture };
    journal_set_before_commit(fixture->journal, put_superblock_in, &hook);
    set(fixture, 200, 1);
    commit(fixture);
    for (u32 spare = 0; spare < 3; spare++) {
        u32 count = fill_up(fixture, 2);
        for (u32 i = 0; i < spare; i++)
            revoke(fixture, 10 + --count, 1);
        enum status status = journal_revoke(fixture->journal, 200, 1);
        assert_true(status == OK || status == ERR_TRANSACTION_FULL);
        assert_int_equal(journal_is_freed(fixture->journal, 200), status == OK);
        commit(fixture);
        set(fixture, 200, 1);
        commit(fixture);
    }
}

static void journal_commit__hook_fails__everything_is_rolled_back(void **state)
{
    struct journal_fixture *fixture = *state;
    struct hook hook = { .fixture = fixture, .fails = ERR_CORRUPT };
    journal_set_before_commit(fixture->journal, put_superblock_in, &hook);
    set(fixture, 5, 50);
    assert_int_equal(journal_commit(fixture->journal), ERR_CORRUPT);
    assert_int_equal(journal_fixture_get(fixture, 5), 0);
    assert_false(journal_is_aborted(fixture->journal));
    hook.fails = OK;
    set(fixture, 5, 51);
    commit(fixture);
    assert_int_equal(journal_fixture_get(fixture, 5), 51);
}

/* --- want of memory --- */

static void journal_modify__memory_fails_at_each_point__nothing_changed(void **state)
{
    struct journal_fixture *fixture = *state;
    u32 room = journal_room(fixture->journal);
    set(fixture, 5, 50);
    commit(fixture);
    for (u64 block = 5; block < 7; block++) {
        for (u64 nth = 1;; nth++) {
            port_host_fail_allocation(nth, false);
            enum status status = journal_fixture_set(fixture, block, 61);
            port_host_fail_allocation(0, false);
            if (status == OK)
                break;
            assert_int_equal(status, ERR_NO_MEMORY);
            assert_int_equal(journal_room(fixture->journal), room);
            assert_false(journal_is_running(fixture->journal));
            assert_int_equal(journal_fixture_get(fixture, block), block == 5 ? 50 : 0);
        }
        journal_rollback(fixture->journal);
    }
}

static void journal_revoke__memory_fails__the_rest_goes_on(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    port_host_fail_allocation(1, true);
    assert_int_equal(journal_revoke(fixture->journal, 0, 256), ERR_NO_MEMORY);
    port_host_fail_allocation(0, false);
    set(fixture, 6, 60);
    commit(fixture);
    remount(fixture);
    assert_int_equal(fixture->report.revoked, 0);
    assert_int_equal(journal_fixture_get(fixture, 5), 50);
    assert_int_equal(journal_fixture_get(fixture, 6), 60);
}

/* --- read-only --- */

static void journal_modify__after_an_abort__is_refused_and_all_is_readable(void **state)
{
    struct journal_fixture *fixture = *state;
    set(fixture, 5, 50);
    commit(fixture);
    set(fixture, 5, 51);
    ram_disk_fail(&fixture->ram, DISK_WRITE, 1, false);
    assert_int_equal(journal_commit(fixture->journal), ERR_IO);
    assert_true(journal_is_aborted(fixture->journal));
    assert_true(port_host_logged("read-only from now on"));
    assert_int_equal(journal_fixture_get(fixture, 5), 50);
    assert_int_equal(journal_fixture_set(fixture, 6, 60), ERR_READ_ONLY);
    assert_int_equal(journal_revoke(fixture->journal, 6, 1), ERR_READ_ONLY);
    assert_int_equal(journal_checkpoint_all(fixture->journal), ERR_READ_ONLY);
    assert_int_equal(journal_commit(fixture->journal), OK); /* nothing to do */
    remount(fixture);
    assert_int_equal(journal_fixture_get(fixture, 5), 50);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(journal_rollback__after_changes__last_committed_content),
        TEST(journal_rollback__zeros_still_held__are_zeros_again),
        TEST(journal_rollback__zeros_that_the_log_holds__reach_the_disk),
        TEST(journal_rollback__fresh_buffer__is_read_from_disk_again),
        TEST(journal_rollback__fresh_buffer_still_held__goes_when_let_go),
        TEST(journal_rollback__freed_blocks__are_in_use_again),
        TEST(journal_is_freed__any_run__exactly_its_blocks),
        TEST(journal_is_freed__until_the_commit__and_no_longer),
        TEST(journal_revoke__reused_as_data__the_old_copy_is_not_replayed),
        TEST(journal_revoke__reused_as_data__no_checkpoint_overwrites_it),
        TEST(journal_modify__block_freed_in_the_same_transaction__cancels),
        TEST(journal_modify__block_freed_that_no_log_has__is_in_use_again),
        TEST(journal_modify__block_freed_in_an_earlier_one__is_replayed),
        TEST(journal_revoke__changed_in_the_same_transaction__is_not_logged),
        TEST(journal_commit__only_freed_blocks_without_copies__asks_nothing),
        TEST(journal_room__each_change__takes_one_until_full),
        TEST(journal_commit__a_full_transaction__succeeds),
        TEST(journal_room__with_a_hook__keeps_a_block_for_it),
        TEST(journal_revoke__in_a_full_transaction_with_a_hook__still_commits),
        TEST(journal_commit__hook_fails__everything_is_rolled_back),
        TEST(journal_modify__memory_fails_at_each_point__nothing_changed),
        TEST(journal_revoke__memory_fails__the_rest_goes_on),
        TEST(journal_modify__after_an_abort__is_refused_and_all_is_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
