/*
 * Files of the original program: read as they are, with both of its hashes, and nothing else taken for
 * them. tests/data/reference holds two archives that it wrote.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "snapper/archive.h"
#include "snapper/reference.h"
#include "snapper/xxh32.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { PAGE = 4096 };

/* The generator of the pages in the original's trees. */
static void make_page(u64 id, u64 version, u8 *page)
{
    u64 state = (id << 32) + version;

    for (size_t at = 0; at < PAGE; at += 8) {
        state += 0x9E3779B97F4A7C15;
        u64 word = state;
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9;
        word = (word ^ word >> 27) * 0x94D049BB133111EB;
        put_le64(page + at, word ^ word >> 31);
    }
}

static u8 *read_data(const char *name, size_t *size)
{
    char path[100];
    static u8 bytes[20000];

    snprintf(path, sizeof path, "tests/data/reference/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    *size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    return bytes;
}

static void xxh32__pages_whose_hash_the_original_wrote__agree(void **state)
{
    (void)state;
    static const struct {
        u64 id, version;
        u32 hash;
    } cases[] = {
        { 212, 1, 0x2b16e339 },  { 1, 63402, 0xc3c50769 },  { 1, 74170, 0xc3c50769 },
        { 1, 4017, 0xe2260790 }, { 1, 153079, 0xe2260790 }, { 1, 113531, 0x5281950d },
    };
    u8 page[PAGE];

    assert_int_equal(xxh32("", 0), 0x02CC5D05);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        make_page(cases[i].id, cases[i].version, page);
        assert_int_equal(xxh32(page, PAGE), cases[i].hash);
    }
}

static void reference_archive_decode__as_the_original_wrote_it__is_read(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        enum reference_hash hash;
        u64 count;
    } cases[] = { { "archive-xxh32", REFERENCE_XXH32, 1 },
                  { "archive-crc32", REFERENCE_CRC32, 20 } };

    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct reference_archive archive;
        struct reference_record record;
        const char *why;
        size_t size;
        u8 *raw = read_data(cases[i].file, &size);

        assert_int_equal(reference_archive_decode(raw, size, &archive, &why), OK);
        assert_int_equal(archive.hash, cases[i].hash);
        assert_int_equal(archive.count, cases[i].count);
        for (u64 k = 0; k < archive.count; k++) {
            char path[64];
            assert_int_equal(reference_archive_record(&archive, k, &record), OK);
            assert_int_equal(record.key, k + 1);
            snprintf(path, sizeof path, "2025-06-15 15:06:40/snapshot/0x%x",
                     (unsigned)k + 1);
            assert_string_equal(record.path, path);
        }
        assert_int_equal(reference_archive_record(&archive, archive.count, &record),
                         ERR_NOT_FOUND);
    }
}

static void reference_archive_decode__truncated_or_flipped__is_refused(void **state)
{
    (void)state;
    struct reference_archive archive;
    const char *why;
    size_t size;
    u8 *raw = read_data("archive-xxh32", &size);

    for (size_t length = 0; length < size; length++)
        assert_int_not_equal(reference_archive_decode(raw, length, &archive, &why), OK);
    for (size_t at = 0; at < size; at++) {
        raw[at] ^= 0x10;
        assert_int_not_equal(reference_archive_decode(raw, size, &archive, &why), OK);
        raw[at] ^= 0x10;
    }
    assert_int_equal(reference_archive_decode(raw, size, &archive, &why), OK);
}

/* With a right hash, too, a path must not lead anywhere else. */
static void reference_archive_record__path_out_of_the_tree__is_refused(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",
        "/etc/passwd",
        "../../etc/passwd",
        "2025-06-15 15:06:40/snapshot/../../x",
        "2025-06-15 15:06:40/snapshot/ext/../0x1",
        "2025-06-15 15:06:40/snapshot/",
        "2025-06-15 15:06:40/archive",
        "2025-13-15 15:06:40/snapshot/0x1",
        "2025-06-15T15:06:40/snapshot/0x1",
        "2025-06-15 15:06:40/snapshot/0x",
        "2025-06-15 15:06:40/snapshot/0x1/0x2",
    };
    struct reference_archive archive;
    struct reference_record record;
    const char *why;
    size_t size;
    u8 *raw = read_data("archive-xxh32", &size);

    for (size_t i = 0; i < ARRAY_LENGTH(paths) + 1; i++) {
        memset(raw + 21, 'x', REFERENCE_PATH_SIZE);
        if (i < ARRAY_LENGTH(paths))
            memcpy(raw + 21, paths[i], strlen(paths[i]) + 1);
        put_le32(raw + 1, xxh32(raw + 13, size - 13));
        assert_int_equal(reference_archive_decode(raw, size, &archive, &why), OK);
        assert_int_equal(reference_archive_record(&archive, 0, &record), ERR_CORRUPT);
    }
}

static void reference_file_decode__either_hash__is_checked(void **state)
{
    (void)state;
    struct reference_file file;
    u8 raw[6 + 3] = { 2, 0, 0, 0, 0, 7, 'a', 'b', 'c' };

    put_le32(raw + 1, xxh32("abc", 3));
    assert_int_equal(reference_file_decode(raw, 9, REFERENCE_XXH32, &file), OK);
    assert_int_equal(file.rc, 7);
    assert_int_equal(file.size, 3);
    assert_memory_equal(file.data, "abc", 3);
    assert_int_equal(reference_file_decode(raw, 9, REFERENCE_CRC32, &file), ERR_CORRUPT);
    assert_int_equal(reference_file_decode(raw, 8, REFERENCE_XXH32, &file), ERR_CORRUPT);
    assert_int_equal(reference_file_decode(raw, 5, REFERENCE_XXH32, &file), ERR_CORRUPT);
    raw[0] = 3;
    assert_int_equal(reference_file_decode(raw, 9, REFERENCE_XXH32, &file),
                     ERR_UNSUPPORTED);
    put_le32(raw + 1, 0x352441c2); /* CRC-32 of "abc" */
    raw[0] = 2;
    assert_int_equal(reference_file_decode(raw, 9, REFERENCE_CRC32, &file), OK);
}

static void reference_name_decode__its_form_alone__is_accepted(void **state)
{
    (void)state;
    u64 time;

    assert_true(reference_name_decode("1970-01-01 00:00:01", &time));
    assert_int_equal(time, 1000000);
    assert_false(reference_name_decode("1970-01-01T00:00:01", &time));
    assert_false(reference_name_decode("1970-01-01 00:00:01.000000Z", &time));
    assert_false(reference_name_decode("1970-02-30 00:00:01", &time));
    assert_false(reference_name_decode("", &time));
}

/* Neither program's archive passes for the other's. */
static void archive_decode__an_archive_of_the_original__is_refused(void **state)
{
    (void)state;
    struct archive archive;
    const char *why;
    size_t size;
    u8 *raw = read_data("archive-crc32", &size);

    assert_int_not_equal(archive_decode(raw, size, &archive, &why), OK);
    raw = read_data("archive-xxh32", &size);
    assert_int_not_equal(archive_decode(raw, size, &archive, &why), OK);
}

static void snapper_open__tree_of_the_original__is_named_and_left_alone(void **state)
{
    (void)state;
    struct snapper_cleanup_report cleanup;
    struct fixture fixture;
    size_t size;
    u8 *raw = read_data("archive-xxh32", &size);

    fixture_open(&fixture, NULL, 1);
    ram_store_put(fixture.ram, "/snapper/2025-06-15 15:06:40/archive", raw, size);
    ram_store_put(fixture.ram, "/snapper/2025-06-15 16:06:40/snapshot", NULL, 0);
    port_host_clear_log();
    fixture_reopen(&fixture);
    assert_true(port_host_logged("2 generations of the original"));
    assert_int_equal(snapper_generation_count(fixture.snapper), 0);
    assert_int_equal(open_generation(fixture.snapper, NULL), ERR_NOT_FOUND);
    commit_pages(&fixture, 0, 3, 64, 1, NULL);
    assert_int_equal(snapper_cleanup(fixture.snapper, &cleanup), OK);
    assert_true(ram_store_exists(fixture.ram, "/snapper/2025-06-15 15:06:40/archive"));
    assert_true(ram_store_exists(fixture.ram, "/snapper/2025-06-15 16:06:40/snapshot"));
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(xxh32__pages_whose_hash_the_original_wrote__agree),
        cmocka_unit_test(reference_archive_decode__as_the_original_wrote_it__is_read),
        cmocka_unit_test(reference_archive_decode__truncated_or_flipped__is_refused),
        cmocka_unit_test(reference_archive_record__path_out_of_the_tree__is_refused),
        cmocka_unit_test(reference_file_decode__either_hash__is_checked),
        cmocka_unit_test(reference_name_decode__its_form_alone__is_accepted),
        cmocka_unit_test(archive_decode__an_archive_of_the_original__is_refused),
        cmocka_unit_test(snapper_open__tree_of_the_original__is_named_and_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
