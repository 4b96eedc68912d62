/* The worked example of snapper/FORMAT.md is what the code writes, to the byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/archive.h"
#include "snapper/snapshot_file.h"

static char *page; /* FORMAT.md */

static int read_page(void **state)
{
    (void)state;
    FILE *file = fopen("snapper/FORMAT.md", "r");
    if (!file)
        return -1;
    page = calloc(1, 1 << 17);
    size_t size = fread(page, 1, (1 << 17) - 1, file);
    fclose(file);
    return size > 0 ? 0 : -1;
}

static int free_page(void **state)
{
    (void)state;
    free(page);
    return 0;
}

/* As `hexdump -C` without the text column. */
static void assert_page_shows(const char *title, const u8 *bytes, size_t size)
{
    char dump[4096];
    size_t at = 0;

    for (size_t i = 0; i < size; i++) {
        if (i % 16 == 0)
            at += (size_t)sprintf(dump + at, "%s%08zx ", i ? "\n" : "", i);
        at += (size_t)sprintf(dump + at, " %02x", bytes[i]);
    }
    if (strstr(page, dump))
        return;
    print_message("%s should be\n%s\n", title, dump);
    fail();
}

static const char contents[3][5] = { "one\n", "two\n", "six\n" };

/* The checksum over the crc fields of files first ... last of the example. */
static u32 crc_of_files(size_t first, size_t last)
{
    u8 fields[12];
    for (size_t i = first; i <= last; i++)
        put_le32(fields + 4 * (i - first), crc32(contents[i], 4));
    return crc32(fields, 4 * (last - first + 1));
}

static void format__the_snapshot_file_of_the_example__is_what_is_written(void **state)
{
    (void)state;
    u8 raw[SNAPSHOT_FILE_HEADER_SIZE + 4];
    struct snapshot_file_header header = { crc32(contents[0], 4), 2 };

    snapshot_file_header_encode(&header, raw);
    memcpy(raw + SNAPSHOT_FILE_HEADER_SIZE, contents[0], 4);
    assert_page_shows("the snapshot file", raw, sizeof raw);
}

static void format__the_archive_of_the_example__is_what_is_written(void **state)
{
    (void)state;
    struct archive_generation generations[2] = { { .threshold = 2 },
                                                 { .threshold = 100 } };
    struct archive_run runs[3] = {
        { 256, 2, 4, 1, 0, crc_of_files(0, 1), 3, 0 },
        { 512, 1, 4, 0, 0, crc_of_files(2, 2), 1, 0 },
        { 512, 1, 4, 1, 2, crc_of_files(2, 2), 3, 1 },
    };
    struct archive archive = { .objects = 3,
                               .files_written = 1,
                               .generations = generations,
                               .generation_count = 2,
                               .runs = runs,
                               .run_count = 3,
                               .description = "example" };
    u8 *raw;
    size_t size;

    assert_true(text_copy(generations[0].name.text, sizeof generations[0].name.text,
                          "2026-11-21T07:31:00.000000Z"));
    assert_true(text_copy(generations[1].name.text, sizeof generations[1].name.text,
                          "2026-11-21T07:30:00.123456Z"));
    archive.parent = generations[1].name;
    assert_int_equal(archive_encode(&archive, &raw, &size), OK);
    assert_page_shows("the archive", raw, size);
    port_free(raw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(format__the_snapshot_file_of_the_example__is_what_is_written),
        cmocka_unit_test(format__the_archive_of_the_example__is_what_is_written),
    };
    return cmocka_run_group_tests(tests, read_page, free_page);
}
