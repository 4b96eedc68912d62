#include "tests/damage/rot.h"

#include "kernel/base/crc.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/verify.h"
#include "tests/support/hostile_use.h"
#include "tests/support/port_host.h"

enum { DEPTH_MAX = 8, NAMES_MAX = 5000 };

struct rot {
    const struct rot_truth *truth;
    struct ext4 *fs;
    struct snapper *snapper;
    bool failed; /* something could not be read */
    bool healed;
    bool left; /* all that stays damaged is not Snapper's to mend */
    bool undone;
    bool repair_first; /* else reading is what comes across the damage */
    char *why;
    size_t why_size;
};

const char *rot_outcome_name(enum rot_outcome outcome)
{
    static const char *const names[ROT_OUTCOMES] = { "harmless", "refused",    "reported",
                                                     "healed",   "left alone", "undone",
                                                     "silent" };
    return names[outcome];
}

static bool complain(struct rot *rot, const char *what)
{
    format_text(rot->why, rot->why_size, "%s", what);
    return false;
}

/* An error is explicit if the log says what is wrong. */
static bool is_explicit(struct rot *rot, const char *what)
{
    rot->failed = true;
    return port_host_complaints() > 0 || complain(rot, what);
}

/* --- names --- */

static enum status hash_names(struct ext4 *fs, u32 directory, int depth, u64 *sum)
{
    struct ext4_directory_entry entry;
    struct ext4_stat stat;
    u64 cursor = 0;
    enum status status = OK;

    for (int i = 0; i < NAMES_MAX && depth < DEPTH_MAX; i++) {
        status = ext4_directory_next(fs, directory, &cursor, &entry);
        if (status == OK)
            status = ext4_stat(fs, entry.inode, &stat);
        if (status != OK)
            break;
        u32 crc = crc32c_update(directory, entry.name, strlen(entry.name));
        crc = crc32c_update(crc, &entry.inode, sizeof entry.inode);
        crc = crc32c_update(crc, &stat.size_bytes, sizeof stat.size_bytes);
        *sum += crc32c_update(crc, &stat.type, sizeof stat.type);
        if (entry.type == EXT4_DIRECTORY)
            status = hash_names(fs, entry.inode, depth + 1, sum);
        if (status != OK)
            break;
    }
    return status == ERR_NOT_FOUND ? OK : status;
}

static bool check_names(struct rot *rot)
{
    u64 sum = 0;

    enum status status = hash_names(rot->fs, EXT4_ROOT_INODE, 0, &sum);
    if (status != OK)
        return is_explicit(rot, "a name cannot be read, and no word why");
    return sum == rot->truth->names || rot->undone ||
           complain(rot, "a directory has other names");
}

/* --- generations --- */

/* Of all generations; `whole`: every object is there. */
static bool check_objects(struct rot *rot, bool *whole)
{
    const struct victim *victim = rot->truth->victim;

    *whole = true;
    for (size_t i = 0; i < VICTIM_GENERATIONS; i++) {
        if (victim_generation_is_right(rot->snapper, victim, i, true))
            continue;
        *whole = false;
        if (!victim_generation_is_right(rot->snapper, victim, i, false))
            return complain(rot, "an object has other bytes");
    }
    return *whole || is_explicit(rot, "an object cannot be read, and no word why");
}

static void note_finding(void *context, const struct snapper_finding *finding)
{
    struct rot *rot = context;

    bool another = finding->status == ERR_UNSUPPORTED;
    bool inode = finding->status == ERR_CORRUPT && port_host_logged("ext4: inode");

    rot->left = rot->left && finding->kind == FINDING_COPY && (another || inode);
}

static bool repair(struct rot *rot)
{
    struct snapper_verify_hooks hooks = { .context = rot, .finding = note_finding };
    struct snapper_verify_report report;
    bool whole;

    enum status status = snapper_repair(rot->snapper, NULL, &report);
    rot->left = true;
    if (status == OK)
        status = snapper_verify(rot->snapper, &hooks, &report);
    bool clean = status == OK && snapper_verify_is_clean(&report) && report.damaged == 0;
    rot->left = rot->left && status == OK && !clean;
    if (!clean && !rot->left)
        return complain(rot, "a good copy, and no repair");
    rot->healed = true;
    return check_objects(rot, &whole) &&
           (whole || complain(rot, "an object is gone after the repair"));
}

static bool check_generations(struct rot *rot)
{
    struct snapper_verify_report report;
    bool whole;

    if (rot->repair_first)
        (void)!snapper_repair(rot->snapper, NULL, &report);
    if (!check_objects(rot, &whole))
        return false;
    rot->healed = port_host_logged("rewritten from a good copy");
    enum status status = snapper_verify(rot->snapper, NULL, &report);
    if (status != OK)
        return is_explicit(rot, "verify fails, and no word why");
    bool clean = snapper_verify_is_clean(&report) && report.damaged == 0;
    if (clean && !whole)
        return complain(rot, "verify finds nothing, and an object cannot be read");
    if (report.lost > 0 && whole)
        return complain(rot, "verify has lost what can be read");
    return clean || !whole || repair(rot);
}

/* --- all --- */

static bool use_mounted(struct rot *rot)
{
    struct ext4_store store;

    if (!check_names(rot))
        return false;
    ext4_store_init(&store, rot->fs);
    if (snapper_open(&store.store, &rot->truth->victim->config, &rot->snapper) != OK)
        return is_explicit(rot, "no generations, and no word why");
    bool right = check_generations(rot);
    snapper_close(rot->snapper);
    return right;
}

static enum rot_outcome try_disk(struct rot *rot, struct disk *disk)
{
    struct ext4_mount_options options = { .cache_capacity = 64 };

    port_host_clear_log();
    if (ext4_mount(disk, &options, &rot->fs) != OK)
        return is_explicit(rot, "no mount, and no word why") ? ROT_REFUSED : ROT_SILENT;
    bool right = use_mounted(rot);
    ext4_drop(rot->fs);
    return !right        ? ROT_SILENT
           : rot->undone ? ROT_UNDONE
           : rot->failed ? ROT_REPORTED
           : rot->left   ? ROT_LEFT
           : rot->healed ? ROT_HEALED
                         : ROT_HARMLESS;
}

void rot_learn(struct rot_truth *truth, const struct victim *victim,
               struct layered_disk *disk)
{
    struct ext4_mount_options options = { .cache_capacity = 64 };
    struct ext4 *fs;

    *truth = (struct rot_truth){ .victim = victim };
    layered_disk_reset(disk, victim->places.image.bytes);
    ASSERT(ext4_mount(&disk->disk, &options, &fs) == OK);
    ASSERT(hash_names(fs, EXT4_ROOT_INODE, 0, &truth->names) == OK);
    ext4_drop(fs);
}

/* Nothing tells a damaged last commit block from one that a power cut has kept from the platter. */
static bool is_last_commit(const struct image_places *places, u64 sector)
{
    u32 block_size = places->fs->superblock.block_size, last = 0, sequence, type;
    u64 block = 0;

    for (size_t i = 0; i < image_places_count(places, PLACE_JOURNAL_COMMIT); i++) {
        const struct place *place = image_place(places, PLACE_JOURNAL_COMMIT, i);
        if (!journal_header_decode(places->image.bytes + place->at, &type, &sequence) ||
            sequence < last)
            continue;
        last = sequence;
        block = place->at / block_size;
    }
    return block != 0 && sector * SECTOR_SIZE / block_size == block;
}

enum rot_outcome rot_try(const struct rot_truth *truth, struct layered_disk *disk,
                         u64 sector, enum rot_kind kind, char *why, size_t why_size)
{
    const u8 *image = truth->victim->places.image.bytes;
    struct rot rot = { .truth = truth, .why = why, .why_size = why_size };
    rot.repair_first = sector / 2 % 2;
    rot.undone = is_last_commit(&truth->victim->places, sector);
    u64 random = sector * 2 + 1;
    u8 raw[SECTOR_SIZE] = { 0 };

    if (kind == ROT_BIT) {
        memcpy(raw, image + sector * SECTOR_SIZE, SECTOR_SIZE);
        u64 bit = (random_next(&random) >> 20) % (8ULL * SECTOR_SIZE);
        raw[bit / 8] ^= (u8)(1u << bit % 8);
    }
    for (size_t i = 0; kind == ROT_NOISE && i < SECTOR_SIZE; i++)
        raw[i] = (u8)(random_next(&random) >> 30);
    layered_disk_reset(disk, image);
    layered_disk_put(disk, sector, raw);
    return try_disk(&rot, &disk->disk);
}
