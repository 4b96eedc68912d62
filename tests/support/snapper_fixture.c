#include "tests/support/snapper_fixture.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/map.h"
#include "kernel/base/string.h"
#include "snapper/archive.h"
#include "tests/support/port_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void open_session(struct fixture *fixture)
{
    assert_int_equal(
        snapper_open(ram_store_store(fixture->ram), &fixture->config, &fixture->snapper),
        OK);
}

void fixture_open(struct fixture *fixture, const struct ram_limits *limits, u64 seed)
{
    struct snapper_config_sources sources;

    fixture->ram = ram_store_create(limits, seed);
    config_defaults(&fixture->config, &sources);
    open_session(fixture);
}

void fixture_close(struct fixture *fixture)
{
    snapper_close(fixture->snapper);
    ram_store_destroy(fixture->ram);
}

void fixture_reopen(struct fixture *fixture)
{
    snapper_close(fixture->snapper);
    open_session(fixture);
}

void fixture_crash(struct fixture *fixture)
{
    snapper_close(fixture->snapper);
    ram_store_crash(fixture->ram);
    open_session(fixture);
}

void fill_content(u8 *data, size_t size, u64 seed)
{
    u64 state = seed * 0x9E3779B97F4A7C15ULL + 1;

    for (size_t i = 0; i < size; i++) {
        state = state * 6364136223846793005ULL + 1442695040888963407ULL;
        data[i] = (u8)(state >> 56);
    }
}

/* The register before four bytes, from the one behind them: 32 steps back. */
static u32 four_bytes_back(u32 state)
{
    for (int bit = 0; bit < 32; bit++) {
        u32 out = state >> 31;
        state = (out ? (state ^ 0xEDB88320) << 1 : state << 1) | out;
    }
    return state;
}

void forge_crc(u8 *data, size_t size, u32 crc)
{
    u32 before = ~crc32(data, size - 4);

    put_le32(data + size - 4, before ^ four_bytes_back(~crc));
    assert_int_equal(crc32(data, size), crc);
}

struct generation_name commit_pages(struct fixture *fixture, u64 first, size_t count,
                                    size_t size, u64 seed,
                                    struct snapper_commit_report *report)
{
    struct snapper_commit_report unused;
    u8 *pages = malloc(count * size + 1);

    if (!report)
        report = &unused;
    assert_int_equal(init_snapshot(fixture->snapper, NULL), OK);
    for (size_t i = 0; i < count; i++) {
        fill_content(pages + i * size, size, seed + first + i);
        assert_int_equal(
            take_snapshot(fixture->snapper, pages + i * size, size, first + i), OK);
    }
    assert_int_equal(commit_snapshot(fixture->snapper, NULL, report), OK);
    free(pages);
    return report->name;
}

void assert_pages(struct fixture *fixture, const char *name, u64 first, size_t count,
                  size_t size, u64 seed)
{
    struct snapper_view *view;
    u8 *expected = malloc(size + 1), *found = malloc(size + 1);
    size_t restored;

    assert_int_equal(view_open(fixture->snapper, name, &view), OK);
    for (size_t i = 0; i < count; i++) {
        fill_content(expected, size, seed + first + i);
        assert_int_equal(view_restore(view, found, size, first + i, &restored), OK);
        assert_int_equal(restored, size);
        assert_memory_equal(found, expected, size);
    }
    view_close(view);
    free(expected);
    free(found);
}

/* --- the audit --- */

enum { AUDIT_PATH = 8192 };

struct listed_file {
    char path[512]; /* the chains of these tests are short */
    u32 archives;
    bool there;
};

struct auditing {
    struct ram_store *ram;
    struct audit *audit;
    struct listed_file *files;
    size_t count, capacity;
    struct map index; /* path_key() -> position in files */
};

/* FNV-1a: paths by a number, so that a thousand files are found as fast as one. */
static u64 path_key(const char *path)
{
    u64 key = 14695981039346656037ULL;

    for (; *path; path++)
        key = (key ^ (u8)*path) * 1099511628211ULL;
    return key;
}

static struct listed_file *find_listed(struct auditing *auditing, const char *path)
{
    u64 at;

    if (!map_get(&auditing->index, path_key(path), &at))
        return NULL;
    assert_string_equal(auditing->files[at].path, path);
    return &auditing->files[at];
}

static void list_file(struct auditing *auditing, const struct archive_generation *owner,
                      u32 ordinal)
{
    char path[AUDIT_PATH];
    size_t at =
        (size_t)snprintf(path, sizeof path, "/snapper/%s/snapshot", owner->name.text);

    for (u32 level = ordinal / owner->threshold; level > 0; level--)
        at += (size_t)snprintf(path + at, sizeof path - at, "/ext");
    snprintf(path + at, sizeof path - at, "/%04x", ordinal % owner->threshold);

    struct listed_file *file = find_listed(auditing, path);
    if (!file) {
        if (auditing->count == auditing->capacity) {
            auditing->capacity = 2 * auditing->capacity + 256;
            auditing->files =
                realloc(auditing->files, auditing->capacity * sizeof *auditing->files);
        }
        assert_int_equal(map_set(&auditing->index, path_key(path), auditing->count), OK);
        file = &auditing->files[auditing->count++];
        *file = (struct listed_file){ 0 };
        assert_true(text_copy(file->path, sizeof file->path, path));
    }
    file->archives++;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && text_equal(text + length - end_length, end);
}

static void read_archive(void *context, const char *path, bool is_directory,
                         const u8 *data, size_t size)
{
    struct auditing *auditing = context;
    struct archive archive;

    if (is_directory || !text_starts_with(path, "/snapper/") ||
        !ends_with(path, "/archive"))
        return;
    assert_int_equal(archive_decode(data, size, &archive, NULL), OK);
    auditing->audit->archives++;
    for (u32 i = 0; i < archive.run_count; i++)
        for (u32 k = 0; k < archive.runs[i].count; k++)
            list_file(auditing, &archive.generations[archive.runs[i].generation],
                      archive.runs[i].first_ordinal + k);
    archive_destroy(&archive);
}

static void check_file(void *context, const char *path, bool is_directory, const u8 *data,
                       size_t size)
{
    struct auditing *auditing = context;
    struct audit *audit = auditing->audit;

    if (is_directory || !text_starts_with(path, "/snapper/") ||
        ends_with(path, "/archive"))
        return;
    if (!strstr(path, "/snapshot/")) {
        audit->others++;
        return;
    }
    audit->files++;
    struct listed_file *file = find_listed(auditing, path);
    if (!file) {
        audit->orphans++;
        return;
    }
    file->there = true;
    assert_true(size >= 6 && data[0] == 2);
    u32 expected = file->archives < 255 ? file->archives : 255;
    audit->wrong_rc += data[5] != expected;
}

void audit_tree(struct ram_store *ram, struct audit *audit)
{
    struct auditing auditing = { .ram = ram, .audit = audit };

    *audit = (struct audit){ 0 };
    ram_store_walk(ram, read_archive, &auditing);
    ram_store_walk(ram, check_file, &auditing);
    for (size_t i = 0; i < auditing.count; i++)
        audit->missing += !auditing.files[i].there;
    map_destroy(&auditing.index);
    free(auditing.files);
}

void assert_tree_is_sound(struct ram_store *ram, bool exact_rc)
{
    struct audit audit;

    audit_tree(ram, &audit);
    assert_int_equal(audit.missing, 0);
    assert_int_equal(audit.orphans, 0);
    assert_int_equal(audit.others, 0);
    if (exact_rc)
        assert_int_equal(audit.wrong_rc, 0);
}
