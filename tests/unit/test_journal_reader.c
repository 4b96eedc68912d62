/* Reading the log: unreadable blocks in it and behind it, logs longer than the window, the ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/journal_fixture.h"
#include "tests/support/port_host.h"

/* A disk with one block that cannot be read, whatever else a request asks for. */
struct bad_disk {
    struct journal_fixture fixture;
    const struct disk_operations *below;
    struct disk_operations operations;
    u64 bad_block;
};

static enum status submit(struct disk *disk, struct disk_request *request)
{
    struct bad_disk *bad = CONTAINER_OF(disk, struct bad_disk, fixture.ram.disk);
    u64 sectors = 0, per_block = bad->fixture.block_size / SECTOR_SIZE;
    for (size_t i = 0; i < request->segment_count; i++)
        sectors += request->segments[i].size_bytes / SECTOR_SIZE;
    if (request->operation != DISK_READ ||
        bad->bad_block * per_block >= request->sector + sectors ||
        request->sector >= (bad->bad_block + 1) * per_block)
        return bad->below->submit(disk, request);
    disk_complete(disk, request, ERR_IO);
    return OK;
}

static struct bad_disk *open_disk(const struct journal_fixture_options *options)
{
    struct bad_disk *bad = calloc(1, sizeof *bad);
    journal_fixture_open(&bad->fixture, options);
    bad->below = bad->fixture.ram.disk.operations;
    bad->operations = *bad->below;
    bad->operations.submit = submit;
    bad->fixture.ram.disk.operations = &bad->operations;
    bad->bad_block = UINT64_MAX / 8;
    assert_int_equal(journal_fixture_mount(&bad->fixture, false), OK);
    return bad;
}

static void close_disk(struct bad_disk *bad)
{
    journal_fixture_close(&bad->fixture);
    free(bad);
}

static void commit(struct bad_disk *bad, u64 first, u64 count, u64 value)
{
    for (u64 block = first; block < first + count; block++)
        assert_int_equal(journal_fixture_set_fresh(&bad->fixture, block, value), OK);
    assert_int_equal(journal_commit(bad->fixture.journal), OK);
}

static void check(struct bad_disk *bad, u64 first, u64 count, u64 value)
{
    for (u64 block = first; block < first + count; block++)
        assert_int_equal(journal_fixture_on_disk(&bad->fixture, block), value);
}

static u64 disk_block_of(struct bad_disk *bad, u32 journal_block)
{
    const u8 *bytes = journal_fixture_log(&bad->fixture, journal_block);
    return (u64)(bytes - bad->fixture.ram.bytes) / bad->fixture.block_size;
}

/* Each block of the log in turn cannot be read; the live log is blocks 1 to `live`. */
static void try_each_bad_block(const struct journal_fixture_options *options, u32 live)
{
    struct bad_disk *bad = open_disk(options);
    commit(bad, 20, 3, 5);
    commit(bad, 30, 4, 6);
    journal_fixture_crash(&bad->fixture);
    u8 *before = malloc(bad->fixture.ram.size_bytes);
    memcpy(before, bad->fixture.ram.bytes, bad->fixture.ram.size_bytes);
    for (u32 block = 1; block < options->journal_blocks; block++) {
        memcpy(bad->fixture.ram.bytes, before, bad->fixture.ram.size_bytes);
        bad->bad_block = disk_block_of(bad, block);
        enum status status = journal_fixture_mount(&bad->fixture, false);
        assert_int_equal(status, block <= live ? ERR_IO : OK);
        if (status == OK) {
            check(bad, 20, 3, 5);
            check(bad, 30, 4, 6);
        } else {
            assert_memory_equal(before, bad->fixture.ram.bytes,
                                bad->fixture.ram.size_bytes);
        }
        journal_fixture_crash(&bad->fixture);
    }
    free(before);
    close_disk(bad);
}

static void journal_replay__unreadable_block__matters_in_the_live_log_only(void **state)
{
    const struct journal_fixture_options summed = { .journal_blocks = 120,
                                                    .checksums = true };
    const struct journal_fixture_options plain = { .journal_blocks = 120 };
    (void)state;
    /* The block behind its end is asked for, too: it may go on there. */
    try_each_bad_block(&summed, 5 + 6 + 1);
    try_each_bad_block(&plain, 5 + 6 + 1);
}

static void journal_replay__log_longer_than_the_window__whole(void **state)
{
    const struct journal_fixture_options options = {
        .block_size = 4096, .journal_blocks = 8192, .checksums = true, .wide_blocks = true
    };
    const u64 first = FIXTURE_BLOCKS + 8192 / 3 + 16;
    struct bad_disk *bad = open_disk(&options);
    (void)state;
    commit(bad, first, 2000, 7); /* the window has 1,024 blocks */
    journal_fixture_crash(&bad->fixture);
    u8 *descriptor = journal_fixture_log(&bad->fixture, 1);
    descriptor[50] ^= 1; /* its commit block is behind the window */
    assert_int_equal(journal_fixture_mount(&bad->fixture, false), ERR_CORRUPT);
    descriptor[50] ^= 1;
    assert_int_equal(journal_fixture_mount(&bad->fixture, false), OK);
    assert_int_equal(bad->fixture.report.blocks, 2000);
    check(bad, first, 2000, 7);
    close_disk(bad);
}

/* Memory for half a window, a quarter, ... : the log is read again, that is all. */
static void journal_replay__memory_for_a_part_of_the_window__whole(void **state)
{
    const struct journal_fixture_options options = { .journal_blocks = 2000 };
    struct bad_disk *bad = open_disk(&options);
    (void)state;
    for (u64 nth = 1; nth < 12; nth++) {
        commit(bad, 20, 200, nth);
        journal_fixture_crash(&bad->fixture);
        port_host_fail_allocation(nth, false);
        enum status status = journal_fixture_mount(&bad->fixture, false);
        port_host_fail_allocation(0, false);
        if (status != OK)
            assert_int_equal(journal_fixture_mount(&bad->fixture, false), OK);
        check(bad, 20, 200, nth);
    }
    close_disk(bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_replay__unreadable_block__matters_in_the_live_log_only),
        cmocka_unit_test(journal_replay__log_longer_than_the_window__whole),
        cmocka_unit_test(journal_replay__memory_for_a_part_of_the_window__whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
