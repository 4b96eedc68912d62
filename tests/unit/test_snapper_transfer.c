/*
 * Generations as streams: what arrives is what left, whatever breaks on the way is refused or gone on
 * with, and nothing is left behind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/archive.h"
#include "snapper/retention.h"
#include "snapper/transfer.h"
#include "tests/support/memory_stream.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"
#include "tests/support/stream_fuzz.h"

enum { SIZE = 64, PAGES = 40 };

static struct fixture source, target;
static struct generation_name first, second, third;
static struct memory_stream full, increment;
static struct snapper_transfer_report report;

static void export_to(struct memory_stream *stream, const char *name, const char *base)
{
    assert_int_equal(
        snapper_export(source.snapper, name, base, memory_stream_write(stream), &report),
        OK);
}

static enum status import_from(struct memory_stream *stream)
{
    return snapper_import(target.snapper, memory_stream_read(stream), &report);
}

static int set_up(void **state)
{
    (void)state;
    port_host_set_time(1795246200000000);
    fixture_open(&source, NULL, 1);
    source.config.threshold = 7;
    source.config.redundancy = 2;
    first = commit_pages(&source, 0, PAGES, SIZE, 1, NULL);
    second = commit_pages(&source, 0, PAGES / 2, SIZE, 2, NULL);
    third = commit_pages(&source, 100, 3, SIZE, 3, NULL); /* with copies of the rest */
    export_to(&full, second.text, NULL);
    export_to(&increment, third.text, second.text);
    fixture_open(&target, NULL, 2);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&source);
    fixture_close(&target);
    port_host_set_time(0);
    return 0;
}

static void assert_second_is_here(void)
{
    assert_pages(&target, second.text, 0, PAGES / 2, SIZE, 2);
    assert_pages(&target, second.text, PAGES / 2, PAGES / 2, SIZE, 1);
}

static void assert_sound_when_settled(void)
{
    struct snapper_cleanup_report cleanup;
    u64 changed;

    assert_int_equal(snapper_cleanup(target.snapper, &cleanup), OK);
    assert_int_equal(snapper_settle(target.snapper, &changed), OK);
    assert_tree_is_sound(target.ram, true);
}

static void export__whole_generation__each_content_once(void **state)
{
    (void)state;
    export_to(&full, third.text, NULL);
    assert_int_equal(report.objects, PAGES + 3);
    assert_int_equal(report.bytes, (PAGES + 3) * SIZE);
    assert_true(full.size < (PAGES + 3) * (SIZE + STREAM_OBJECT_SIZE) + 500);
}

static void export__increment__only_what_the_base_has_not(void **state)
{
    (void)state;
    assert_true(increment.size < 3 * (SIZE + STREAM_OBJECT_SIZE) + 500);
    assert_int_equal(
        snapper_export(source.snapper, "no such time", NULL, &full.output, &report),
        ERR_NOT_FOUND);
    assert_int_equal(
        snapper_export(source.snapper, second.text, "x", &full.output, &report),
        ERR_NOT_FOUND);
}

static void import__whole_then_increment__same_pages_after_a_cut_too(void **state)
{
    (void)state;
    assert_int_equal(import_from(&full), OK);
    assert_string_equal(report.name.text, second.text);
    assert_int_equal(report.files, PAGES);
    fixture_crash(&target);
    assert_second_is_here();
    assert_int_equal(import_from(&increment), OK);
    assert_string_equal(report.base.text, second.text);
    assert_int_equal(report.objects, 3);
    fixture_crash(&target);
    assert_pages(&target, third.text, 100, 3, SIZE, 3);
    assert_pages(&target, third.text, PAGES / 2, PAGES / 2, SIZE, 1);
    assert_second_is_here();
    assert_sound_when_settled();
}

static void import__into_its_own_image__is_there(void **state)
{
    (void)state;
    struct fixture own = target;

    target = source;
    assert_int_equal(import_from(&full), OK);
    assert_true(report.was_there);
    target = own;
}

static void import__base_missing_or_another__is_refused(void **state)
{
    (void)state;
    assert_int_equal(import_from(&increment), ERR_NOT_FOUND);
    assert_int_equal(snapper_generation_count(target.snapper), 0);
    assert_false(ram_store_exists(target.ram, "/snapper"));

    /* One of the same name with other pages. */
    port_host_set_time(1795246200000000);
    for (size_t i = 0; i < 2; i++)
        commit_pages(&target, 0, 3, SIZE, 77, NULL);
    assert_true(port_host_logged(""));
    assert_int_equal(import_from(&increment), ERR_NOT_FOUND);
    assert_int_equal(import_from(&full), ERR_EXISTS);
    assert_int_equal(snapper_generation_count(target.snapper), 2);
}

static void import__every_truncation__is_refused_then_gone_on_with(void **state)
{
    (void)state;
    size_t whole = full.size;

    for (full.size = 0; full.size < whole; full.size += 1 + full.size / 40)
        assert_int_equal(import_from(&full), ERR_CORRUPT);
    assert_int_equal(snapper_generation_count(target.snapper), 0);
    full.size = whole;
    assert_int_equal(import_from(&full), OK);
    assert_true(report.present > PAGES / 2);
    assert_second_is_here();
    assert_sound_when_settled();
}

static void import__every_byte_flipped__is_refused(void **state)
{
    (void)state;
    for (size_t at = 0; at < full.size; at += at < 400 ? 1 : 29) {
        full.bytes[at] ^= 0x21;
        assert_int_not_equal(import_from(&full), OK);
        full.bytes[at] ^= 0x21;
        assert_int_equal(snapper_generation_count(target.snapper), 0);
    }
    assert_int_equal(import_from(&full), OK);
    assert_second_is_here();
    assert_sound_when_settled();
}

static void import__given_up__cleanup_leaves_nothing(void **state)
{
    (void)state;
    struct snapper_cleanup_report cleanup;

    full.size /= 2;
    assert_int_equal(import_from(&full), ERR_CORRUPT);
    fixture_crash(&target);
    assert_int_equal(snapper_cleanup(target.snapper, &cleanup), OK);
    assert_int_equal(cleanup.generations, 1); /* nothing of the other came in yet */
    assert_true(cleanup.files > 10);
    assert_sound_when_settled();
    char path[64];
    snprintf(path, sizeof path, "/snapper/%s", second.text);
    assert_false(ram_store_exists(target.ram, path));
}

static void import__power_cut_after_each_commit__goes_on_and_is_whole(void **state)
{
    (void)state;
    bool cut = true;

    for (u64 commits = 1; cut; commits++) {
        ram_store_fail_after_commit(target.ram, commits);
        cut = import_from(&full) != OK;
        fixture_crash(&target);
        assert_true(commits < 20);
        if (snapper_generation_count(target.snapper) > 0)
            break;
    }
    assert_int_equal(import_from(&full), OK);
    assert_second_is_here();
    assert_sound_when_settled();
}

static void import__each_operation_fails__nothing_half_and_again_works(void **state)
{
    (void)state;
    for (u64 nth = 1;; nth++) {
        ram_store_fail(target.ram, nth, ERR_IO, false);
        enum status status = import_from(&full);
        ram_store_fail(target.ram, 0, OK, false);
        if (status == OK)
            break;
        assert_true(nth < 5000);
        if (snapper_generation_count(target.snapper) > 0)
            assert_second_is_here();
        if (nth % 7 == 0)
            fixture_crash(&target);
    }
    assert_int_equal(import_from(&full), OK);
    assert_second_is_here();
    assert_sound_when_settled();
}

static void import__each_allocation_fails__nothing_half_and_again_works(void **state)
{
    (void)state;
    for (u64 nth = 1;; nth++) {
        port_host_fail_allocation(nth, false);
        enum status status = import_from(&full);
        port_host_fail_allocation(0, false);
        if (status == OK)
            break;
        assert_int_equal(status, ERR_NO_MEMORY);
        assert_true(nth < 5000);
    }
    assert_second_is_here();
    assert_sound_when_settled();
}

static void import__no_space__is_refused_and_works_once_there_is(void **state)
{
    (void)state;
    for (u64 nodes = 40; nodes < 54;
         nodes += 3) { /* files, directories, archive, state */
        ram_store_limits(target.ram)->total_nodes = nodes;
        assert_int_equal(import_from(&full), ERR_NO_SPACE);
        assert_int_equal(snapper_generation_count(target.snapper), 0);
    }
    ram_store_limits(target.ram)->total_nodes = 1000;
    assert_int_equal(import_from(&full), OK);
    assert_second_is_here();
    assert_sound_when_settled();
}

static void import__small_transactions__is_split(void **state)
{
    (void)state;
    ram_store_limits(target.ram)->transaction_room = 90;
    assert_int_equal(import_from(&full), OK);
    assert_second_is_here();
    assert_sound_when_settled();
}

static void import__another_file_in_its_place__is_refused_and_stays(void **state)
{
    (void)state;
    char path[80];
    size_t size, file_size;

    snprintf(path, sizeof path, "/snapper/%s/snapshot/0003", first.text);
    const u8 *raw = ram_store_bytes(source.ram, path, &file_size);
    u8 other[SIZE + 6];
    assert_int_equal(file_size, sizeof other);
    memcpy(other, raw, sizeof other);
    snprintf(path, sizeof path, "/snapper/%s/snapshot/0004", first.text);
    ram_store_put(target.ram, path, other, sizeof other); /* valid, but number 3 */
    fixture_reopen(&target);
    export_to(&full, first.text, NULL);
    assert_int_equal(import_from(&full), ERR_EXISTS);
    assert_memory_equal(ram_store_bytes(target.ram, path, &size), other, sizeof other);
}

static void import__damaged_file_in_its_place__is_rewritten(void **state)
{
    (void)state;
    char path[80];

    snprintf(path, sizeof path, "/snapper/%s/snapshot/0004", first.text);
    ram_store_put(target.ram, path, "\2damaged", 8);
    fixture_reopen(&target);
    export_to(&full, first.text, NULL);
    assert_int_equal(import_from(&full), OK);
    assert_pages(&target, first.text, 0, PAGES, SIZE, 1);
}

static void import__while_a_snapshot_is_made__is_refused(void **state)
{
    (void)state;
    assert_int_equal(init_snapshot(target.snapper, NULL), OK);
    assert_int_equal(import_from(&full), ERR_INVALID_STATE);
    assert_int_equal(abort_snapshot(target.snapper), OK);
}

/* Room for what is there already was never made for a first object of no bytes, and missed. */
static void import__empty_object_is_there__is_gone_on_with(void **state)
{
    (void)state;
    assert_int_equal(import_from(&full), OK);
    struct generation_name empty = commit_pages(&source, 0, 1, 0, 7, NULL);
    export_to(&increment, empty.text, NULL);
    increment.size -= 4;
    assert_int_equal(import_from(&increment), ERR_CORRUPT);
    increment.size += 4;
    assert_int_equal(import_from(&increment), OK);
}

/* What a header promises costs nothing before it has come. */
static void import__archive_said_to_be_huge__is_refused_at_once(void **state)
{
    (void)state;
    put_le32(full.bytes + 32, STREAM_ARCHIVE_MAX);
    put_le32(full.bytes + 52, crc32(full.bytes, 52));
    port_host_measure();
    u64 before = port_host_peak_bytes();
    assert_int_not_equal(import_from(&full), OK);
    assert_true(port_host_peak_bytes() - before < 16 * MIB);
}

/* Changes what a stream says of the threshold of a generation that its archive names. */
static void forge_threshold(struct memory_stream *stream,
                            const struct generation_name *name, u32 threshold)
{
    u8 *archive = stream->bytes + STREAM_HEADER_SIZE;
    u8 *table = archive + 41 + archive[11];
    u64 time;

    assert_true(generation_name_decode(name->text, &time));
    for (u32 i = 1; i < get_le32(archive + 13); i++)
        if (get_le64(table + 12 * i) == time)
            put_le32(table + 12 * i + 8, threshold);
    stream_seal(stream->bytes, stream->size);
}

/* It was believed, and unreadable from then on: nothing could be deleted or settled any more. */
static void import__threshold_of_another_is_wrong__is_refused(void **state)
{
    (void)state;
    assert_int_equal(import_from(&full), OK);
    assert_int_equal(import_from(&increment), OK);
    source.config.redundancy =
        0; /* so that few files are written, all in one directory */
    struct generation_name small = commit_pages(&source, 500, 3, SIZE, 9, NULL);
    export_to(&increment, small.text, third.text);
    assert_int_equal(import_from(&increment), OK);
    struct generation_name next = commit_pages(&source, 600, 1, SIZE, 9, NULL);
    export_to(&increment, next.text, small.text);
    forge_threshold(&increment, &small, 100);
    fixture_reopen(&target);
    assert_int_equal(import_from(&increment), ERR_CORRUPT);
    assert_sound_when_settled();
}

/* `increment`: a generation whose one object of 10 bytes lies in that file of `second`. */
static void forge_increment(u32 ordinal)
{
    static u8 content[10];
    struct generation_name forged;
    u64 time;
    assert_true(generation_name_decode(second.text, &time));
    assert_int_equal(generation_name_encode(time + 1000, &forged), OK);
    struct archive_generation table[] = { { forged, 7 }, { second, 7 } };
    struct archive_run run = { .count = 1,
                               .object_size = sizeof content,
                               .generation = 1,
                               .first_ordinal = ordinal };
    struct archive archive = { .generations = table,
                               .generation_count = 2,
                               .runs = &run,
                               .run_count = 1,
                               .objects = 1 };
    struct stream_header header = {
        .time = time + 1000, .base = STREAM_NO_BASE, .objects = 1, .bytes = sizeof content
    };
    u8 *raw;
    size_t size;
    assert_int_equal(archive_encode(&archive, &raw, &size), OK);
    header.archive_size = (u32)size;
    memory_stream_write(&increment);
    assert_int_equal(stream_write_header(&increment.output, &header), OK);
    assert_int_equal(stream_write(&increment.output, raw, size), OK);
    assert_int_equal(stream_write_object(&increment.output, 0, content, sizeof content),
                     OK);
    assert_int_equal(stream_write_end(&increment.output), OK);
    port_free(raw);
}

/*
 * The file holds a page of a generation that is here: it was taken for a damaged one and rewritten.
 */
static void import__valid_file_of_another_size_in_its_place__stays(void **state)
{
    (void)state;
    assert_int_equal(import_from(&full), OK);
    forge_increment(3);
    assert_int_equal(import_from(&increment), ERR_EXISTS);
    assert_second_is_here();
}

/* It was put among the files of a generation that is here, and stayed when the import had failed. */
static void import__file_that_its_generation_does_not_list__is_refused(void **state)
{
    (void)state;
    assert_int_equal(import_from(&full), OK);
    forge_increment(4000);
    port_host_clear_log();
    assert_int_equal(import_from(&increment), ERR_EXISTS);
    assert_true(port_host_logged("file number 4000"));
    assert_sound_when_settled();
    assert_second_is_here();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(export__whole_generation__each_content_once),
        TEST(export__increment__only_what_the_base_has_not),
        TEST(import__whole_then_increment__same_pages_after_a_cut_too),
        TEST(import__into_its_own_image__is_there),
        TEST(import__base_missing_or_another__is_refused),
        TEST(import__every_truncation__is_refused_then_gone_on_with),
        TEST(import__every_byte_flipped__is_refused),
        TEST(import__given_up__cleanup_leaves_nothing),
        TEST(import__power_cut_after_each_commit__goes_on_and_is_whole),
        TEST(import__each_operation_fails__nothing_half_and_again_works),
        TEST(import__each_allocation_fails__nothing_half_and_again_works),
        TEST(import__no_space__is_refused_and_works_once_there_is),
        TEST(import__small_transactions__is_split),
        TEST(import__another_file_in_its_place__is_refused_and_stays),
        TEST(import__damaged_file_in_its_place__is_rewritten),
        TEST(import__while_a_snapshot_is_made__is_refused),
        TEST(import__empty_object_is_there__is_gone_on_with),
        TEST(import__threshold_of_another_is_wrong__is_refused),
        TEST(import__valid_file_of_another_size_in_its_place__stays),
        TEST(import__file_that_its_generation_does_not_list__is_refused),
        TEST(import__archive_said_to_be_huge__is_refused_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
