/*
 * What a commit of 1,000 blocks and the replay of the 4 MiB log that it leaves cost: requests, bytes,
 * flushes, and the time that this host took under its sanitizers, for comparison with itself only.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/journal_fixture.h"
#include "tests/support/port_host.h"

enum { BLOCKS = 1000, BLOCK = 4096, JOURNAL_BLOCKS = 8192 };
/* Between two pieces of the journal there is room for so many. */
static const u64 first = FIXTURE_BLOCKS + JOURNAL_BLOCKS / 3 + 16;

static void print_cost(const char *what, const struct journal_fixture *fixture,
                       u64 microseconds)
{
    const struct disk_statistics *statistics = &fixture->ram.disk.statistics;
    print_message("    %s: %llu reads of %llu bytes, %llu writes of %llu bytes, "
                  "%llu flushes, %llu us\n",
                  what, (unsigned long long)statistics->reads,
                  (unsigned long long)statistics->bytes_read,
                  (unsigned long long)statistics->writes,
                  (unsigned long long)statistics->bytes_written,
                  (unsigned long long)statistics->flushes,
                  (unsigned long long)microseconds);
}

/* As virtio-blk has it: 254 segments, 1 MiB a request. */
static void open_like_virtio(struct journal_fixture *fixture)
{
    const struct journal_fixture_options options = { .block_size = BLOCK,
                                                     .journal_blocks = JOURNAL_BLOCKS,
                                                     .checksums = true,
                                                     .wide_blocks = true };
    journal_fixture_open(fixture, &options);
    fixture->ram.disk.max_pieces = 1022;
    fixture->ram.disk.max_bytes = MIB;
}

static void start_counting(struct journal_fixture *fixture, u64 *start)
{
    fixture->ram.disk.statistics = (struct disk_statistics){ 0 };
    *start = port_now_microseconds();
}

static void journal_commit_and_replay__a_thousand_blocks__cost(void **state)
{
    struct journal_fixture fixture;
    const struct disk_statistics *statistics = &fixture.ram.disk.statistics;
    u64 start;
    (void)state;
    open_like_virtio(&fixture);
    assert_int_equal(journal_fixture_mount(&fixture, false), OK);
    for (u64 i = 0; i < BLOCKS; i++)
        assert_int_equal(journal_fixture_set_fresh(&fixture, first + i, 1 + i), OK);

    start_counting(&fixture, &start);
    assert_int_equal(journal_commit(fixture.journal), OK);
    print_cost("commit", &fixture, port_now_microseconds() - start);
    assert_int_equal(statistics->flushes, 2);
    assert_int_equal(statistics->reads, 0);

    journal_fixture_crash(&fixture);
    start_counting(&fixture, &start);
    assert_int_equal(journal_fixture_mount(&fixture, false), OK);
    print_cost("replay", &fixture, port_now_microseconds() - start);
    assert_int_equal(fixture.report.blocks, BLOCKS);
    assert_int_equal(statistics->flushes, 2);
    for (u64 i = 0; i < BLOCKS; i++)
        assert_int_equal(journal_fixture_on_disk(&fixture, first + i), 1 + i);
    journal_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_commit_and_replay__a_thousand_blocks__cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
