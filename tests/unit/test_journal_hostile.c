/*
 * Journals made to hurt: each field at its limits, and random damage whose checksums fit. A mount
 * ends, with a status of ours, and asks for a bounded number of blocks.
 */
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

enum { JOURNAL_BLOCKS = 200, BLOCK = 1024, MUTANTS = 4000 };

static const struct journal_fixture_options options[] = {
    { .journal_blocks = JOURNAL_BLOCKS, .checksums = true, .wide_blocks = true },
    { .journal_blocks = JOURNAL_BLOCKS },
    { .journal_blocks = JOURNAL_BLOCKS, .incompat = JOURNAL_INCOMPAT_CSUM_V2 },
};

struct hostile {
    struct journal_fixture fixture;
    u8 *pristine; /* the disk with a live log of descriptors, revokes and commits */
    struct journal_layout layout;
    u32 sequence;
};

static void commit(struct journal_fixture *fixture, u64 first, u64 count, u64 value)
{
    for (u64 block = first; block < first + count; block++)
        assert_int_equal(journal_fixture_set(fixture, block, value), OK);
    assert_int_equal(journal_commit(fixture->journal), OK);
}

static struct hostile *open_hostile(size_t which)
{
    struct hostile *hostile = calloc(1, sizeof *hostile);
    struct journal_fixture *fixture = &hostile->fixture;
    struct journal_superblock superblock;
    journal_fixture_open(fixture, &options[which]);
    assert_int_equal(journal_fixture_mount(fixture, false), OK);
    commit(fixture, 20, 10, 4);
    assert_int_equal(journal_revoke(fixture->journal, 20, 3), OK);
    commit(fixture, 40, 5, 6);
    commit(fixture, 42, 5, 8);
    journal_fixture_crash(fixture);
    journal_fixture_superblock(fixture, &superblock);
    journal_layout_init(&hostile->layout, &superblock);
    hostile->sequence = superblock.sequence;
    hostile->pristine = malloc(fixture->ram.size_bytes);
    memcpy(hostile->pristine, fixture->ram.bytes, fixture->ram.size_bytes);
    return hostile;
}

static void close_hostile(struct hostile *hostile)
{
    journal_fixture_close(&hostile->fixture);
    free(hostile->pristine);
    free(hostile);
}

static void restore(struct hostile *hostile)
{
    memcpy(hostile->fixture.ram.bytes, hostile->pristine,
           hostile->fixture.ram.size_bytes);
    hostile->fixture.ram.disk.statistics = (struct disk_statistics){ 0 };
}

/* Makes the checksum of a block of the log right again, whatever it has become. */
static void reseal(struct hostile *hostile, u8 *raw)
{
    const struct journal_layout *layout = &hostile->layout;
    if (!journal_has_checksums(layout))
        return;
    bool commits = get_be32(raw + 4) == JOURNAL_COMMIT;
    size_t at = commits ? JOURNAL_COMMIT_CHECKSUM_AT : BLOCK - JOURNAL_TAIL_SIZE;
    put_be32(raw + at, journal_block_checksum(layout, raw, at));
}

static enum status mount_bounded(struct hostile *hostile, bool in_memory_only)
{
    struct journal_fixture *fixture = &hostile->fixture;
    enum status status = journal_fixture_mount(fixture, in_memory_only);
    assert_true(status == OK || status == ERR_CORRUPT || status == ERR_UNSUPPORTED);
    assert_true(fixture->ram.disk.statistics.bytes_read <= 2 * JOURNAL_BLOCKS * BLOCK);
    assert_true(fixture->ram.disk.statistics.bytes_written <= 2 * JOURNAL_BLOCKS * BLOCK);
    journal_fixture_crash(fixture);
    return status;
}

/* --- the superblock --- */

static void put_in_field(struct hostile *hostile, u32 at, u32 value, bool in_memory_only)
{
    restore(hostile);
    put_be32(journal_fixture_log(&hostile->fixture, 0) + at, value);
    if (at != 0xFC)
        journal_fixture_reseal(&hostile->fixture);
    enum status status = mount_bounded(hostile, in_memory_only);
    if ((at == 0x0C && value != BLOCK) || (at == 0x10 && value > JOURNAL_BLOCKS))
        assert_int_equal(status, ERR_CORRUPT);
}

static void put_limits_in_field(struct hostile *hostile, u32 at)
{
    static const u32 values[] = { 0,
                                  1,
                                  2,
                                  3,
                                  4,
                                  15,
                                  16,
                                  17,
                                  185,
                                  JOURNAL_BLOCKS - 1,
                                  JOURNAL_BLOCKS,
                                  JOURNAL_BLOCKS + 1,
                                  1024,
                                  4096,
                                  0x7FFFFFFF,
                                  0x80000000,
                                  0xFFFFFFF0,
                                  UINT32_MAX };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        put_in_field(hostile, at, values[i], i % 2);
}

static void journal_open__each_field_at_its_limits__a_status_of_ours(void **state)
{
    static const u32 fields[] = { 0x00, 0x04, 0x0C, 0x10, 0x14, 0x18, 0x1C,
                                  0x20, 0x24, 0x28, 0x2C, 0x50, 0x54, 0xFC };
    (void)state;
    for (size_t which = 0; which < 3; which++) {
        struct hostile *hostile = open_hostile(which);
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
            put_limits_in_field(hostile, fields[i]);
        close_hostile(hostile);
    }
}

static void assert_superblock_refused(u32 at, u32 value, enum status status,
                                      const char *line)
{
    struct hostile *hostile = open_hostile(0);
    put_be32(journal_fixture_log(&hostile->fixture, 0) + at, value);
    journal_fixture_reseal(&hostile->fixture);
    port_host_clear_log();
    assert_int_equal(journal_fixture_mount(&hostile->fixture, false), status);
    assert_true(port_host_logged(line));
    close_hostile(hostile);
}

static void journal_open__what_we_cannot__is_refused_by_name(void **state)
{
    (void)state;
    assert_superblock_refused(0x00, 7, ERR_CORRUPT, "magic 0x7");
    assert_superblock_refused(0x04, 3, ERR_UNSUPPORTED, "version 1");
    assert_superblock_refused(0x04, 5, ERR_CORRUPT, "block type 5");
    assert_superblock_refused(0x14, 0, ERR_CORRUPT, "log from 0");
    assert_superblock_refused(0x1C, 5000, ERR_CORRUPT, "starts at 5000");
    assert_superblock_refused(0x28, 0x100 | 0x13, ERR_UNSUPPORTED, "0x100");
    assert_superblock_refused(0x28, 0x1B, ERR_CORRUPT, "v2 and v3");
    assert_superblock_refused(0x24, 0x1, ERR_CORRUPT, "checksum v1 and v3");
    assert_superblock_refused(0x2C, 0x4, ERR_UNSUPPORTED, "0x4");
    assert_superblock_refused(0x28, 0x17, ERR_UNSUPPORTED, "asynchronous");
    assert_superblock_refused(0x50, 0x01000000, ERR_UNSUPPORTED, "type 1");
}

static void journal_open__checksum_of_the_superblock_wrong__is_corrupt(void **state)
{
    struct hostile *hostile = open_hostile(0);
    (void)state;
    journal_fixture_log(&hostile->fixture, 0)[0x1B] ^= 1;
    assert_int_equal(mount_bounded(hostile, false), ERR_CORRUPT);
    assert_true(port_host_logged("superblock: bad checksum"));
    close_hostile(hostile);
}

static void journal_replay__fast_commits_that_matter__are_refused(void **state)
{
    struct hostile *hostile = open_hostile(1);
    struct journal_fixture *fixture = &hostile->fixture;
    u8 *raw = journal_fixture_log(fixture, 0);
    (void)state;
    put_be32(raw + 0x28, get_be32(raw + 0x28) | JOURNAL_INCOMPAT_FAST_COMMIT);
    put_be32(raw + 0x54, 16);
    u8 *head = journal_fixture_log(fixture, JOURNAL_BLOCKS - 16);
    put_le32(head, 9);
    put_le32(head + 8, hostile->sequence + 3);
    assert_int_equal(mount_bounded(hostile, false), ERR_UNSUPPORTED);
    assert_true(port_host_logged("fast commits after transaction"));
    put_le32(head + 8, hostile->sequence + 2); /* of a transaction that is complete */
    assert_int_equal(mount_bounded(hostile, false), OK);
    close_hostile(hostile);
}

/* --- where it lies --- */

static void journal_open__extents_that_cannot_be__are_corrupt(void **state)
{
    static const struct {
        struct journal_extent extents[2];
        size_t count;
        const char *line;
    } cases[] = {
        { { { 0, 0, 0 } }, 0, "0 blocks long" },
        { { { 0, 15, 300 } }, 1, "15 blocks long" },
        { { { 1, 200, 300 } }, 1, "extent of 200 blocks at 1" },
        { { { 0, 100, 300 }, { 101, 99, 400 } }, 2, "extent of 99 blocks at 101" },
        { { { 0, 100, 300 }, { 100, 0, 400 } }, 2, "extent of 0 blocks" },
        { { { 0, 200, UINT64_MAX - 5 } }, 1, "extent of 200" },
        { { { 0, UINT32_MAX, 300 } }, 1, "extent of 4294967295" },
        { { { 0, 100, 300 }, { 100, 100, 399 } }, 2, "in it twice" },
        { { { 0, 100, 300 }, { 100, 100, 300 } }, 2, "in it twice" },
    };
    struct hostile *hostile = open_hostile(0);
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hostile->fixture.location.extents = cases[i].extents;
        hostile->fixture.location.extent_count = cases[i].count;
        port_host_clear_log();
        assert_int_equal(journal_fixture_mount(&hostile->fixture, false), ERR_CORRUPT);
        assert_true(port_host_logged(cases[i].line));
    }
    close_hostile(hostile);
}

/* --- the log --- */

/* A block of the live log, by its place: 1 is the first descriptor. */
static u8 *log_block(struct hostile *hostile, u32 at)
{
    return journal_fixture_log(&hostile->fixture, at);
}

static void assert_tag_refused(struct hostile *hostile, u64 block)
{
    restore(hostile);
    u8 *raw = log_block(hostile, 1);
    put_be32(raw + JOURNAL_HEADER_SIZE, (u32)block);
    put_be32(raw + JOURNAL_HEADER_SIZE + 8, (u32)(block >> 32));
    reseal(hostile, raw);
    port_host_clear_log();
    assert_int_equal(mount_bounded(hostile, false), ERR_CORRUPT);
    assert_true(port_host_logged("tag for block"));
}

static void journal_replay__tag_outside_or_in_the_journal__is_corrupt(void **state)
{
    struct hostile *hostile = open_hostile(0);
    u64 blocks = hostile->fixture.ram.size_bytes / BLOCK;
    (void)state;
    assert_tag_refused(hostile, blocks);
    assert_tag_refused(hostile, UINT32_MAX);
    assert_tag_refused(hostile, 1ull << 32 | 20);
    assert_tag_refused(hostile, UINT64_MAX);
    assert_tag_refused(hostile, FIXTURE_BLOCKS); /* the journal's own */
    assert_tag_refused(hostile, hostile->fixture.extents[0].disk_block);
    close_hostile(hostile);
}

static void journal_replay__revoke_count_at_its_limits__bounded(void **state)
{
    static const u32 counts[] = { 0,    15,   16,         17,         1020,
                                  1021, 1024, 0x7FFFFFFF, 0x80000000, UINT32_MAX };
    (void)state;
    for (size_t which = 0; which < 3; which++) {
        struct hostile *hostile = open_hostile(which);
        u32 end = journal_has_checksums(&hostile->layout) ? 1020 : 1024;
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            restore(hostile);
            u8 *raw = log_block(hostile, 13); /* behind descriptor, ten copies, commit */
            assert_int_equal(get_be32(raw + 4), JOURNAL_REVOKE);
            put_be32(raw + JOURNAL_HEADER_SIZE, counts[i]);
            reseal(hostile, raw);
            assert_int_equal(mount_bounded(hostile, false),
                             counts[i] > end ? ERR_CORRUPT : OK);
        }
        close_hostile(hostile);
    }
}

/* Changes some bytes of a few blocks of the journal, with checksums that fit. */
static void mutate(struct hostile *hostile, u64 *seed)
{
    for (u64 blocks = 1 + random_next(seed) % 3; blocks > 0; blocks--) {
        u32 at = (u32)(random_next(seed) % 28);
        u8 *raw = log_block(hostile, at);
        for (u64 changes = 1 + random_next(seed) % 6; changes > 0; changes--) {
            u64 draw = random_next(seed) >> 8;
            size_t where = draw % (draw & 1 ? 64 : BLOCK);
            raw[where] = draw & 2 ? (u8)(draw >> 16) : (draw & 4 ? 0xFF : 0);
        }
        if (at == 0)
            journal_fixture_reseal(&hostile->fixture);
        else if (random_next(seed) % 4)
            reseal(hostile, raw);
    }
}

static void journal_replay__random_damage_with_right_checksums__bounded(void **state)
{
    (void)state;
    for (size_t which = 0; which < 3; which++) {
        struct hostile *hostile = open_hostile(which);
        u64 seed = 4711 + which;
        size_t mounted = 0;
        for (int mutant = 0; mutant < MUTANTS; mutant++) {
            restore(hostile);
            mutate(hostile, &seed);
            mounted += mount_bounded(hostile, mutant % 4 == 0) == OK;
        }
        print_message("    %zu of %d damaged journals mounted\n", mounted, MUTANTS);
        assert_true(mounted > 0 && mounted < MUTANTS);
        close_hostile(hostile);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_open__each_field_at_its_limits__a_status_of_ours),
        cmocka_unit_test(journal_open__what_we_cannot__is_refused_by_name),
        cmocka_unit_test(journal_open__checksum_of_the_superblock_wrong__is_corrupt),
        cmocka_unit_test(journal_replay__fast_commits_that_matter__are_refused),
        cmocka_unit_test(journal_open__extents_that_cannot_be__are_corrupt),
        cmocka_unit_test(journal_replay__tag_outside_or_in_the_journal__is_corrupt),
        cmocka_unit_test(journal_replay__revoke_count_at_its_limits__bounded),
        cmocka_unit_test(journal_replay__random_damage_with_right_checksums__bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
