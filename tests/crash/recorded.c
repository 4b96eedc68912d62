/*
 *   header   u64 magic, u64 version, u64 entries, u32 sector size; padded to a sector
 *   entry    u64 sector, u64 sectors, u64 flags, u64 length of a mark; padded; then the data
 *
 * In order of completion. A flush stands where it finished. The header's count may lag behind.
 */
#include "tests/crash/recorded.h"

#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/fs/ext4/check.h"
#include "snapper/store/ext4_store.h"
#include "snapper/verify.h"
#include "tests/crash/cut.h"
#include "tests/crash/distinct.h"
#include "tests/crash/explore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLAG_FLUSH = 1, MARKS_MAX = 4096 };
static const u64 log_magic = 0x6a736677736872;

struct mark {
    u64 begun, acknowledged;
};

struct recording {
    const char *prefix;
    struct ram_disk base, log;
    struct ram_disk_record *records; /* data is borrowed from the log */
    size_t count;
    struct mark marks[MARKS_MAX];
    size_t mark_count;
};

static _Noreturn void refuse(const struct recording *recording, const char *why)
{
    fprintf(stderr, "crash: %s: %s\n", recording->prefix, why);
    exit(2);
}

static const char *path_of(const struct recording *recording, const char *suffix)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s.%s", recording->prefix, suffix);
    return path;
}

/* --- reading --- */

/* The entry at *at; false: there is no further one. */
static bool next_entry(const struct recording *recording, size_t *at,
                       struct ram_disk_record *record)
{
    const u8 *raw = recording->log.bytes + *at;
    if (*at + SECTOR_SIZE > recording->log.size_bytes)
        return false;
    u64 sectors = get_le64(raw + 8), flags = get_le64(raw + 16);
    u64 left = (recording->log.size_bytes - *at) / SECTOR_SIZE - 1;
    if ((sectors == 0 && flags == 0) || sectors > left)
        return false;
    if (flags & ~(u64)FLAG_FLUSH || (flags && sectors))
        refuse(recording, "neither a write nor a flush");
    *record = (struct ram_disk_record){
        .operation = flags ? DISK_FLUSH : DISK_WRITE,
        .sector = get_le64(raw),
        .size_bytes = sectors * SECTOR_SIZE,
        .data = recording->log.bytes + *at + SECTOR_SIZE,
    };
    if (record->sector > recording->base.disk.sector_count ||
        sectors > recording->base.disk.sector_count - record->sector)
        refuse(recording, "a write beyond the disk");
    *at += (1 + sectors) * SECTOR_SIZE;
    return true;
}

static void read_log(struct recording *recording)
{
    struct ram_disk_record record;
    size_t at = SECTOR_SIZE, capacity = 0;

    if (get_le64(recording->log.bytes) != log_magic)
        refuse(recording, "no log of writes");
    while (next_entry(recording, &at, &record)) {
        if (recording->count == capacity) {
            capacity = 2 * capacity + 256;
            recording->records =
                realloc(recording->records, capacity * sizeof *recording->records);
            if (!recording->records)
                refuse(recording, "no memory");
        }
        recording->records[recording->count++] = record;
    }
}

static void read_marks(struct recording *recording)
{
    unsigned long long begun, acknowledged;
    FILE *file = fopen(path_of(recording, "marks"), "r");

    if (!file)
        refuse(recording, "no marks");
    while (recording->mark_count < MARKS_MAX &&
           fscanf(file, "%llu %llu", &begun, &acknowledged) == 2)
        recording->marks[recording->mark_count++] = (struct mark){ begun, acknowledged };
    fclose(file);
}

/* --- judging --- */

struct opened {
    struct ext4 *fs;
    struct ext4_store store;
    struct snapper *snapper;
    const char *why; /* static */
};

static bool fail(struct opened *opened, const char *why)
{
    opened->why = why;
    return false;
}

static bool count_is_right(const struct recording *recording, size_t cut, size_t count)
{
    size_t least = 0, most = 0;
    for (size_t i = 0; i < recording->mark_count; i++) {
        least += recording->marks[i].acknowledged <= cut;
        most += recording->marks[i].begun < cut;
    }
    return least <= count && count <= most;
}

static bool is_whole(struct opened *opened)
{
    struct snapper_cleanup_report cleaned;
    struct snapper_verify_report verified;
    struct ext4_check_report checked;

    if (snapper_cleanup(opened->snapper, &cleaned) != OK)
        return fail(opened, "clean-up");
    if (snapper_verify(opened->snapper, NULL, &verified) != OK ||
        !snapper_verify_is_clean(&verified))
        return fail(opened, "verify");
    if (ext4_check(opened->fs, &checked) != OK || checked.problems > 0)
        return fail(opened, "check of the file system");
    return true;
}

static bool judge_opened(const struct recording *recording, struct opened *opened,
                         struct disk *disk, size_t cut)
{
    struct ext4_mount_options options = { .cache_capacity = 512 };
    struct snapper_config_sources sources;
    static struct snapper_config config;

    config_defaults(&config, &sources);
    if (ext4_mount(disk, &options, &opened->fs) != OK)
        return fail(opened, "mount");
    ext4_store_init(&opened->store, opened->fs);
    if (snapper_open(&opened->store.store, &config, &opened->snapper) != OK)
        return fail(opened, "open");
    if (!count_is_right(recording, cut, snapper_generation_count(opened->snapper)))
        return fail(opened, "generations");
    return is_whole(opened);
}

static void judge_state(const struct recording *recording, struct disk *disk, size_t cut,
                        u64 choice)
{
    struct opened opened = { .why = "" };
    bool right = judge_opened(recording, &opened, disk, cut);

    if (opened.snapper)
        snapper_close(opened.snapper);
    if (opened.fs)
        ext4_drop(opened.fs);
    exploration.states[0]++;
    if (right)
        return;
    exploration.failures++;
    printf("FAILED %s: crash --recorded %s: behind record %zu, choice %llu\n", opened.why,
           recording->prefix, cut, (unsigned long long)choice);
    fflush(stdout);
    if (exploration.stop)
        exit(1);
}

/* --- cuts --- */

static void explore_cuts(const struct recording *recording)
{
    struct cut_walk walk;
    struct layered_disk disk;
    u64 each = exploration.states_wanted / (recording->count + 1) + 1;

    layered_disk_open(&disk, recording->base.size_bytes);
    cut_walk_open(&walk, recording->base.bytes,
                  cut_image_number(recording->base.bytes, recording->base.size_bytes),
                  recording->base.size_bytes, recording->records, recording->count);
    for (size_t cut = 0; cut <= recording->count; cut++) {
        cut_walk_to(&walk, cut);
        exploration.cuts++;
        for (u64 choice = 0; choice < each; choice++) {
            u64 image =
                cut_apply(&walk, choice + exploration.seed * each * (choice > 0), &disk);
            exploration.distinct[0] += distinct_add(image);
            judge_state(recording, &disk.disk, cut, choice);
        }
    }
    cut_walk_close(&walk);
    layered_disk_close(&disk);
}

void recorded_explore(const char *prefix)
{
    static struct recording recording;

    recording = (struct recording){ .prefix = prefix };
    if (!ram_disk_load(&recording.base, path_of(&recording, "img")) ||
        !ram_disk_load(&recording.log, path_of(&recording, "log")))
        refuse(&recording, "cannot be read");
    read_log(&recording);
    read_marks(&recording);
    explore_cuts(&recording);
    exploration.images += exploration.distinct[0];
    printf("%zu records, %zu generations\n", recording.count, recording.mark_count);
    free(recording.records);
    ram_disk_close(&recording.log);
    ram_disk_close(&recording.base);
}
