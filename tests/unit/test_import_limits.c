/*
 * Imports that are larger than what is held in memory at once, or than what a transaction takes: the same
 * generation arrives all the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "snapper/import_files.h"
#include "snapper/transfer.h"
#include "snapper/verify.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { STREAM_MAX = 40 * MIB };

struct memory_stream {
    struct stream_output output;
    struct stream_input input;
    u8 *bytes;
    size_t size, at;
};

static struct fixture source, target;
static struct memory_stream stream;

static enum status write_memory(struct stream_output *output, const void *data,
                                size_t size)
{
    (void)output;
    assert_true(stream.size + size <= STREAM_MAX);
    memcpy(stream.bytes + stream.size, data, size);
    stream.size += size;
    return OK;
}

static enum status read_memory(struct stream_input *input, void *data, size_t size,
                               size_t *got)
{
    (void)input;
    *got = size < stream.size - stream.at ? size : stream.size - stream.at;
    memcpy(data, stream.bytes + stream.at, *got);
    stream.at += *got;
    return OK;
}

static int set_up(void **state)
{
    (void)state;
    port_host_set_time(1795246200000000);
    fixture_open(&source, NULL, 1);
    source.config.bufsize = 32 * MIB;
    fixture_open(&target, NULL, 2);
    stream = (struct memory_stream){ .output.write = write_memory };
    stream.bytes = malloc(STREAM_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(stream.bytes);
    fixture_close(&source);
    fixture_close(&target);
    port_host_set_time(0);
    return 0;
}

/* What the source has arrives, and is sound. */
static void send(const char *name, const char *base)
{
    struct snapper_transfer_report report;
    struct snapper_verify_report found;

    stream.size = stream.at = 0;
    stream.output = (struct stream_output){ .write = write_memory };
    stream.input = (struct stream_input){ .read = read_memory };
    assert_int_equal(snapper_export(source.snapper, name, base, &stream.output, &report),
                     OK);
    assert_int_equal(snapper_import(target.snapper, &stream.input, &report), OK);
    assert_int_equal(snapper_verify(target.snapper, NULL, &found), OK);
    assert_true(snapper_verify_is_clean(&found));
}

static void import__object_larger_than_a_batch__arrives(void **state)
{
    (void)state;
    enum { SIZE = IMPORT_BYTES_MAX + 1000 };
    struct generation_name name = commit_pages(&source, 7, 2, SIZE, 1, NULL);

    send(name.text, NULL);
    assert_pages(&target, name.text, 7, 2, SIZE, 1);
}

static void import__more_files_than_a_batch__arrive(void **state)
{
    (void)state;
    enum { COUNT = IMPORT_FILES_MAX + 100 };
    struct generation_name name = commit_pages(&source, 0, COUNT, 50, 1, NULL);

    send(name.text, NULL);
    assert_pages(&target, name.text, 0, COUNT, 50, 1);
}

/* Copies of what the base has are made where it arrives, more than a batch of them. */
static void import__more_copies_than_a_batch__arrive(void **state)
{
    (void)state;
    enum { COUNT = IMPORT_FILES_MAX + 100 };
    source.config.redundancy = 1;
    struct generation_name base = commit_pages(&source, 0, COUNT, 50, 1, NULL);
    struct generation_name next = commit_pages(&source, COUNT, 2, 50, 1, NULL);
    struct generation_name last = commit_pages(&source, COUNT + 2, 2, 50, 1, NULL);

    send(base.text, NULL);
    send(next.text, base.text);
    send(last.text, next.text);
    assert_pages(&target, last.text, 0, COUNT + 4, 50, 1);
}

static void import__transactions_of_a_few_files__is_split(void **state)
{
    (void)state;
    enum { COUNT = 1500 };
    struct generation_name name = commit_pages(&source, 0, COUNT, 50, 1, NULL);

    for (u32 room = 60; room < 200; room += 20) {
        fixture_close(&target);
        fixture_open(&target, NULL, 2);
        ram_store_limits(target.ram)->transaction_room = room;
        ram_store_limits(target.ram)->room_slack = 20;
        send(name.text, NULL);
        ram_store_limits(target.ram)->transaction_room = UINT32_MAX / 2;
        assert_pages(&target, name.text, 0, COUNT, 50, 1);
    }
}

/* --- headers and ends that cannot be --- */

static enum status import_changed(size_t at, u8 bits)
{
    struct snapper_transfer_report report;

    stream.at = 0;
    stream.input = (struct stream_input){ .read = read_memory };
    stream.bytes[at] ^= bits;
    put_le32(stream.bytes + 52, crc32(stream.bytes, 52));
    enum status status = snapper_import(target.snapper, &stream.input, &report);
    stream.bytes[at] ^= bits;
    put_le32(stream.bytes + 52, crc32(stream.bytes, 52));
    return status;
}

/* The header's checksum is right each time. */
static void import__header_or_end_changed__is_refused(void **state)
{
    (void)state;
    struct snapper_transfer_report report;
    struct generation_name name = commit_pages(&source, 0, 3, 50, 1, NULL);

    assert_int_equal(
        snapper_export(source.snapper, name.text, NULL, &stream.output, &report), OK);
    for (size_t at = 8; at < 12; at++)
        assert_int_not_equal(import_changed(at, 2), OK);
    assert_int_not_equal(import_changed(35, 0x80), OK); /* an archive of 2 GiB */
    for (size_t back = 1; back <= 12; back++)
        assert_int_not_equal(import_changed(stream.size - back, 1), OK);
    assert_int_equal(import_changed(8, 0), OK);
    assert_pages(&target, name.text, 0, 3, 50, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(import__object_larger_than_a_batch__arrives,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(import__more_files_than_a_batch__arrive, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(import__more_copies_than_a_batch__arrive, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(import__header_or_end_changed__is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(import__transactions_of_a_few_files__is_split,
                                        set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
