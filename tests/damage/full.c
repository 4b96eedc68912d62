#include "tests/damage/full.h"

#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/check.h"
#include "kernel/fs/ext4/feature.h"
#include "snapper/retention.h"
#include "tests/support/hostile_use.h"
#include "tests/support/image_seal.h"
#include "tests/support/port_host.h"

#include <stdlib.h>

enum {
    CHUNK = 64 * KIB,
    NEW_GENERATION = 5,
    JOURNAL_BLOCKS_AT = 16,
    SPARE_BLOCKS = 50,
    SPARE_INODES = 40
};

struct full {
    const struct full_case *now;
    struct snapper_config config;
    struct ext4 *fs;
    struct ext4_store store;
    struct snapper *snapper;
    bool has_oldest;
    char *why;
    size_t why_size;
};

const char *full_outcome_name(enum full_outcome outcome)
{
    static const char *const names[FULL_OUTCOMES] = { "taken", "refused", "unusable",
                                                      "wrong" };
    return names[outcome];
}

bool full_is_suitable(const struct victim *victim)
{
    return ext4_has_incompat(victim->places.fs, EXT4_INCOMPAT_EXTENTS); /* for ballast */
}

static bool complain(struct full *full, const char *what, enum status status)
{
    format_text(full->why, full->why_size, "%s: %s", what, status_text(status));
    return false;
}

static bool expect(struct full *full, const char *what, enum status status)
{
    return status == OK || complain(full, what, status);
}

/* --- little is left --- */

static u64 free_blocks(const struct full *full)
{
    struct ext4_space space;
    ext4_space(full->fs, &space);
    return space.free_blocks;
}

static u64 free_inodes(const struct full *full)
{
    struct ext4_space space;
    ext4_space(full->fs, &space);
    return space.free_inodes;
}

/* Leaves so many blocks, or a few less. */
static bool take_blocks(struct full *full, u64 left)
{
    static const u8 zeros[CHUNK];
    struct ext4_space space;
    enum status status;
    u64 at = 0;
    u32 inode;

    status = ext4_create(full->fs, EXT4_ROOT_INODE, "ballast", &inode);
    for (ext4_space(full->fs, &space); status == OK && space.free_blocks > left;
         ext4_space(full->fs, &space)) {
        u64 size = (space.free_blocks - left) * space.block_size;
        /* The last ones one by one: the map of the file takes blocks, too. */
        if (size > CHUNK)
            size = size < 2 * CHUNK ? space.block_size : CHUNK;
        else
            size = space.block_size;
        status = ext4_write(full->fs, inode, at, zeros, size);
        at += size;
    }
    return expect(full, "ballast", status) &&
           expect(full, "ballast", ext4_commit(full->fs));
}

static bool take_inodes(struct full *full, u64 left)
{
    enum status status = OK;
    char name[40];
    u32 directory, inode;

    status = ext4_make_directory(full->fs, EXT4_ROOT_INODE, "ballast", &directory);
    for (u64 i = 0; status == OK && free_inodes(full) > left; i++) {
        format_text(name, sizeof name, "%lu", i);
        status = ext4_create(full->fs, directory, name, &inode);
        if (status == OK && i % 32 == 0)
            status = ext4_commit(full->fs);
    }
    return expect(full, "ballast", status) &&
           expect(full, "ballast", ext4_commit(full->fs));
}

/* Blocks for one generation. */
static bool keep_spare(struct full *full)
{
    static const u8 zeros[SPARE_BLOCKS * 4096];
    u32 inode;

    return expect(full, "ballast",
                  ext4_create(full->fs, EXT4_ROOT_INODE, "spare", &inode)) &&
           expect(full, "ballast",
                  ext4_write(full->fs, inode, 0, zeros,
                             SPARE_BLOCKS * full->fs->superblock.block_size)) &&
           expect(full, "ballast", ext4_commit(full->fs));
}

static bool give_back(struct full *full)
{
    enum status status = OK;
    char name[40];
    u32 directory;

    if (full->now->kind == FULL_BLOCKS)
        status = ext4_unlink(full->fs, EXT4_ROOT_INODE, "spare");
    else
        status = ext4_resolve(full->fs, "/ballast", &directory);
    for (u64 i = 0; full->now->kind == FULL_INODES && i < SPARE_INODES && status == OK;
         i++) {
        format_text(name, sizeof name, "%lu", i);
        status = ext4_unlink(full->fs, directory, name);
    }
    return expect(full, "ballast", status) &&
           expect(full, "ballast", ext4_commit(full->fs));
}

static void shrink_journal(const struct full_case *now, struct layered_disk *disk)
{
    const struct image_places *places = &now->victim->places;
    const struct place *place = image_place(places, PLACE_JOURNAL_SUPERBLOCK, 0);
    u8 *image = malloc(disk->size_bytes);

    ASSERT(image);
    layered_disk_copy(disk, image);
    put_be32(image + place->at + JOURNAL_BLOCKS_AT, JOURNAL_BLOCKS_MIN + now->left);
    image_seal(places, place, image);
    for (u64 at = place->at; at < place->at + place->size; at += SECTOR_SIZE)
        layered_disk_put(disk, at / SECTOR_SIZE, image + at);
    free(image);
}

/* --- a generation --- */

static enum status take(struct full *full, struct generation_name *name)
{
    static u8 pages[VICTIM_IDS][VICTIM_OBJECT_MAX];
    struct snapper_commit_report report;

    enum status status = init_snapshot(full->snapper, NULL);
    for (u64 id = 0; id <= full->now->variant && status == OK; id++) {
        size_t size = victim_content(NEW_GENERATION, id, pages[id]);
        status = take_snapshot(full->snapper, pages[id], size, id);
    }
    if (status == OK)
        status = commit_snapshot(full->snapper, "full", &report);
    if (status == OK)
        *name = report.name;
    return status;
}

static bool check_taken(struct full *full, const struct generation_name *name)
{
    static u8 expected[VICTIM_OBJECT_MAX], found[VICTIM_OBJECT_MAX];
    struct snapper_view *view;
    size_t size;
    bool right = true;

    if (!expect(full, "the new generation", view_open(full->snapper, name->text, &view)))
        return false;
    for (u64 id = 0; id <= full->now->variant && right; id++) {
        size_t wanted = victim_content(NEW_GENERATION, id, expected);
        right = view_restore(view, found, sizeof found, id, &size) == OK &&
                size == wanted && memcmp(found, expected, size) == 0;
    }
    view_close(view);
    return right || complain(full, "the new generation has other bytes", OK);
}

/* The old ones, the session, the file system. */
static bool check_rest(struct full *full)
{
    struct ext4_check_report report;

    if (snapper_state(full->snapper) != SNAPPER_DORMANT)
        return complain(full, "session is not dormant", OK);
    for (size_t i = full->has_oldest ? 0 : 1; i < VICTIM_GENERATIONS; i++)
        if (!victim_generation_is_right(full->snapper, full->now->victim, i, true))
            return complain(full, "an old generation is not what it was", OK);
    return expect(full, "check", ext4_check(full->fs, &report)) &&
           (report.problems == 0 || complain(full, "the file system is damaged", OK));
}

static bool is_refusal(struct full *full, enum status status)
{
    if (status != ERR_NO_SPACE &&
        !(full->now->kind == FULL_JOURNAL && status == ERR_TRANSACTION_FULL))
        return complain(full, "refused", status);
    return port_host_complaints() > 0 || complain(full, "no word why", status);
}

/* What was refused; a purge then helps. */
static bool purge_and_retry(struct full *full)
{
    struct snapper_purge_report report;
    struct generation_name name;
    u64 before = free_blocks(full);

    full->config.min_snapshots = 0;
    enum status status =
        purge(full->snapper, full->now->victim->generations[0].text, &report);
    if (full->now->kind == FULL_JOURNAL && status == ERR_TRANSACTION_FULL)
        return true; /* the journal stays as small as it is */
    if (!expect(full, "purge", status))
        return false;
    full->has_oldest = false;
    if (free_blocks(full) <= before)
        return complain(full, "purging frees nothing", OK);
    if (full->now->kind == FULL_JOURNAL)
        return check_rest(full);
    full->config.min_snapshots = VICTIM_GENERATIONS - 1;
    return give_back(full) && expect(full, "again, with space", take(full, &name)) &&
           check_taken(full, &name) && check_rest(full);
}

static enum full_outcome try_generation(struct full *full)
{
    struct generation_name name;
    u64 blocks = free_blocks(full), inodes = free_inodes(full);

    port_host_clear_log();
    enum status status = take(full, &name);
    if (status == OK)
        return check_taken(full, &name) && check_rest(full) ? FULL_TAKEN : FULL_WRONG;
    if (!is_refusal(full, status) || !check_rest(full))
        return FULL_WRONG;
    if (free_blocks(full) != blocks || free_inodes(full) != inodes) {
        format_text(full->why, full->why_size, "leaked: %lu blocks, %lu inodes",
                    blocks - free_blocks(full), inodes - free_inodes(full));
        return FULL_WRONG;
    }
    return purge_and_retry(full) ? FULL_REFUSED : FULL_WRONG;
}

/* --- all --- */

static bool prepare(struct full *full)
{
    if (full->now->kind == FULL_BLOCKS)
        return keep_spare(full) && take_blocks(full, full->now->left);
    return full->now->kind == FULL_JOURNAL || take_inodes(full, full->now->left);
}

static enum full_outcome use_mounted(struct full *full)
{
    enum full_outcome outcome = FULL_WRONG;

    if (!prepare(full))
        return outcome;
    ext4_store_init(&full->store, full->fs);
    enum status status = snapper_open(&full->store.store, &full->config, &full->snapper);
    if (!expect(full, "open", status))
        return outcome;
    outcome = try_generation(full);
    snapper_close(full->snapper);
    return outcome;
}

enum full_outcome full_try(const struct full_case *now, struct layered_disk *disk,
                           char *why, size_t why_size)
{
    struct ext4_mount_options options = { .cache_capacity = 256 };
    struct full full = { .now = now,
                         .config = now->victim->config,
                         .has_oldest = true,
                         .why = why,
                         .why_size = why_size };

    full.config.reserve = 0;
    full.config.min_snapshots = VICTIM_GENERATIONS; /* none goes by itself */
    layered_disk_reset(disk, now->victim->places.clean.bytes);
    if (now->kind == FULL_JOURNAL)
        shrink_journal(now, disk);
    port_host_clear_log();
    if (ext4_mount(&disk->disk, &options, &full.fs) != OK) {
        bool named = now->kind == FULL_JOURNAL && port_host_complaints() > 0;
        return named ? FULL_UNUSABLE : (complain(&full, "no mount", OK), FULL_WRONG);
    }
    enum full_outcome outcome = use_mounted(&full);
    enum status status = ext4_unmount(full.fs);
    if (outcome != FULL_WRONG && !expect(&full, "unmount", status))
        outcome = FULL_WRONG;
    return outcome;
}
