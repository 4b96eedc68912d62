/*
 * What damaged images and fuzzers brought to light, each in its smallest form. None may come back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "snapper/archive.h"
#include "snapper/retention.h"
#include "snapper/verify.h"
#include "tests/support/port_host.h"
#include "tests/support/victim.h"

static struct victim victim;
static struct ext4 *fs;
static struct ext4_store store;

/* An image whose metadata has checksums, at work. */
static int set_up(void **state)
{
    (void)state;
    struct ext4_mount_options options = { .cache_capacity = 64 };

    victim_open(&victim, 1);
    assert_int_equal(ext4_mount(&victim.places.image.disk, &options, &fs), OK);
    ext4_store_init(&store, fs);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    ext4_drop(fs);
    victim_close(&victim);
    return 0;
}

static u32 resolve(const char *format, const char *name)
{
    char path[100];
    u32 inode;

    snprintf(path, sizeof path, format, name);
    assert_int_equal(ext4_resolve(fs, path, &inode), OK);
    return inode;
}

/* 256 MiB of holes were read into memory, from an image of 5 MiB. */
static void view_open__archive_is_a_hole__is_refused_at_once(void **state)
{
    (void)state;
    struct snapper *snapper;
    struct snapper_view *view;
    const char *name = victim.generations[2].text;

    assert_int_equal(ext4_truncate(fs, resolve("/snapper/%s/archive", name), 256 * MIB),
                     OK);
    assert_int_equal(snapper_open(&store.store, &victim.config, &snapper), OK);
    port_host_measure();
    u64 before = port_host_peak_bytes();
    port_host_clear_log();
    assert_int_equal(view_open(snapper, name, &view), ERR_CORRUPT);
    assert_true(port_host_logged(name));
    assert_true(port_host_peak_bytes() - before < MIB);
    snapper_close(snapper);
}

/* Each page of it would have been read into 4 GiB of memory. */
static void view_open__object_larger_than_the_disk__is_refused(void **state)
{
    (void)state;
    struct snapper *snapper;
    struct snapper_view *view;
    const struct generation_name *name = &victim.generations[2];
    struct archive_generation table[] = { { *name, 100 } };
    struct archive_run run = { .count = 1, .object_size = UINT32_MAX, .age = 1 };
    struct archive archive = { .generations = table,
                               .generation_count = 1,
                               .runs = &run,
                               .run_count = 1,
                               .objects = 1,
                               .files_written = 1 };
    u8 *raw;
    size_t size;
    u32 inode = resolve("/snapper/%s/archive", name->text);

    assert_int_equal(archive_encode(&archive, &raw, &size), OK);
    assert_int_equal(ext4_truncate(fs, inode, 0), OK);
    assert_int_equal(ext4_write(fs, inode, 0, raw, size), OK);
    port_free(raw);
    assert_int_equal(snapper_open(&store.store, &victim.config, &snapper), OK);
    port_host_clear_log();
    assert_int_equal(view_open(snapper, name->text, &view), ERR_CORRUPT);
    assert_true(port_host_logged("larger than the file system"));
    snapper_close(snapper);
}

static const struct store_operations *plain;
static u64 lookups;

/* A store in which each directory holds itself as "ext". */
static enum status lookup_in_circles(struct store *store, u64 directory, const char *name,
                                     u64 *node)
{
    lookups++;
    if (strcmp(name, "ext") != 0)
        return plain->lookup(store, directory, name, node);
    *node = directory;
    return OK;
}

/* A million levels were followed, and then not a word was said. */
static void purge__directory_leads_back_to_itself__is_refused_at_once(void **state)
{
    (void)state;
    struct snapper_purge_report report;
    struct snapper *snapper;

    plain = store.store.operations;
    struct store_operations circular = *plain;
    circular.lookup = lookup_in_circles;
    store.store.operations = &circular;
    assert_int_equal(snapper_open(&store.store, &victim.config, &snapper), OK);
    port_host_clear_log();
    lookups = 0;
    assert_int_equal(purge(snapper, victim.generations[0].text, &report), ERR_CORRUPT);
    assert_true(port_host_logged("leads back"));
    assert_true(lookups < 1000);
    snapper_close(snapper);
}

static u64 reads;

/* A store that says of each file that it has no holes, and does not read for ever. */
static enum status stat_without_holes(struct store *from, u64 node,
                                      struct store_stat *stat)
{
    enum status status = plain->stat(from, node, stat);
    stat->allocated_bytes = stat->size_bytes;
    return status;
}

static enum status read_counted(struct store *from, u64 node, u64 offset, void *data,
                                size_t size, size_t *got)
{
    return ++reads > 100000 ? ERR_IO : plain->read(from, node, offset, data, size, got);
}

/* 256 GiB of holes were read to see whether they are sound. */
static void repair__file_larger_than_the_disk__is_rewritten_at_once(void **state)
{
    (void)state;
    struct ext4_directory_entry entry;
    struct snapper_verify_report report;
    struct snapper *snapper;
    u64 cursor = 0;

    u32 directory = resolve("/snapper/%s/snapshot", victim.generations[3].text);
    do
        assert_int_equal(ext4_directory_next(fs, directory, &cursor, &entry), OK);
    while (entry.type == EXT4_DIRECTORY);
    assert_int_equal(ext4_truncate(fs, entry.inode, 256 * GIB), OK);
    plain = store.store.operations;
    struct store_operations lying = *plain;
    lying.stat = stat_without_holes;
    lying.read = read_counted;
    store.store.operations = &lying;
    reads = 0;
    assert_int_equal(snapper_open(&store.store, &victim.config, &snapper), OK);
    assert_int_equal(snapper_repair(snapper, NULL, &report), OK);
    assert_true(reads < 100000);
    assert_int_equal(report.repaired, 1);
    snapper_close(snapper);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(view_open__archive_is_a_hole__is_refused_at_once),
        TEST(view_open__object_larger_than_the_disk__is_refused),
        TEST(purge__directory_leads_back_to_itself__is_refused_at_once),
        TEST(repair__file_larger_than_the_disk__is_rewritten_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
