#include "snapper/reference.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "snapper/generation_name.h"
#include "snapper/xxh32.h"

enum {
    VERSION = 2,
    HASH_AT = 1,
    COUNT_AT = 5,
    HEAD_SIZE = 13,
    RECORD_SIZE = 528,
    PATH_AT = 8,
    FILE_HEAD_SIZE = 6,
    RC_AT = 5,
    NAME_LENGTH = 19, /* "2025-06-15 15:06:40" */
};

bool reference_name_decode(const char *text, u64 *microseconds)
{
    char ours[GENERATION_NAME_LENGTH + 1];

    if (strlen(text) != NAME_LENGTH || text[10] != ' ')
        return false;
    format_text(ours, sizeof ours, "%s.000000Z", text);
    ours[10] = 'T';
    return generation_name_decode(ours, microseconds);
}

static u32 hash_of(enum reference_hash hash, const u8 *data, size_t size)
{
    return hash == REFERENCE_XXH32 ? xxh32(data, size) : crc32(data, size);
}

/* Which of the two hashes it is, if it is one of them. */
static bool find_hash(const u8 *data, size_t size, u32 stored, enum reference_hash *hash)
{
    static const enum reference_hash known[] = { REFERENCE_XXH32, REFERENCE_CRC32 };

    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (hash_of(known[i], data, size) == stored) {
            *hash = known[i];
            return true;
        }
    return false;
}

enum status reference_archive_decode(const u8 *raw, size_t size,
                                     struct reference_archive *archive, const char **why)
{
    struct reference_archive result = { .records = raw + HEAD_SIZE };

    *why = "too short";
    if (size < HEAD_SIZE)
        return ERR_CORRUPT;
    *why = "another version";
    if (raw[0] != VERSION)
        return ERR_UNSUPPORTED;
    *why = "its size is not that of its records";
    result.count = get_le64(raw + COUNT_AT);
    if (result.count != (size - HEAD_SIZE) / RECORD_SIZE ||
        (size - HEAD_SIZE) % RECORD_SIZE != 0)
        return ERR_CORRUPT;
    *why = "wrong hash";
    if (!find_hash(result.records, size - HEAD_SIZE, get_le32(raw + HASH_AT),
                   &result.hash))
        return ERR_CORRUPT;
    *archive = result;
    return OK;
}

/* "0x" and lower-case digits. */
static bool is_file_name(const char *text)
{
    u64 value;

    return text[0] == '0' && text[1] == 'x' &&
           digits_to_u64(text + 2, strlen(text + 2), 16, &value);
}

/* NAME/snapshot/ and any number of ext/ before the file: so no path leads out of the tree. */
static bool is_snapshot_path(const char *path)
{
    static const char snapshot[] = "/snapshot/", ext[] = "ext/";
    char name[NAME_LENGTH + 1];
    u64 time;

    if (strlen(path) <= NAME_LENGTH)
        return false;
    memcpy(name, path, NAME_LENGTH);
    name[NAME_LENGTH] = '\0';
    if (!reference_name_decode(name, &time) ||
        !text_starts_with(path + NAME_LENGTH, snapshot))
        return false;
    path += NAME_LENGTH + sizeof snapshot - 1;
    while (text_starts_with(path, ext))
        path += sizeof ext - 1;
    return is_file_name(path);
}

enum status reference_archive_record(const struct reference_archive *archive, u64 index,
                                     struct reference_record *record)
{
    if (index >= archive->count)
        return ERR_NOT_FOUND;
    const u8 *raw = archive->records + index * RECORD_SIZE;
    const char *path = (const char *)raw + PATH_AT;
    size_t length = 0;

    while (length < REFERENCE_PATH_SIZE && path[length] != '\0')
        length++;
    if (length == REFERENCE_PATH_SIZE || !is_snapshot_path(path))
        return ERR_CORRUPT;
    *record = (struct reference_record){ get_le64(raw), path };
    return OK;
}

enum status reference_file_decode(const u8 *raw, size_t size, enum reference_hash hash,
                                  struct reference_file *file)
{
    if (size < FILE_HEAD_SIZE)
        return ERR_CORRUPT;
    if (raw[0] != VERSION)
        return ERR_UNSUPPORTED;
    const u8 *data = raw + FILE_HEAD_SIZE;
    u32 stored = get_le32(raw + HASH_AT);

    if (hash_of(hash, data, size - FILE_HEAD_SIZE) != stored)
        return ERR_CORRUPT;
    *file = (struct reference_file){ stored, raw[RC_AT], data, size - FILE_HEAD_SIZE };
    return OK;
}
