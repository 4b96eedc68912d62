#include "snapper/archive.h"

#include "kernel/base/checked.h"
#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/snapshot_file.h"

enum {
    PREFIX_SIZE = 5, /* version, crc */
    HEAD_SIZE = 64,
    GENERATION_SIZE = 32,
    RUN_SIZE = 32,
    LAYOUT = 1,
};

/* Offsets in the head. */
enum {
    LAYOUT_AT = 0,
    DESCRIPTION_SIZE_AT = 4,
    GENERATION_COUNT_AT = 8,
    RUN_COUNT_AT = 12,
    FILES_WRITTEN_AT = 16,
    OBJECTS_AT = 24,
    PARENT_AT = 32, /* name and terminator, or zeros */
    RESERVED_AT = 60,
};

/* Offsets in a generation and in a run. */
enum { NAME_AT = 0, THRESHOLD_AT = 28 };
enum {
    FIRST_ID_AT = 0,
    COUNT_AT = 8,
    OBJECT_SIZE_AT = 12,
    GENERATION_AT = 16,
    FIRST_ORDINAL_AT = 20,
    RUN_CRC_AT = 24,
    AGE_AT = 28,
    RANK_AT = 30,
    RUN_RESERVED_AT = 31,
};

static void encode_head(const struct archive *archive, u8 *raw)
{
    put_le32(raw + LAYOUT_AT, LAYOUT);
    put_le32(raw + DESCRIPTION_SIZE_AT, (u32)strlen(archive->description));
    put_le32(raw + GENERATION_COUNT_AT, archive->generation_count);
    put_le32(raw + RUN_COUNT_AT, archive->run_count);
    put_le64(raw + FILES_WRITTEN_AT, archive->files_written);
    put_le64(raw + OBJECTS_AT, archive->objects);
    memcpy(raw + PARENT_AT, archive->parent.text, strlen(archive->parent.text));
}

static void encode_generation(const struct archive_generation *generation, u8 *raw)
{
    memcpy(raw + NAME_AT, generation->name.text, GENERATION_NAME_LENGTH);
    put_le32(raw + THRESHOLD_AT, generation->threshold);
}

static void encode_run(const struct archive_run *run, u8 *raw)
{
    put_le64(raw + FIRST_ID_AT, run->first_id);
    put_le32(raw + COUNT_AT, run->count);
    put_le32(raw + OBJECT_SIZE_AT, run->object_size);
    put_le32(raw + GENERATION_AT, run->generation);
    put_le32(raw + FIRST_ORDINAL_AT, run->first_ordinal);
    put_le32(raw + RUN_CRC_AT, run->crc);
    put_le16(raw + AGE_AT, run->age);
    raw[RANK_AT] = run->rank;
}

enum status archive_encode(const struct archive *archive, u8 **raw, size_t *size)
{
    size_t description_size = strlen(archive->description);
    size_t total = PREFIX_SIZE + HEAD_SIZE +
                   (size_t)archive->generation_count * GENERATION_SIZE +
                   (size_t)archive->run_count * RUN_SIZE + description_size;
    u8 *bytes = port_alloc(total);

    if (bytes == NULL)
        return ERR_NO_MEMORY;
    u8 *at = bytes + PREFIX_SIZE;
    encode_head(archive, at);
    at += HEAD_SIZE;
    for (u32 i = 0; i < archive->generation_count; i++, at += GENERATION_SIZE)
        encode_generation(&archive->generations[i], at);
    for (u32 i = 0; i < archive->run_count; i++, at += RUN_SIZE)
        encode_run(&archive->runs[i], at);
    memcpy(at, archive->description, description_size);

    bytes[0] = SNAPPER_FORMAT_VERSION;
    put_le32(bytes + 1, crc32(bytes + PREFIX_SIZE, total - PREFIX_SIZE));
    *raw = bytes;
    *size = total;
    return OK;
}

/* A name field: a valid name, or, where that is allowed, all zeros. */
static bool decode_name(const u8 *raw, bool may_be_empty, struct generation_name *name)
{
    u64 time;

    memcpy(name->text, raw, GENERATION_NAME_LENGTH + 1);
    if (name->text[GENERATION_NAME_LENGTH] != '\0')
        return false;
    if (may_be_empty && memory_is_zero(raw, GENERATION_NAME_LENGTH + 1))
        return true;
    return generation_name_decode(name->text, &time);
}

/* The head's fields and the sizes they imply, which must add up to `size` exactly. */
static const char *decode_head(const u8 *raw, size_t size, struct archive *archive)
{
    if (size < HEAD_SIZE)
        return "too short";
    if (get_le32(raw + LAYOUT_AT) != LAYOUT || get_le32(raw + RESERVED_AT) != 0)
        return "unknown layout";

    u32 description_size = get_le32(raw + DESCRIPTION_SIZE_AT);
    archive->generation_count = get_le32(raw + GENERATION_COUNT_AT);
    archive->run_count = get_le32(raw + RUN_COUNT_AT);
    archive->files_written = get_le64(raw + FILES_WRITTEN_AT);
    archive->objects = get_le64(raw + OBJECTS_AT);

    if (description_size > ARCHIVE_DESCRIPTION_MAX)
        return "description too long";
    if (archive->generation_count == 0)
        return "no generation";
    if (archive->files_written > UINT32_MAX)
        return "too many files";
    /* 32-bit counts of 32-byte records cannot overflow 64 bits. */
    if ((u64)HEAD_SIZE + (u64)archive->generation_count * GENERATION_SIZE +
            (u64)archive->run_count * RUN_SIZE + description_size !=
        size)
        return "its counts do not add up to its size";
    if (!decode_name(raw + PARENT_AT, true, &archive->parent))
        return "bad parent";

    const u8 *description = raw + size - description_size;
    for (u32 i = 0; i < description_size; i++)
        if (description[i] < ' ' || description[i] == 0x7f)
            return "control characters in the description";
    memcpy(archive->description, description, description_size);
    return NULL;
}

static const char *decode_generations(const u8 *raw, struct archive *archive)
{
    for (u32 i = 0; i < archive->generation_count; i++, raw += GENERATION_SIZE) {
        struct archive_generation *generation = &archive->generations[i];

        if (!decode_name(raw + NAME_AT, false, &generation->name))
            return "bad generation name";
        generation->threshold = get_le32(raw + THRESHOLD_AT);
        if (generation->threshold == 0)
            return "threshold of 0";
        for (u32 other = 0; other < i; other++)
            if (generation_name_compare(&archive->generations[other].name,
                                        &generation->name) == 0)
                return "generation twice in the table";
    }
    return NULL;
}

/* A run on its own: no field is out of range. */
static bool run_is_sound(const struct archive *archive, const struct archive_run *run)
{
    if (run->count == 0 || run->first_id + (run->count - 1) < run->first_id)
        return false;
    if (run->generation >= archive->generation_count || run->age == 0)
        return false;
    u64 limit = run->generation == 0 ? archive->files_written : UINT32_MAX;
    return range_inside(run->first_ordinal, run->count, limit);
}

/* A run after its predecessor: the next rank of the same group, or a later group. */
static bool run_follows(const struct archive_run *previous, const struct archive_run *run)
{
    if (run->rank != 0)
        return previous != NULL && run->rank == previous->rank + 1 &&
               run->first_id == previous->first_id && run->count == previous->count &&
               run->object_size == previous->object_size;
    return previous == NULL || run->first_id > previous->first_id + (previous->count - 1);
}

static const char *decode_runs(const u8 *raw, struct archive *archive)
{
    u64 objects = 0;

    for (u32 i = 0; i < archive->run_count; i++, raw += RUN_SIZE) {
        struct archive_run *run = &archive->runs[i];

        *run = (struct archive_run){
            .first_id = get_le64(raw + FIRST_ID_AT),
            .count = get_le32(raw + COUNT_AT),
            .object_size = get_le32(raw + OBJECT_SIZE_AT),
            .generation = get_le32(raw + GENERATION_AT),
            .first_ordinal = get_le32(raw + FIRST_ORDINAL_AT),
            .crc = get_le32(raw + RUN_CRC_AT),
            .age = get_le16(raw + AGE_AT),
            .rank = raw[RANK_AT],
        };
        if (!run_is_sound(archive, run) || raw[RUN_RESERVED_AT] != 0)
            return "a run out of range";
        if (!run_follows(i == 0 ? NULL : run - 1, run))
            return "runs out of order";
        if (run->rank == 0)
            objects += run->count;
    }
    return objects == archive->objects ? NULL : "wrong number of objects";
}

static enum status decode_tables(const u8 *raw, struct archive *archive, const char **why)
{
    archive->generations =
        port_alloc(archive->generation_count * sizeof archive->generations[0]);
    archive->runs = port_alloc(archive->run_count * sizeof archive->runs[0]);
    if (archive->generations == NULL || (archive->runs == NULL && archive->run_count > 0))
        return ERR_NO_MEMORY;

    *why = decode_generations(raw, archive);
    if (*why == NULL)
        *why = decode_runs(raw + (size_t)archive->generation_count * GENERATION_SIZE,
                           archive);
    return *why == NULL ? OK : ERR_CORRUPT;
}

enum status archive_decode(const u8 *raw, size_t size, struct archive *archive,
                           const char **why)
{
    const char *unused;
    struct archive result = { 0 };

    if (why == NULL)
        why = &unused;
    *why = "too short";
    if (size < PREFIX_SIZE)
        return ERR_CORRUPT;
    *why = "unknown version";
    if (raw[0] != SNAPPER_FORMAT_VERSION)
        return ERR_UNSUPPORTED;
    *why = "wrong checksum";
    if (crc32(raw + PREFIX_SIZE, size - PREFIX_SIZE) != get_le32(raw + 1))
        return ERR_CORRUPT;
    *why = decode_head(raw + PREFIX_SIZE, size - PREFIX_SIZE, &result);
    if (*why != NULL)
        return ERR_CORRUPT;

    enum status status = decode_tables(raw + PREFIX_SIZE + HEAD_SIZE, &result, why);
    if (status != OK) {
        archive_destroy(&result);
        return status;
    }
    *archive = result;
    return OK;
}

void archive_destroy(struct archive *archive)
{
    port_free(archive->generations);
    port_free(archive->runs);
    archive->generations = NULL;
    archive->runs = NULL;
}
