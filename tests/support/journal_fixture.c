#include "tests/support/journal_fixture.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_CAPACITY = 16, ESCAPED_EVERY = 3, FIRST_SEQUENCE = 7 };

static void write_superblock(struct journal_fixture *fixture, u32 blocks,
                             const struct journal_fixture_options *options)
{
    u8 *raw = journal_fixture_log(fixture, 0);
    put_be32(raw, JOURNAL_MAGIC);
    put_be32(raw + 4, JOURNAL_SUPERBLOCK_V2);
    put_be32(raw + 0x0C, fixture->block_size);
    put_be32(raw + 0x10, blocks);
    put_be32(raw + 0x14, 1);
    put_be32(raw + 0x18, FIRST_SEQUENCE);
    put_be32(raw + 0x28, options->incompat);
    for (u8 i = 0; i < 16; i++)
        raw[0x30 + i] = (u8)(0xA0 + i);
    put_be32(raw + 0x40, 1); /* users */
    raw[0x50] = 4;           /* crc32c */
    put_be32(raw + 0x54, options->fast_commit_blocks);
    journal_fixture_reseal(fixture);
}

/* The middle of the journal lies behind its end, and its beginning is last. */
static void lay_out(struct journal_fixture *fixture, u32 blocks)
{
    u32 third = blocks / 3;
    struct journal_extent *extents = fixture->extents;
    extents[0] =
        (struct journal_extent){ 0, third, FIXTURE_BLOCKS + 8 + 2 * (u64)blocks };
    extents[1] =
        (struct journal_extent){ third, third, FIXTURE_BLOCKS + 4 + (u64)blocks };
    extents[2] = (struct journal_extent){ 2 * third, blocks - 2 * third, FIXTURE_BLOCKS };
}

void journal_fixture_open(struct journal_fixture *fixture,
                          const struct journal_fixture_options *options)
{
    struct journal_fixture_options chosen =
        options ? *options : (struct journal_fixture_options){ 0 };
    u32 blocks = chosen.journal_blocks ? chosen.journal_blocks : 64;
    memset(fixture, 0, sizeof *fixture);
    fixture->block_size = chosen.block_size ? chosen.block_size : 1024;
    u64 disk_blocks = FIXTURE_BLOCKS + 8 + 3 * (u64)blocks;
    ram_disk_open(&fixture->ram, disk_blocks * fixture->block_size / SECTOR_SIZE);
    lay_out(fixture, blocks);
    fixture->location = (struct journal_location){ fixture->extents, FIXTURE_EXTENTS,
                                                   chosen.checksums, chosen.wide_blocks };
    write_superblock(fixture, blocks, &chosen);
}

void journal_fixture_close(struct journal_fixture *fixture)
{
    journal_fixture_crash(fixture);
    ram_disk_close(&fixture->ram);
}

enum status journal_fixture_mount(struct journal_fixture *fixture, bool in_memory_only)
{
    u64 blocks = fixture->ram.size_bytes / fixture->block_size;
    cache_open(&fixture->cache, &fixture->ram.disk, fixture->block_size, blocks,
               CACHE_CAPACITY);
    enum status status =
        journal_open(&fixture->cache, &fixture->location, &fixture->journal);
    if (status == OK)
        status = journal_replay(fixture->journal, in_memory_only, &fixture->report);
    if (status != OK)
        journal_fixture_crash(fixture);
    return status;
}

void journal_fixture_crash(struct journal_fixture *fixture)
{
    if (fixture->journal)
        journal_close(fixture->journal);
    fixture->journal = NULL;
    if (fixture->cache.disk)
        cache_close(&fixture->cache);
    fixture->cache.disk = NULL;
}

u8 *journal_fixture_bytes(struct journal_fixture *fixture, u64 block)
{
    return fixture->ram.bytes + block * fixture->block_size;
}

u8 *journal_fixture_log(struct journal_fixture *fixture, u32 journal_block)
{
    const struct journal_extent *extent = fixture->extents;
    while (journal_block - extent->journal_block >= extent->count)
        extent++;
    return journal_fixture_bytes(fixture, extent->disk_block + journal_block -
                                              extent->journal_block);
}

static u64 word_of(u64 value, size_t at)
{
    return value == 0 ? 0 : value * 0x9E3779B97F4A7C15ULL + at;
}

void journal_fixture_fill(const struct journal_fixture *fixture, u8 *data, u64 value)
{
    put_le64(data, value);
    for (size_t at = 8; at < fixture->block_size; at += 8)
        put_le64(data + at, word_of(value, at));
    if (value != 0 && value % ESCAPED_EVERY == 0)
        put_be32(data, JOURNAL_MAGIC);
    put_le64(data + fixture->block_size - 8, value);
}

u64 journal_fixture_value(const struct journal_fixture *fixture, const u8 *data)
{
    u8 expected[4096];
    u64 value = get_le64(data + fixture->block_size - 8);
    journal_fixture_fill(fixture, expected, value);
    return memcmp(expected, data, fixture->block_size) == 0 ? value : UINT64_MAX;
}

static void must(enum status status, const char *what)
{
    if (status == OK)
        return;
    fprintf(stderr, "journal_fixture: %s: %s\n", what, status_text(status));
    abort();
}

u64 journal_fixture_get(struct journal_fixture *fixture, u64 block)
{
    struct buffer *buffer;
    must(cache_get(&fixture->cache, block, &buffer), "cache_get");
    u64 value = journal_fixture_value(fixture, buffer->data);
    cache_release(buffer);
    return value;
}

static enum status set(struct journal_fixture *fixture, struct buffer *buffer, u64 value)
{
    enum status status = journal_modify(fixture->journal, buffer);
    if (status == OK)
        journal_fixture_fill(fixture, buffer->data, value);
    cache_release(buffer);
    return status;
}

enum status journal_fixture_set(struct journal_fixture *fixture, u64 block, u64 value)
{
    struct buffer *buffer;
    enum status status = cache_get(&fixture->cache, block, &buffer);
    return status == OK ? set(fixture, buffer, value) : status;
}

enum status journal_fixture_set_fresh(struct journal_fixture *fixture, u64 block,
                                      u64 value)
{
    struct buffer *buffer;
    enum status status = cache_get_fresh(&fixture->cache, block, &buffer);
    return status == OK ? set(fixture, buffer, value) : status;
}

u64 journal_fixture_on_disk(struct journal_fixture *fixture, u64 block)
{
    return journal_fixture_value(fixture, journal_fixture_bytes(fixture, block));
}

void journal_fixture_superblock(struct journal_fixture *fixture,
                                struct journal_superblock *superblock)
{
    must(journal_superblock_decode(journal_fixture_log(fixture, 0), superblock),
         "superblock");
}

void journal_fixture_reseal(struct journal_fixture *fixture)
{
    u8 *raw = journal_fixture_log(fixture, 0);
    put_be32(raw + 0xFC, 0);
    put_be32(raw + 0xFC, crc32c_update(~0u, raw, JOURNAL_SUPERBLOCK_SIZE));
}
