#include "tests/support/snapper_operations.h"

#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/diff.h"
#include "snapper/retention.h"
#include "snapper/transfer.h"
#include "snapper/usage.h"
#include "snapper/verify.h"
#include "tests/support/memory_stream.h"
#include "tests/support/port_host.h"

#include <string.h>

enum { SIZE = 40, PAGES = 14, GENERATIONS = 4 };

/* The clock stands when they are made, so their names are the same each time. */
static const u64 scene_time = 1795246200000000;
static struct generation_name names[GENERATIONS];

const char *snapper_operations_generation(size_t index)
{
    return names[index].text;
}

/* --- streams in memory --- */

static struct memory_stream full, increment;
static u8 *archive;
static size_t archive_size;

static enum status export_to(struct fixture *fixture, struct memory_stream *stream,
                             const char *name, const char *base)
{
    struct snapper_transfer_report report;

    return snapper_export(fixture->snapper, name, base, memory_stream_write(stream),
                          &report);
}

static enum status import_from(struct fixture *fixture, struct memory_stream *stream)
{
    struct snapper_transfer_report report;

    return snapper_import(fixture->snapper, memory_stream_read(stream), &report);
}

/* --- a snapshot, there and back --- */

static enum status commit_one(struct fixture *fixture)
{
    static u8 pages[PAGES][SIZE];
    struct snapper_commit_report report;
    enum status status = init_snapshot(fixture->snapper, names[1].text);

    for (u64 i = 0; i < PAGES && status == OK; i++) {
        fill_content(pages[i], SIZE, 700 + i);
        status = take_snapshot(fixture->snapper, pages[i], SIZE - i % 3, 8 + i);
    }
    if (status == OK)
        status = forget(fixture->snapper, 9);
    if (status == OK)
        status = forget_range(fixture->snapper, 2, 5);
    if (status == OK)
        return commit_snapshot(fixture->snapper, "one more", &report);
    if (snapper_state(fixture->snapper) == SNAPPER_CREATION)
        (void)!abort_snapshot(fixture->snapper);
    return status;
}

static enum status close_in_creation(struct fixture *fixture)
{
    static const u8 page[SIZE];
    enum status status = init_snapshot(fixture->snapper, NULL);

    if (status == OK)
        status = take_snapshot(fixture->snapper, page, SIZE, 100);
    if (status != OK && snapper_state(fixture->snapper) != SNAPPER_CREATION)
        return status;
    enum status closed = abort_snapshot(fixture->snapper);
    return status == OK ? closed : status;
}

static enum status restore_all(struct fixture *fixture)
{
    u8 page[SIZE];
    size_t got;
    enum status status = open_generation(fixture->snapper, NULL);

    if (status != OK)
        return status;
    for (u64 id = 0; id < PAGES && status == OK; id++)
        status = restore(fixture->snapper, page, sizeof page, id, &got);
    if (status == OK)
        status = current_restore(fixture->snapper, page, sizeof page, 3, &got);
    enum status closed = close_generation(fixture->snapper);
    return status == OK ? closed : status;
}

static enum status view_all(struct fixture *fixture)
{
    struct snapper_view *view;
    struct snapper_run run;
    u8 page[SIZE];
    size_t got;
    u64 cursor = 0;
    enum status status = view_open(fixture->snapper, names[0].text, &view);

    if (status != OK)
        return status;
    while (status == OK && (status = view_next_run(view, &cursor, &run)) == OK)
        status = view_restore(view, page, sizeof page, run.first_id, &got);
    view_close(view);
    return status == ERR_NOT_FOUND ? OK : status;
}

static enum status reopen(struct fixture *fixture)
{
    struct snapper *another;
    enum status status =
        snapper_open(ram_store_store(fixture->ram), &fixture->config, &another);

    if (status == OK)
        snapper_close(another);
    return status;
}

static enum status info_of_all(struct fixture *fixture)
{
    struct snapper_generation_info info;
    enum status status = OK;

    for (size_t i = 0; i < GENERATIONS && status == OK; i++) {
        status = snapper_generation_info(fixture->snapper, i, &info);
        if (status == OK && fixture->ram)
            status = info.status;
    }
    return status;
}

/* --- upkeep --- */

static enum status pin(struct fixture *fixture)
{
    enum status status = snapper_pin(fixture->snapper, names[1].text);
    return status == OK ? snapper_unpin(fixture->snapper, names[1].text) : status;
}

static enum status roll_back(struct fixture *fixture)
{
    enum status status = snapper_rollback(fixture->snapper, names[1].text);

    if (status == OK)
        status = open_generation(fixture->snapper, NULL);
    if (status == OK)
        status = close_generation(fixture->snapper);
    return status == OK ? snapper_rollback(fixture->snapper, NULL) : status;
}

static enum status purge_oldest(struct fixture *fixture)
{
    struct snapper_purge_report report;
    return purge(fixture->snapper, NULL, &report);
}

static enum status purge_middle(struct fixture *fixture)
{
    struct snapper_purge_report report;
    return purge(fixture->snapper, names[1].text, &report);
}

static enum status purge_by_force(struct fixture *fixture)
{
    struct snapper_purge_report report;
    return purge_forced(fixture->snapper, names[1].text, &report);
}

static enum status purge_too_many(struct fixture *fixture)
{
    struct snapper_purge_report report;

    fixture->config.max_snapshots = 2;
    return purge_expired(fixture->snapper, &report);
}

static enum status look_for_zombies(struct fixture *fixture)
{
    struct snapper_zombie_report report;
    return purge_zombies(fixture->snapper, &report);
}

static enum status settle(struct fixture *fixture)
{
    u64 changed;
    return snapper_settle(fixture->snapper, &changed);
}

static enum status clean_up(struct fixture *fixture)
{
    struct snapper_cleanup_report report;
    return snapper_cleanup(fixture->snapper, &report);
}

static enum status verify(struct fixture *fixture)
{
    struct snapper_verify_report report;
    return snapper_verify(fixture->snapper, NULL, &report);
}

static enum status repair(struct fixture *fixture)
{
    struct snapper_verify_report report;
    return snapper_repair(fixture->snapper, NULL, &report);
}

static enum status diff(struct fixture *fixture)
{
    struct snapper_diff_report report;
    return snapper_diff(fixture->snapper, names[0].text, names[3].text, NULL, NULL,
                        &report);
}

static enum status usage(struct fixture *fixture)
{
    struct snapper_usage one;
    struct snapper_total_usage all;
    enum status status = snapper_usage(fixture->snapper, &names[1], &one);
    return status == OK ? snapper_total_usage(fixture->snapper, &all) : status;
}

/* --- between images --- */

static enum status export_both(struct fixture *fixture)
{
    static struct memory_stream stream;
    enum status status = export_to(fixture, &stream, names[1].text, NULL);

    return status == OK ? export_to(fixture, &stream, names[3].text, names[0].text)
                        : status;
}

static enum status import_both(struct fixture *fixture)
{
    enum status status = import_from(fixture, &full);
    return status == OK ? import_from(fixture, &increment) : status;
}

static enum status archive_out(struct fixture *fixture)
{
    u8 *raw;
    size_t size;
    bool good;
    enum status status =
        snapper_archive_save(fixture->snapper, names[1].text, &raw, &size, &good);

    if (status == OK)
        port_free(raw);
    return status;
}

static enum status archive_in(struct fixture *fixture)
{
    struct generation_name name;
    return snapper_archive_restore(fixture->snapper, archive, archive_size, &name);
}

static enum status archive_by_force(struct fixture *fixture)
{
    struct generation_name name;
    return snapper_archive_force(fixture->snapper, archive, archive_size, &name);
}

const struct snapper_operation snapper_operations[] = {
    { "commit", SCENE_SOUND, commit_one },
    { "commit on damage", SCENE_DAMAGED, commit_one },
    { "abort", SCENE_SOUND, close_in_creation },
    { "restore", SCENE_SOUND, restore_all },
    { "restore damaged", SCENE_DAMAGED, restore_all },
    { "view", SCENE_SOUND, view_all },
    { "view damaged", SCENE_DAMAGED, view_all },
    { "open", SCENE_SOUND, reopen },
    { "info", SCENE_SOUND, info_of_all },
    { "info of unreadable", SCENE_UNREADABLE, info_of_all },
    { "pin", SCENE_SOUND, pin },
    { "rollback", SCENE_SOUND, roll_back },
    { "purge oldest", SCENE_SOUND, purge_oldest },
    { "purge", SCENE_SOUND, purge_middle },
    { "purge with damage", SCENE_DAMAGED, purge_middle },
    { "purge unreadable", SCENE_UNREADABLE, purge_by_force },
    { "purge expired", SCENE_SOUND, purge_too_many },
    { "zombies", SCENE_DAMAGED, look_for_zombies },
    { "settle", SCENE_SOUND, settle },
    { "clean up", SCENE_CUT, clean_up },
    { "verify", SCENE_DAMAGED, verify },
    { "verify unreadable", SCENE_UNREADABLE, verify },
    { "repair", SCENE_DAMAGED, repair },
    { "repair unreadable", SCENE_UNREADABLE, repair },
    { "diff", SCENE_SOUND, diff },
    { "diff damaged", SCENE_DAMAGED, diff },
    { "usage", SCENE_SOUND, usage },
    { "export", SCENE_SOUND, export_both },
    { "export damaged", SCENE_DAMAGED, export_both },
    { "import", SCENE_EMPTY, import_both },
    { "import over damage", SCENE_LOST, import_both },
    { "import what is there", SCENE_SOUND, import_both },
    { "archive out", SCENE_SOUND, archive_out },
    { "archive in", SCENE_UNREADABLE, archive_in },
    { "archive in by force", SCENE_UNREADABLE, archive_by_force },
};
const size_t snapper_operation_count = ARRAY_LENGTH(snapper_operations);

/* --- scenes --- */

struct search {
    const char *generation;
    size_t skip; /* snapshot files before the one that is wanted */
    char path[200];
};

static void find_file(void *context, const char *path, bool is_directory, const u8 *data,
                      size_t size)
{
    struct search *search = context;
    (void)data;
    (void)size;

    if (is_directory || search->path[0] != '\0' || !strstr(path, search->generation) ||
        !strstr(path, "/snapshot/"))
        return;
    if (search->skip-- == 0)
        (void)text_copy(search->path, sizeof search->path, path);
}

/* The path of a snapshot file of a generation. */
static const char *file_of(struct fixture *fixture, size_t generation, size_t which)
{
    static struct search search;

    search = (struct search){ .generation = names[generation].text, .skip = which };
    ram_store_walk(fixture->ram, find_file, &search);
    ASSERT(search.path[0] != '\0');
    return search.path;
}

static const char *path_in(size_t generation, const char *rest)
{
    static char path[200];

    format_text(path, sizeof path, "/snapper/%s/%s", names[generation].text, rest);
    return path;
}

static void flip(struct fixture *fixture, const char *path, size_t at)
{
    size_t size;
    u8 *bytes = ram_store_bytes(fixture->ram, path, &size);

    ASSERT(bytes && at < size);
    bytes[at] ^= 0x55;
}

static const char file[] = "\2xxxx\1content";

static void do_damage(struct fixture *fixture)
{
    flip(fixture, file_of(fixture, 0, 1), 9);
    ram_store_remove(fixture->ram, file_of(fixture, 0, 2));
    flip(fixture, file_of(fixture, 1, 0), 9);
    ram_store_put(fixture->ram, path_in(2, "snapshot/0003"), file, sizeof file);
    ram_store_put(fixture->ram, "/snapper/2026-01-01T00:00:00.000001Z/snapshot/0000",
                  file, sizeof file);
}

static void cut_work_short(struct fixture *fixture)
{
    static const char record[] = "writing = 2026-01-01T00:00:00.000001Z\n"
                                 "purging = 2026-01-01T00:00:00.000002Z\n";

    ram_store_put(fixture->ram, "/snapper/2026-01-01T00:00:00.000001Z/snapshot/0000",
                  file, sizeof file);
    ram_store_put(fixture->ram, "/snapper/2026-01-01T00:00:00.000002Z/snapshot/ext/0002",
                  file, sizeof file);
    ram_store_put(fixture->ram, "/snapper.state", record, sizeof record - 1);
}

static void open_empty(struct fixture *fixture)
{
    port_host_set_time(scene_time);
    fixture_open(fixture, NULL, 1);
    fixture->config.threshold = 4;
    fixture->config.redundancy = 2;
    fixture->config.min_snapshots = 1;
}

static void make_generations(struct fixture *fixture)
{
    names[0] = commit_pages(fixture, 0, PAGES, SIZE, 1, NULL);
    names[1] = commit_pages(fixture, 0, 5, SIZE, 2, NULL);
    names[2] = commit_pages(fixture, 3, 2, SIZE, 3, NULL);
    names[3] = commit_pages(fixture, 20, 6, SIZE, 4, NULL);
}

void snapper_operations_scene(struct fixture *fixture, enum operations_scene scene)
{
    open_empty(fixture);
    if (scene == SCENE_EMPTY)
        return;
    make_generations(fixture);
    if (scene == SCENE_CUT)
        cut_work_short(fixture);
    else if (scene != SCENE_SOUND)
        do_damage(fixture);
    if (scene == SCENE_UNREADABLE)
        flip(fixture, path_in(1, "archive"), 30);
    for (size_t i = 1; scene == SCENE_LOST && i < GENERATIONS; i++)
        ram_store_remove(fixture->ram, path_in(i, "archive"));
    fixture_reopen(fixture);
}

void snapper_operations_prepare(void)
{
    struct fixture fixture;
    bool good;

    snapper_operations_scene(&fixture, SCENE_SOUND);
    if (export_to(&fixture, &full, names[1].text, NULL) != OK ||
        export_to(&fixture, &increment, names[3].text, names[1].text) != OK ||
        snapper_archive_save(fixture.snapper, names[1].text, &archive, &archive_size,
                             &good) != OK)
        port_panic(__FILE__, __LINE__, "the streams cannot be made");
    fixture_close(&fixture);
}

void snapper_operations_done(void)
{
    port_free(archive);
    port_host_set_time(0);
}
