/*
 * The files of the original program (Snapper for Genode), which carry the same version byte as ours:
 * to recognise them, to name them as what they are, and to read them for an import. Never to write.
 *
 *   NAME/archive           v:1 hash:4 n:8 | n times: key:8 path:512 length:8
 *   NAME/snapshot/0x1 ...  v:1 hash:4 rc:1 | data
 *
 * NAME is "YYYY-MM-DD HH:MM:SS". Hashes are over what follows n, and over data; by the program's age they
 * are XXH32 or CRC-32, which nothing but trying tells. A path is relative to the directory of NAME;
 * behind its NUL lies whatever memory held.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum reference_hash { REFERENCE_XXH32, REFERENCE_CRC32 };

enum { REFERENCE_PATH_SIZE = 512 };

/* A directory's name; `microseconds` since 1970. */
[[nodiscard]] bool reference_name_decode(const char *text, u64 *microseconds);

struct reference_archive {
    enum reference_hash hash;
    u64 count;
    const u8 *records; /* borrowed */
};

/*
 * Everything is checked. ERR_UNSUPPORTED: another version; ERR_CORRUPT: not such an archive, or damaged.
 * `why` says it in words.
 */
enum status reference_archive_decode(const u8 *raw, size_t size,
                                     struct reference_archive *archive, const char **why);

struct reference_record {
    u64 key;
    const char *path; /* "NAME/snapshot/ext/0x1f", nowhere else */
};
/*
 * Ascending keys; several records of one key are copies, the oldest first. ERR_CORRUPT: a path that does
 * not lead to a snapshot file under the tree.
 */
enum status reference_archive_record(const struct reference_archive *archive, u64 index,
                                     struct reference_record *record);

struct reference_file {
    u32 hash;
    u8 rc;
    const u8 *data; /* borrowed */
    size_t size;
};
/* ERR_UNSUPPORTED, ERR_CORRUPT. Which hash is right is known from the archive that lists the file. */
enum status reference_file_decode(const u8 *raw, size_t size, enum reference_hash hash,
                                  struct reference_file *file);
