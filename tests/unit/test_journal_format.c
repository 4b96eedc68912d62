/* The blocks of the journal, byte by byte, in each layout that features make. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/fs/jbd2/journal_format.h"
#include "tests/support/ram_disk.h"

enum { SEQUENCE = 0x01020304, TAGS_MAX = 512, BLOCK_MAX = 4096 };

/* Where the parts of a tag lie; 0: not there. From the format's description, not from the code. */
struct expected_layout {
    struct journal_layout layout;
    size_t tag_size, flags_at, flags_size, high_at, checksum_at, checksum_size;
};

static const struct expected_layout layouts[] = {
    { { .checksum_v3 = true, .wide = true }, 16, 4, 4, 8, 12, 4 },
    { { .checksum_v3 = true }, 16, 4, 4, 0, 12, 4 },
    { { .checksum_v2 = true, .wide = true }, 14, 6, 2, 8, 4, 2 },
    { { .checksum_v2 = true }, 10, 6, 2, 0, 4, 2 },
    { { .wide = true }, 12, 6, 2, 8, 0, 0 },
    { { .wide = false }, 8, 6, 2, 0, 0, 0 },
};

static u64 get_be(const u8 *raw, size_t size)
{
    u64 value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | raw[i];
    return value;
}

static void for_each_layout(void (*check)(const struct expected_layout *expected))
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++) {
        for (u32 block_size = 1024; block_size <= BLOCK_MAX; block_size *= 2) {
            struct expected_layout expected = layouts[i];
            expected.layout.block_size = block_size;
            expected.layout.seed = 0x5EED0000 + block_size;
            memset(expected.layout.uuid, 0xAB, 16);
            check(&expected);
        }
    }
}

static bool has_checksums(const struct expected_layout *expected)
{
    return expected->checksum_size > 0;
}

static u32 make_tags(const struct expected_layout *expected, struct journal_tag *tags)
{
    u32 count = journal_tags_per_block(&expected->layout);
    u64 seed = 99;
    assert_true(count < TAGS_MAX);
    for (u32 i = 0; i < count; i++) {
        u64 block = random_next(&seed) >> (expected->layout.wide ? 16 : 32);
        u32 checksum = (u32)random_next(&seed);
        tags[i] = (struct journal_tag){
            block, i % 3 == 1,
            has_checksums(expected)
                ? (expected->checksum_size == 2 ? checksum & 0xFFFF : checksum)
                : 0
        };
    }
    return count;
}

/* One tag against the table. */
static void check_tag_bytes(const struct expected_layout *expected, const u8 *raw,
                            const struct journal_tag *tag, u64 flags)
{
    assert_true(get_be32(raw) == (u32)tag->block);
    assert_true(get_be(raw + expected->flags_at, expected->flags_size) == flags);
    if (expected->high_at)
        assert_true(get_be32(raw + expected->high_at) == tag->block >> 32);
    if (has_checksums(expected))
        assert_true(get_be(raw + expected->checksum_at, expected->checksum_size) ==
                    tag->checksum);
}

static void check_descriptor_bytes(const struct expected_layout *expected)
{
    u8 raw[BLOCK_MAX] = { 0 };
    struct journal_tag tags[TAGS_MAX];
    u32 count = make_tags(expected, tags);
    journal_descriptor_encode(&expected->layout, SEQUENCE, tags, count, raw);
    assert_true(get_be32(raw) == 0xC03B3998 && get_be32(raw + 4) == 1 &&
                get_be32(raw + 8) == SEQUENCE);
    size_t at = 12;
    for (u32 i = 0; i < count; i++) {
        u64 flags =
            (tags[i].escaped ? 1u : 0) | (i > 0 ? 2u : 0) | (i == count - 1 ? 8u : 0);
        check_tag_bytes(expected, raw + at, &tags[i], flags);
        at += expected->tag_size;
        if (i == 0) {
            assert_memory_equal(raw + at, expected->layout.uuid, 16);
            at += 16;
        }
    }
    size_t end = expected->layout.block_size - (has_checksums(expected) ? 4 : 0);
    assert_true(at <= end && at + expected->tag_size > end); /* one more would not fit */
}

static void journal_descriptor_encode__each_layout__the_bytes_of_the_format(void **state)
{
    (void)state;
    for_each_layout(check_descriptor_bytes);
}

static void check_descriptor_back(const struct expected_layout *expected)
{
    struct journal_tag tags[TAGS_MAX], tag;
    struct journal_tag_cursor cursor;
    u32 most = make_tags(expected, tags), type, sequence;
    for (u32 count = 1; count <= most; count += count < 3 ? 1 : most / 5) {
        u8 raw[BLOCK_MAX] = { 0 };
        journal_descriptor_encode(&expected->layout, SEQUENCE, tags, count, raw);
        assert_true(journal_header_decode(raw, &type, &sequence));
        assert_true(type == JOURNAL_DESCRIPTOR && sequence == SEQUENCE);
        assert_true(journal_tail_is_valid(&expected->layout, raw));
        journal_tag_first(&cursor, &expected->layout, raw);
        for (u32 i = 0; i < count; i++) {
            assert_true(journal_tag_next(&cursor, &tag));
            assert_true(tag.block == tags[i].block && tag.escaped == tags[i].escaped &&
                        tag.checksum == tags[i].checksum);
        }
        assert_false(journal_tag_next(&cursor, &tag));
    }
}

static void journal_tag_next__what_was_encoded__comes_back(void **state)
{
    (void)state;
    for_each_layout(check_descriptor_back);
}

/* Every tag brings its UUID, no flag says that it is the last: the block's end does. */
static void check_endless_descriptor(const struct expected_layout *expected)
{
    u8 raw[BLOCK_MAX] = { 0 };
    struct journal_tag_cursor cursor;
    struct journal_tag tag;
    u32 count = 0;
    journal_tag_first(&cursor, &expected->layout, raw);
    while (journal_tag_next(&cursor, &tag))
        count++;
    size_t end = expected->layout.block_size - (has_checksums(expected) ? 4 : 0);
    size_t each = expected->tag_size + 16;
    assert_int_equal(count, (end - 12) / each + ((end - 12) % each >= each - 16));
}

static void journal_tag_next__no_last_tag__ends_with_the_block(void **state)
{
    (void)state;
    for_each_layout(check_endless_descriptor);
}

static void check_revokes(const struct expected_layout *expected)
{
    u8 raw[BLOCK_MAX] = { 0 };
    u64 blocks[1024];
    u32 size = expected->layout.wide ? 8 : 4, count;
    u32 most = journal_revokes_per_block(&expected->layout);
    u32 end = expected->layout.block_size - (has_checksums(expected) ? 4 : 0);
    assert_int_equal(most, (end - 16) / size);
    for (u32 i = 0; i < most; i++)
        blocks[i] = (expected->layout.wide ? 0x100000000ull : 0) + 7 * i;
    journal_revoke_encode(&expected->layout, SEQUENCE, blocks, most, raw);
    assert_true(get_be32(raw + 4) == 5 && get_be32(raw + 8) == SEQUENCE);
    assert_true(get_be32(raw + 12) == 16 + most * size);
    assert_true(get_be(raw + 16 + size, size) == blocks[1]);
    assert_true(journal_tail_is_valid(&expected->layout, raw));
    assert_int_equal(journal_revoke_count(&expected->layout, raw, &count), OK);
    assert_int_equal(count, most);
    for (u32 i = 0; i < most; i++)
        assert_true(journal_revoke_at(&expected->layout, raw, i) == blocks[i]);
}

static void journal_revoke_encode__each_layout__bytes_and_back(void **state)
{
    (void)state;
    for_each_layout(check_revokes);
}

static void check_commit(const struct expected_layout *expected)
{
    u8 raw[BLOCK_MAX] = { 0 };
    struct journal_commit_block commit;
    journal_commit_encode(&expected->layout, SEQUENCE, 1234567890654321, raw);
    assert_true(get_be32(raw + 4) == 2 && get_be32(raw + 8) == SEQUENCE);
    assert_true(get_be64(raw + 48) == 1234567890 && get_be32(raw + 56) == 654321000);
    journal_commit_decode(&expected->layout, raw, &commit);
    assert_true(commit.valid && commit.seconds == 1234567890);
    raw[expected->layout.block_size - 1] ^= 1;
    journal_commit_decode(&expected->layout, raw, &commit);
    assert_int_equal(commit.valid, !has_checksums(expected));
}

static void journal_commit_encode__each_layout__bytes_and_back(void **state)
{
    (void)state;
    for_each_layout(check_commit);
}

/* The seed, the field as zeros, the rest: computed here in one piece. */
static void check_tail(const struct expected_layout *expected)
{
    u8 raw[BLOCK_MAX] = { 0 };
    const struct journal_tag tag = { 5, false, 6 };
    size_t size = expected->layout.block_size;
    journal_descriptor_encode(&expected->layout, SEQUENCE, &tag, 1, raw);
    if (!has_checksums(expected)) {
        assert_true(get_be32(raw + size - 4) == 0);
        return;
    }
    u32 stored = get_be32(raw + size - 4);
    memset(raw + size - 4, 0, 4);
    assert_true(stored == crc32c_update(expected->layout.seed, raw, size));
    put_be32(raw + size - 4, stored);
    for (size_t bit = 0; bit < size * 8; bit += 61) {
        raw[bit / 8] ^= (u8)(1 << bit % 8);
        assert_false(journal_tail_is_valid(&expected->layout, raw));
        raw[bit / 8] ^= (u8)(1 << bit % 8);
    }
}

static void journal_tail_is_valid__any_bit_flipped__is_not(void **state)
{
    (void)state;
    for_each_layout(check_tail);
}

static void check_data(const struct expected_layout *expected)
{
    u8 data[BLOCK_MAX + 4] = { 0 };
    const struct journal_layout *layout = &expected->layout;
    put_be32(data, SEQUENCE);
    memset(data + 4, 0x3C, layout->block_size);
    u32 whole = crc32c_update(layout->seed, data, 4 + layout->block_size);
    u32 mask = expected->checksum_size == 4 ? ~0u : expected->checksum_size ? 0xFFFF : 0;
    struct journal_tag tag = { .checksum = whole & mask };
    assert_true(journal_data_checksum(layout, SEQUENCE, data + 4) == tag.checksum);
    assert_true(journal_tag_matches(layout, &tag, SEQUENCE, data + 4));
    assert_int_equal(journal_tag_matches(layout, &tag, SEQUENCE + 1, data + 4),
                     !has_checksums(expected));
    data[100] ^= 1;
    assert_int_equal(journal_tag_matches(layout, &tag, SEQUENCE, data + 4),
                     !has_checksums(expected));
}

static void journal_tag_matches__other_data_or_sequence__does_not(void **state)
{
    (void)state;
    for_each_layout(check_data);
}

static void journal_header_decode__no_magic__is_no_block_of_the_log(void **state)
{
    u8 raw[12] = { 0xC0, 0x3B, 0x39, 0x98, 0, 0, 0, 2, 0, 0, 0, 9 };
    u32 type, sequence;
    (void)state;
    assert_true(journal_header_decode(raw, &type, &sequence));
    assert_true(type == 2 && sequence == 9);
    raw[3] ^= 1;
    assert_false(journal_header_decode(raw, &type, &sequence));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal_descriptor_encode__each_layout__the_bytes_of_the_format),
        cmocka_unit_test(journal_tag_next__what_was_encoded__comes_back),
        cmocka_unit_test(journal_tag_next__no_last_tag__ends_with_the_block),
        cmocka_unit_test(journal_revoke_encode__each_layout__bytes_and_back),
        cmocka_unit_test(journal_commit_encode__each_layout__bytes_and_back),
        cmocka_unit_test(journal_tail_is_valid__any_bit_flipped__is_not),
        cmocka_unit_test(journal_tag_matches__other_data_or_sequence__does_not),
        cmocka_unit_test(journal_header_decode__no_magic__is_no_block_of_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
