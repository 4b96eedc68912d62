#include "tests/support/stream_fuzz.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "snapper/retention.h"
#include "snapper/transfer.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_LEFT = 2 }; /* generations from this one on are not on the destination */

static void must(enum status status)
{
    if (status != OK)
        port_panic(__FILE__, __LINE__, status_text(status));
}

/* --- streams --- */

struct memory_output {
    struct stream_output output;
    u8 *bytes;
    size_t size;
};

static enum status append(struct stream_output *output, const void *data, size_t size)
{
    struct memory_output *memory = CONTAINER_OF(output, struct memory_output, output);

    memory->bytes = realloc(memory->bytes, memory->size + size);
    ASSERT(memory->bytes);
    memcpy(memory->bytes + memory->size, data, size);
    memory->size += size;
    return OK;
}

static void export_one(struct stream_target *target, struct snapper *snapper,
                       size_t which, size_t generation, const char *base)
{
    struct memory_output memory = { .output.write = append };
    struct snapper_transfer_report report;

    must(snapper_export(snapper, target->victim.generations[generation].text, base,
                        &memory.output, &report));
    target->streams[which].bytes = memory.bytes;
    target->streams[which].size = memory.size;
}

static void remove_later_ones(struct stream_target *target, struct snapper *snapper)
{
    struct snapper_purge_report report;
    struct snapper_cleanup_report cleaned;

    for (size_t i = FIRST_LEFT; i < VICTIM_GENERATIONS; i++)
        must(purge_forced(snapper, target->victim.generations[i].text, &report));
    must(snapper_cleanup(snapper, &cleaned));
}

void stream_target_open(struct stream_target *target)
{
    struct ext4_mount_options options = { .cache_capacity = 256 };
    const struct generation_name *names = target->victim.generations;
    struct ext4_store store;
    struct snapper *snapper;
    struct ext4 *fs;

    victim_open(&target->victim, 1);
    const struct ram_disk *image = &target->victim.places.image;
    ram_disk_open(&target->destination, image->disk.sector_count);
    memcpy(target->destination.bytes, image->bytes, image->size_bytes);
    must(ext4_mount(&target->destination.disk, &options, &fs));
    ext4_store_init(&store, fs);
    must(snapper_open(&store.store, &target->victim.config, &snapper));
    export_one(target, snapper, 0, 2, NULL);
    export_one(target, snapper, 1, 2, names[1].text);
    export_one(target, snapper, 2, 3, names[1].text);
    remove_later_ones(target, snapper);
    snapper_close(snapper);
    must(ext4_unmount(fs));
}

/* --- damage --- */

static size_t remove_bytes(u8 *stream, size_t size, struct damage_source *source)
{
    size_t at = damage_draw(source, size);
    size_t count = 1 + damage_draw(source, 64);

    if (count > size - at)
        count = size - at;
    memmove(stream + at, stream + at + count, size - at - count);
    return size - count;
}

static size_t double_bytes(u8 *stream, size_t size, size_t capacity,
                           struct damage_source *source)
{
    size_t at = damage_draw(source, size);
    size_t count = 1 + damage_draw(source, 64);

    if (count > size - at)
        count = size - at;
    if (count > capacity - size)
        return size;
    memmove(stream + at + count, stream + at, size - at);
    return size + count;
}

static void put_word(u8 *stream, size_t size, struct damage_source *source)
{
    static const u64 limits[] = {
        0, 1, 0x7F, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, ~0ULL
    };
    size_t width = 1u << damage_draw(source, 4);
    /* Header and archive are where decisions are made. */
    size_t from = damage_draw(source, 2) ? 8 : STREAM_HEADER_SIZE;
    size_t at = from + damage_draw(source, damage_draw(source, 2) ? 128 : size);

    if (at + width > size)
        return;
    u64 value = damage_draw(source, 2) ? limits[damage_draw(source, 8)]
                                       : stream[at] + damage_draw(source, 5) - 2;
    for (size_t i = 0; i < width; i++, value >>= 8)
        stream[at + i] = (u8)value;
}

size_t stream_damage(u8 *stream, size_t size, size_t capacity,
                     struct damage_source *source)
{
    if (size == 0)
        return 0;
    switch (damage_draw(source, 8)) {
    case 0:
        return remove_bytes(stream, size, source);
    case 1:
        return double_bytes(stream, size, capacity, source);
    case 2:
        return damage_draw(source, size);
    default:
        put_word(stream, size, source);
        return size;
    }
}

/* --- checksums --- */

static void seal_archive(u8 *archive, size_t size)
{
    if (size > 5)
        put_le32(archive + 1, crc32_update(0, archive + 5, size - 5));
}

/* One object at `at`; returns where the next one is, or the end if it cannot be told. */
static size_t seal_object(u8 *stream, size_t at, size_t size)
{
    if (size - at < STREAM_OBJECT_SIZE)
        return size;
    u32 length = get_le32(stream + at + 8);
    if (length > size - at - STREAM_OBJECT_SIZE)
        return size;
    u32 crc = crc32_update(0, stream + at, 12);
    put_le32(stream + at + 12,
             crc32_update(crc, stream + at + STREAM_OBJECT_SIZE, length));
    return at + STREAM_OBJECT_SIZE + length;
}

void stream_seal(u8 *stream, size_t size)
{
    if (size < STREAM_HEADER_SIZE)
        return;
    put_le32(stream + 52, crc32_update(0, stream, 52));
    size_t at = STREAM_HEADER_SIZE;
    u32 archive = get_le32(stream + 32);
    if (archive > size - at)
        return;
    seal_archive(stream + at, archive);
    at += archive;
    for (u64 left = get_le64(stream + 36); left > 0 && at < size; left--)
        at = seal_object(stream, at, size);
    if (size - at >= 12)
        put_le32(stream + at + 8, crc32_update(0, stream, at + 8));
}
