#include "snapper/archive.h"

#include "kernel/base/checked.h"
#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/map.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/snapshot_file.h"
#include "snapper/varint.h"

enum {
    PREFIX_SIZE = 5, /* version, crc */
    HEAD_SIZE = 36,
    GENERATION_SIZE = 12,
    LAYOUT = 1,
    /* gap, count, size, ranks; then generation, ordinal, age and crc of one run */
    RUN_SIZE_MAX = 10 + 5 + 5 + 2 + 5 + 5 + 3 + 4,
    RUN_SIZE_MIN = 1 + 1 + 1 + 4, /* of a further rank, the shortest there is */
};

/* Offsets in the head. */
enum {
    MAGIC_AT = 0, /* "SNAP" */
    LAYOUT_AT = 4,
    FLAGS_AT = 5, /* none defined */
    DESCRIPTION_SIZE_AT = 6,
    RESERVED_AT = 7,
    GENERATION_COUNT_AT = 8,
    RUN_COUNT_AT = 12,
    OBJECTS_AT = 16,
    PARENT_AT = 24, /* time; NO_TIME: none */
    FILES_WRITTEN_AT = 32,
};
#define NO_TIME UINT64_MAX
static const u8 magic[4] = { 'S', 'N', 'A', 'P' };

/* Offsets in an entry of the table of generations. */
enum { TIME_AT = 0, THRESHOLD_AT = 8 };

/* NO_TIME for the empty name. */
static u64 time_of(const struct generation_name *name)
{
    u64 time;

    return generation_name_decode(name->text, &time) ? time : NO_TIME;
}

static void encode_head(const struct archive *archive, u8 *raw)
{
    memcpy(raw + MAGIC_AT, magic, sizeof magic);
    raw[LAYOUT_AT] = LAYOUT;
    raw[DESCRIPTION_SIZE_AT] = (u8)strlen(archive->description);
    put_le32(raw + GENERATION_COUNT_AT, archive->generation_count);
    put_le32(raw + RUN_COUNT_AT, archive->run_count);
    put_le64(raw + OBJECTS_AT, archive->objects);
    put_le64(raw + PARENT_AT, time_of(&archive->parent));
    put_le32(raw + FILES_WRITTEN_AT, (u32)archive->files_written);
}

static u32 ranks_at(const struct archive *archive, u32 first)
{
    u32 ranks = 1;

    while (first + ranks < archive->run_count && archive->runs[first + ranks].rank > 0)
        ranks++;
    return ranks;
}

static u8 *encode_group(const struct archive_run *runs, u32 ranks, u64 gap, u8 *to)
{
    to += varint_put(to, gap);
    to += varint_put(to, runs->count);
    to += varint_put(to, runs->object_size);
    to += varint_put(to, ranks);
    for (u32 i = 0; i < ranks; i++) {
        to += varint_put(to, runs[i].generation);
        to += varint_put(to, runs[i].first_ordinal);
        to += varint_put(to, runs[i].age);
        put_le32(to, runs[i].crc);
        to += 4;
    }
    return to;
}

static u8 *encode_runs(const struct archive *archive, u8 *to)
{
    u64 next_id = 0; /* the one behind the previous group */

    for (u32 i = 0; i < archive->run_count;) {
        const struct archive_run *run = &archive->runs[i];
        u32 ranks = ranks_at(archive, i);

        to = encode_group(run, ranks, run->first_id - next_id, to);
        next_id = run->first_id + run->count;
        i += ranks;
    }
    return to;
}

enum status archive_encode(const struct archive *archive, u8 **raw, size_t *size)
{
    size_t description_size = strlen(archive->description);
    size_t bound = PREFIX_SIZE + HEAD_SIZE + description_size +
                   (size_t)archive->generation_count * GENERATION_SIZE +
                   (size_t)archive->run_count * RUN_SIZE_MAX;
    u8 *bytes = port_alloc(bound);

    if (bytes == NULL)
        return ERR_NO_MEMORY;
    u8 *at = bytes + PREFIX_SIZE;
    encode_head(archive, at);
    at += HEAD_SIZE;
    memcpy(at, archive->description, description_size);
    at += description_size;
    for (u32 i = 0; i < archive->generation_count; i++, at += GENERATION_SIZE) {
        put_le64(at + TIME_AT, time_of(&archive->generations[i].name));
        put_le32(at + THRESHOLD_AT, archive->generations[i].threshold);
    }
    at = encode_runs(archive, at);

    size_t total = (size_t)(at - bytes);
    bytes[0] = SNAPPER_FORMAT_VERSION;
    put_le32(bytes + 1, crc32(bytes + PREFIX_SIZE, total - PREFIX_SIZE));
    *raw = bytes;
    *size = total;
    return OK;
}

/* What a newer Snapper, or another program with the same version byte, would have here. */
static const char *check_layout(const u8 *head)
{
    if (memcmp(head + MAGIC_AT, magic, sizeof magic) != 0)
        return "not an archive of this Snapper";
    if (head[LAYOUT_AT] != LAYOUT || head[FLAGS_AT] != 0 || head[RESERVED_AT] != 0)
        return "unknown layout";
    return NULL;
}

static const char *decode_head(struct byte_reader *reader, struct archive *archive)
{
    const u8 *head = bytes_get(reader, HEAD_SIZE);
    if (head == NULL)
        return "too short";

    u64 parent = get_le64(head + PARENT_AT);
    const u8 *description = bytes_get(reader, head[DESCRIPTION_SIZE_AT]);
    archive->generation_count = get_le32(head + GENERATION_COUNT_AT);
    archive->run_count = get_le32(head + RUN_COUNT_AT);
    archive->objects = get_le64(head + OBJECTS_AT);
    archive->files_written = get_le32(head + FILES_WRITTEN_AT);

    if (parent != NO_TIME && generation_name_encode(parent, &archive->parent) != OK)
        return "bad parent";
    if (description == NULL)
        return "description cut off";
    for (u32 i = 0; i < head[DESCRIPTION_SIZE_AT]; i++) {
        if (description[i] < ' ' || description[i] == 0x7f)
            return "control characters in the description";
        archive->description[i] = (char)description[i];
    }
    /* 32-bit counts of small records cannot overflow 64 bits. */
    if (archive->generation_count == 0 ||
        (u64)archive->generation_count * GENERATION_SIZE +
                (u64)archive->run_count * RUN_SIZE_MIN >
            reader->left)
        return "counts beyond its size";
    return NULL;
}

static const char *decode_generation(const u8 *raw, struct archive_generation *generation)
{
    if (generation_name_encode(get_le64(raw + TIME_AT), &generation->name) != OK)
        return "bad generation time";
    generation->threshold = get_le32(raw + THRESHOLD_AT);
    return generation->threshold > 0 ? NULL : "threshold of 0";
}

static enum status decode_generations(struct byte_reader *reader, struct archive *archive,
                                      const char **why)
{
    const u8 *raw =
        bytes_get(reader, (size_t)archive->generation_count * GENERATION_SIZE);
    enum status status = OK;
    struct map seen;

    map_init(&seen);
    *why = NULL;
    for (u32 i = 0; i < archive->generation_count && status == OK && !*why; i++) {
        const u8 *entry = raw + (size_t)i * GENERATION_SIZE;
        u64 index;

        *why = decode_generation(entry, &archive->generations[i]);
        if (map_get(&seen, get_le64(entry + TIME_AT), &index))
            *why = "generation twice in the table";
        status = map_set(&seen, get_le64(entry + TIME_AT), i);
    }
    map_destroy(&seen);
    if (status != OK)
        return status;
    return *why == NULL ? OK : ERR_CORRUPT;
}

static bool decode_u32(struct byte_reader *reader, u64 limit, u32 *value)
{
    u64 wide;

    if (!varint_get(reader, &wide) || wide > limit)
        return false;
    *value = (u32)wide;
    return true;
}

/* Where one rank of a group lies. */
static bool decode_place(struct byte_reader *reader, const struct archive *archive,
                         struct archive_run *run)
{
    u32 age;

    if (!decode_u32(reader, archive->generation_count - 1, &run->generation) ||
        !decode_u32(reader, UINT32_MAX, &run->first_ordinal) ||
        !decode_u32(reader, UINT16_MAX, &age))
        return false;
    const u8 *crc = bytes_get(reader, 4);
    if (crc == NULL)
        return false;
    run->age = (u16)age;
    run->crc = get_le32(crc);
    u64 limit = run->generation == 0 ? archive->files_written : UINT32_MAX;
    return range_inside(run->first_ordinal, run->count, limit);
}

/* One group, at most `room` runs of it; `next_id` is the first id it may begin with. */
static bool decode_group(struct byte_reader *reader, const struct archive *archive,
                         u64 next_id, u32 room, struct archive_run *runs, u32 *ranks)
{
    struct archive_run first = { 0 };
    u64 gap, last_id;

    if (!varint_get(reader, &gap) || !checked_add(next_id, gap, &first.first_id) ||
        !decode_u32(reader, UINT32_MAX, &first.count) || first.count == 0 ||
        !checked_add(first.first_id, first.count - 1, &last_id) ||
        !decode_u32(reader, UINT32_MAX, &first.object_size) ||
        !decode_u32(reader, min_u64(room, ARCHIVE_RANK_MAX + 1), ranks) || *ranks == 0)
        return false;
    for (u32 rank = 0; rank < *ranks; rank++) {
        runs[rank] = first;
        runs[rank].rank = (u8)rank;
        if (!decode_place(reader, archive, &runs[rank]))
            return false;
    }
    return true;
}

static const char *decode_runs(struct byte_reader *reader, struct archive *archive)
{
    u64 objects = 0, next_id = 0;
    u32 ranks;

    for (u32 i = 0; i < archive->run_count; i += ranks) {
        struct archive_run *runs = &archive->runs[i];

        /* After the group that holds the last id of all there can be none. */
        if (i > 0 && next_id == 0)
            return "ids beyond 64 bits";
        if (!decode_group(reader, archive, next_id, archive->run_count - i, runs, &ranks))
            return "a run out of range";
        next_id = runs->first_id + runs->count;
        objects += runs->count;
    }
    if (reader->left > 0)
        return "bytes behind the last run";
    return objects == archive->objects ? NULL : "wrong number of objects";
}

static enum status decode_tables(struct byte_reader *reader, struct archive *archive,
                                 const char **why)
{
    archive->generations =
        port_alloc(archive->generation_count * sizeof archive->generations[0]);
    archive->runs = port_alloc((archive->run_count + 1ULL) * sizeof archive->runs[0]);
    if (archive->generations == NULL || archive->runs == NULL)
        return ERR_NO_MEMORY;

    enum status status = decode_generations(reader, archive, why);
    if (status != OK)
        return status;
    *why = decode_runs(reader, archive);
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
    if (size < PREFIX_SIZE + HEAD_SIZE)
        return ERR_CORRUPT;
    *why = "unknown version";
    if (raw[0] != SNAPPER_FORMAT_VERSION)
        return ERR_UNSUPPORTED;
    struct byte_reader reader = { raw + PREFIX_SIZE, size - PREFIX_SIZE };
    *why = "wrong checksum";
    if (crc32(reader.at, reader.left) != get_le32(raw + 1))
        return ERR_CORRUPT;
    *why = check_layout(reader.at);
    if (*why != NULL)
        return ERR_UNSUPPORTED;
    *why = decode_head(&reader, &result);
    if (*why != NULL)
        return ERR_CORRUPT;

    enum status status = decode_tables(&reader, &result, why);
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
