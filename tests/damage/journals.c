#include "tests/damage/journals.h"

#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/feature.h"
#include "kernel/fs/ext4/journal_file.h"
#include "kernel/fs/ext4/superblock.h"
#include "kernel/fs/jbd2/journal.h"
#include "tests/damage/problems.h"
#include "tests/support/host_run.h"
#include "tests/support/port_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CACHE_BLOCKS = 64 };

struct comparison {
    const struct damage *damage;
    const struct ext4 *fs; /* of the undamaged image */
    struct journal_extent *extents;
    size_t extent_count;
    struct layered_disk *disk;
    u8 *ours, *theirs;
};

const char *journal_outcome_name(enum journal_outcome outcome)
{
    static const char *const names[JOURNAL_OUTCOMES] = { "same", "refused by both",
                                                         "stricter", "unknown",
                                                         "different" };
    return names[outcome];
}

/* --- both replays --- */

static enum status replay_ours(struct comparison *comparison)
{
    const struct ext4_superblock *superblock = &comparison->fs->superblock;
    struct journal_location location = {
        .extents = comparison->extents,
        .extent_count = comparison->extent_count,
        .checksums = ext4_has_checksums(comparison->fs),
        .wide_blocks = ext4_has_incompat(comparison->fs, EXT4_INCOMPAT_64BIT),
    };
    struct journal_replay_report report;
    struct journal *journal;
    struct cache cache;

    layered_disk_reset(comparison->disk, comparison->damage->image);
    cache_open(&cache, &comparison->disk->disk, superblock->block_size,
               superblock->block_count, CACHE_BLOCKS);
    enum status status = journal_open(&cache, &location, &journal);
    if (status == OK) {
        status = journal_replay(journal, false, &report);
        journal_close(journal);
    }
    cache_close(&cache);
    layered_disk_copy(comparison->disk, comparison->ours);
    return status;
}

static void read_back(struct comparison *comparison, const char *path)
{
    FILE *file = fopen(path, "rb");

    if (!file || fread(comparison->theirs, 1, comparison->disk->size_bytes, file) !=
                     comparison->disk->size_bytes) {
        perror(path);
        exit(2);
    }
    fclose(file);
    unlink(path);
}

/* Returns what it said. */
static const char *replay_theirs(struct comparison *comparison)
{
    const char *path = problems_path();

    image_save(path, comparison->damage->image, comparison->disk->size_bytes);
    const char *output = host_run(
        255, "( timeout -s KILL 10 e2fsck -E journal_only -y %s; echo \"exit $?\" ) 2>&1",
        path);
    read_back(comparison, path);
    return output;
}

/* The same code in debugfs, which repairs nothing afterwards. */
static void replay_theirs_alone(struct comparison *comparison)
{
    const char *path = problems_path();

    image_save(path, comparison->damage->image, comparison->disk->size_bytes);
    host_run(255, "timeout -s KILL 10 debugfs -w -R journal_run %s 2>&1", path);
    read_back(comparison, path);
}

/* --- their results --- */

static bool is_in_journal(const struct comparison *comparison, u64 block)
{
    for (size_t i = 0; i < comparison->extent_count; i++)
        if (block - comparison->extents[i].disk_block < comparison->extents[i].count)
            return true;
    return false;
}

/*
 * What a replay may change in the superblock beside what the log holds: time of writing and of the
 * last check, state, the recovery flag, kilobytes written, the checksum.
 */
static void blank_superblock(u8 *image)
{
    static const struct {
        u16 at, size;
    } fields[] = { { 0x30, 4 },  { 0x3A, 2 },  { 0x40, 4 }, { 0x60, 1 },
                   { 0x178, 8 }, { 0x274, 6 }, { 0x3FC, 4 } };

    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++)
        memset(image + EXT4_SUPERBLOCK_BYTES + fields[i].at, 0, fields[i].size);
}

/* The first block in which they differ; 0: none. */
static u64 first_difference(struct comparison *comparison)
{
    u32 size = comparison->fs->superblock.block_size;

    blank_superblock(comparison->ours);
    blank_superblock(comparison->theirs);
    for (u64 block = 0; block < comparison->fs->superblock.block_count; block++)
        if (!is_in_journal(comparison, block) &&
            memcmp(comparison->ours + block * size, comparison->theirs + block * size,
                   size) != 0)
            return block ? block : 1;
    return 0;
}

/*
 * Reasons for which we refuse a log that e2fsck takes:
 *   - behind the end that it finds stands a commit block: a committed transaction is damaged. It
 *     drops that and all later ones.
 *   - a committed copy does not have its checksum. It replays the others.
 *   - a tag leads outside of the file system or into the journal, or a copy beyond the log's end. It
 *     skips the first and writes over its own log.
 *   - the journal's superblock describes no log that could be used: it looks no further if that is
 *     empty, and starts before the first block of a log if it is told to.
 *   - a table of revokes is longer than its block. It stops there and takes what is before.
 */
static bool is_stricter(void)
{
    return port_host_logged("was committed and is damaged") ||
           port_host_logged("bad checksum") || port_host_logged("tag for block") ||
           port_host_logged("revoke") || port_host_logged("superblock: log ");
}

static bool refuses(const char *output)
{
    return strstr(output, "ournal superblock is corrupt") ||
           strstr(output, "corrupted journal superblock") ||
           strstr(output, "unsupported feature") ||
           strstr(output, "Journal version not supported") ||
           strstr(output, "ournal superblock has an unknown");
}

static enum journal_outcome judge(struct comparison *comparison, enum status status,
                                  const char *output, char *why, size_t why_size)
{
    bool died = strstr(output, "exit 137") || strstr(output, "Signal (");

    if (status != OK && memcmp(comparison->ours, comparison->damage->image,
                               comparison->disk->size_bytes) != 0) {
        format_text(why, why_size, "refused, and written nevertheless");
        return JOURNAL_DIFFERENT;
    }
    if (died || strstr(output, "Clearing fields beyond"))
        return JOURNAL_UNKNOWN;
    if (status != OK && refuses(output))
        return JOURNAL_REFUSED;
    if (status != OK && is_stricter())
        return JOURNAL_STRICTER;
    if (status != OK) {
        format_text(why, why_size, "%s, and e2fsck takes it", status_text(status));
        return JOURNAL_DIFFERENT;
    }
    if (refuses(output)) {
        format_text(why, why_size, "taken, and e2fsck refuses it");
        return JOURNAL_DIFFERENT;
    }
    if (strstr(output, "? yes") || strstr(output, "Adding dirhash hint") ||
        strstr(output, "Backing up journal"))
        replay_theirs_alone(comparison);
    u64 block = first_difference(comparison);
    if (block == 0)
        return JOURNAL_SAME;
    format_text(why, why_size, "block %lu is another one", block);
    return JOURNAL_DIFFERENT;
}

enum journal_outcome journal_compare(const struct damage *damage,
                                     struct layered_disk *disk, char *why,
                                     size_t why_size)
{
    struct comparison comparison = { .damage = damage,
                                     .fs = damage->places->fs,
                                     .disk = disk,
                                     .ours = malloc(disk->size_bytes),
                                     .theirs = malloc(disk->size_bytes) };

    ASSERT(comparison.ours && comparison.theirs);
    ASSERT(ext4_journal_locate(damage->places->fs, &comparison.extents,
                               &comparison.extent_count) == OK);
    port_host_clear_log();
    enum status status = replay_ours(&comparison);
    const char *output = replay_theirs(&comparison);
    enum journal_outcome outcome = judge(&comparison, status, output, why, why_size);
    if (outcome == JOURNAL_DIFFERENT && getenv("TEST_LOG"))
        fprintf(stderr, "%s", output);
    port_free(comparison.extents);
    free(comparison.ours);
    free(comparison.theirs);
    return outcome;
}
