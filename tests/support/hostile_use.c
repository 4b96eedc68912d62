#include "tests/support/hostile_use.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/check.h"
#include "snapper/retention.h"
#include "snapper/verify.h"
#include "tests/support/port_host.h"

enum {
    WALK_DEPTH = 3,
    WALK_NAMES = 700,
    WALK_NAMES_BRIEF = 100,
    CHANGES = 24,
    DATA_SIZE = 20 * KIB
};

static u8 data[DATA_SIZE];

static bool wrong(struct hostile_use *use, const char *what, const char *why)
{
    format_text(use->why, sizeof use->why, "%s: %s", what, why);
    return false;
}

/* Corruption is never a mere number: a line says what is corrupt. */
static bool check(struct hostile_use *use, const char *what, enum status status)
{
    if ((status == ERR_CORRUPT || status == ERR_UNSUPPORTED) &&
        port_host_complaints() == 0)
        return wrong(use, what, "no word in the log");
    return true;
}

/* --- files --- */

static bool walk(struct hostile_use *use, struct ext4 *fs, u32 directory, int depth)
{
    struct ext4_directory_entry entry;
    u64 cursor = 0;
    size_t got;

    for (int i = 0; i < (use->is_brief ? WALK_NAMES_BRIEF : WALK_NAMES); i++) {
        enum status status = ext4_directory_next(fs, directory, &cursor, &entry);
        if (!check(use, "directory", status))
            return false;
        if (status != OK)
            return true;
        if (entry.type == EXT4_DIRECTORY && depth < WALK_DEPTH &&
            !walk(use, fs, entry.inode, depth + 1))
            return false;
        status = ext4_read(fs, entry.inode, 0, data, sizeof data, &got);
        if (!check(use, "read", status))
            return false;
    }
    return true;
}

static enum status change_file(struct ext4 *fs, u64 *random, u32 directory,
                               const char *name)
{
    u32 inode;
    u64 at = (random_next(random) >> 20) % (100 * KIB);

    switch (random_next(random) % 8) {
    case 0:
        return ext4_create(fs, directory, name, &inode);
    case 1:
        return ext4_unlink(fs, directory, name);
    case 2:
        return ext4_make_directory(fs, directory, name, &inode);
    case 3:
        return ext4_commit(fs);
    case 4:
        return ext4_rename(fs, directory, name, EXT4_ROOT_INODE, "moved");
    default:
        break;
    }
    enum status status = ext4_lookup(fs, directory, name, &inode);
    if (status != OK)
        return status;
    return random_next(random) % 3 ? ext4_write(fs, inode, at, data, at % DATA_SIZE)
                                   : ext4_truncate(fs, inode, at);
}

static bool change_files(struct hostile_use *use, struct ext4 *fs)
{
    u64 random = use->seed * 2 + 1;
    u32 directory = EXT4_ROOT_INODE;
    char name[64];

    (void)!ext4_resolve(fs, "/many", &directory);
    for (int i = 0; i < CHANGES; i++) {
        format_text(name, sizeof name, "a-file-with-a-name-of-some-length-%u", i);
        bool root = random_next(&random) % 3 == 0;
        enum status status = change_file(fs, &random, root ? EXT4_ROOT_INODE : directory,
                                         root ? (i % 2 ? "sparse" : "old") : name);
        if (!check(use, "change", status))
            return false;
        if (status != OK && status != ERR_NOT_FOUND && status != ERR_EXISTS)
            ext4_rollback(fs);
    }
    return check(use, "commit", ext4_commit(fs));
}

/* --- generations --- */

bool victim_generation_is_right(struct snapper *snapper, const struct victim *victim,
                                size_t number, bool must)
{
    static u8 expected[VICTIM_OBJECT_MAX], found[VICTIM_OBJECT_MAX];
    struct snapper_view *view;
    bool right = true;
    size_t size;

    if (view_open(snapper, victim->generations[number].text, &view) != OK)
        return !must;
    for (u64 id = 0; id < VICTIM_IDS && right; id++) {
        size_t wanted = victim_content(number, id, expected);
        right = view_restore(view, found, sizeof found, id, &size) == OK
                    ? size == wanted && memcmp(found, expected, size) == 0
                    : !must;
    }
    view_close(view);
    return right;
}

static bool restore_from(struct hostile_use *use, struct snapper *snapper, size_t first)
{
    for (size_t i = first; i < VICTIM_GENERATIONS; i++)
        if (!victim_generation_is_right(snapper, use->victim, i, false) && use->is_intact)
            return wrong(use, "generations", "an object has other bytes");
    return true;
}

static bool take_generation(struct hostile_use *use, struct snapper *snapper)
{
    static u8 pages[VICTIM_IDS][VICTIM_OBJECT_MAX];
    struct snapper_commit_report report;

    enum status status = open_generation(snapper, NULL);
    if (status == OK)
        status = close_generation(snapper);
    status = init_snapshot(snapper, NULL);
    if (status != OK)
        return check(use, "init", status);
    for (u64 id = 0; id < VICTIM_IDS; id++) {
        size_t size = victim_content(id % 5, id, pages[id]);
        (void)!take_snapshot(snapper, pages[id], size, id);
    }
    return check(use, "commit", commit_snapshot(snapper, "hostile", &report));
}

static bool keep_house(struct hostile_use *use, struct snapper *snapper)
{
    struct snapper_cleanup_report cleaned;
    struct snapper_purge_report purged;
    struct snapper_verify_report verified;
    u64 changed;

    return check(use, "clean up", snapper_cleanup(snapper, &cleaned)) &&
           check(use, "purge",
                 purge(snapper, use->victim->generations[0].text, &purged)) &&
           check(use, "settle", snapper_settle(snapper, &changed)) &&
           check(use, "repair", snapper_repair(snapper, NULL, &verified));
}

enum { RESTORE = 1, TAKE = 2, KEEP_HOUSE = 4, RESTORE_AGAIN = 8, ALL_PARTS = 15 };

static bool use_generations(struct hostile_use *use, struct ext4 *fs, int parts)
{
    struct snapper_generation_info info;
    struct ext4_store store;
    struct snapper *snapper;

    ext4_store_init(&store, fs);
    enum status status = snapper_open(&store.store, &use->victim->config, &snapper);
    if (status != OK)
        return check(use, "open", status);
    size_t count = parts & RESTORE ? snapper_generation_count(snapper) : 0;
    for (size_t i = 0; i < count && i < 2 * VICTIM_GENERATIONS; i++)
        (void)!snapper_generation_info(snapper, i, &info);
    bool right = !(parts & RESTORE) || restore_from(use, snapper, 0);
    if (right && parts & TAKE)
        right = take_generation(use, snapper);
    if (right && parts & KEEP_HOUSE)
        right = keep_house(use, snapper);
    if (right && parts & RESTORE_AGAIN)
        right = restore_from(use, snapper, 1);
    if (right && snapper_state(snapper) != SNAPPER_DORMANT)
        right = wrong(use, "session", "not dormant");
    snapper_close(snapper);
    return right;
}

/* --- all --- */

/* One path, and what is at its end. */
static bool glance(struct hostile_use *use, struct ext4 *fs)
{
    static const char *const paths[] = {
        "/many",    "/many/a-file-with-a-name-of-some-length-7",
        "/sparse",  "/old",
        "/slow",    "/fast",
        "/snapper", "/snapper.conf",
    };
    struct ext4_directory_entry entry;
    u64 cursor = 0;
    u32 inode;
    size_t got;

    enum status status =
        ext4_resolve(fs, paths[use->seed / 16 % ARRAY_LENGTH(paths)], &inode);
    if (status == OK)
        status = ext4_read(fs, inode, 0, data, sizeof data, &got);
    if (status == ERR_IS_DIRECTORY)
        status = ext4_directory_next(fs, inode, &cursor, &entry);
    return check(use, "glance", status);
}

static bool use_briefly(struct hostile_use *use, struct ext4 *fs)
{
    struct ext4_check_report report;

    if (use->seed % 16 >= 8)
        return glance(use, fs);
    switch (use->seed % 8) {
    case 0:
        return walk(use, fs, EXT4_ROOT_INODE, 0);
    case 1:
        return check(use, "check", ext4_check(fs, &report));
    case 2:
    case 3:
        return change_files(use, fs);
    case 4:
        return use_generations(use, fs, TAKE);
    case 5:
        return use_generations(use, fs, KEEP_HOUSE);
    case 6:
        return use_generations(use, fs, TAKE | RESTORE_AGAIN);
    default:
        return use_generations(use, fs, RESTORE);
    }
}

static bool use_mounted(struct hostile_use *use, struct ext4 *fs)
{
    struct ext4_check_report report;

    if (use->is_brief)
        return use_briefly(use, fs);

    /* Half of them meet the generations before anything else has changed. */
    bool files_first = use->seed & 1;
    return (!files_first || change_files(use, fs)) &&
           use_generations(use, fs, ALL_PARTS) && walk(use, fs, EXT4_ROOT_INODE, 0) &&
           (files_first || change_files(use, fs)) &&
           check(use, "check", ext4_check(fs, &report));
}

static bool use_once(struct hostile_use *use, struct disk *disk)
{
    struct ext4_mount_options options = { .cache_capacity = 64 };
    struct ext4 *fs;

    enum status status = ext4_mount(disk, &options, &fs);
    if (status != OK)
        return check(use, "mount", status);
    use->mounted = true;
    bool right = use_mounted(use, fs);
    status = ext4_unmount(fs);
    return right && check(use, "unmount", status);
}

static bool check_bounds(struct hostile_use *use, const struct disk *disk, u64 before)
{
    u64 size = disk->sector_count * SECTOR_SIZE;

    use->heap_bytes = port_host_peak_bytes();
    use->read_bytes = disk->statistics.bytes_read;
    if (port_host_outstanding() != before)
        return wrong(use, "memory", "not all is freed");
    if (use->heap_bytes > HOSTILE_HEAP_EXTRA + HOSTILE_HEAP_TIMES * size)
        return wrong(use, "memory", "more than an image of this size may cost");
    if (use->read_bytes > HOSTILE_READ_TIMES * size)
        return wrong(use, "disk", "more reading than an image of this size may cost");
    return true;
}

bool hostile_use(struct hostile_use *use, struct disk *disk)
{
    u64 before = port_host_outstanding();

    /* Lest a new generation be called as one that was lost with the end of the log. */
    port_host_set_time((VICTIM_SECONDS + 3600) * 1000000ULL);
    use->why[0] = '\0';
    use->mounted = false;
    port_host_clear_log();
    port_host_measure();
    disk->statistics = (struct disk_statistics){ 0 };
    /* Twice: what the first one left must do no harm either. */
    return use_once(use, disk) && (use->is_brief || use_once(use, disk)) &&
           check_bounds(use, disk, before);
}
