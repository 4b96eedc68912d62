#include "tests/crash/lab.h"

#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "tests/crash/explore.h"
#include "tests/support/ext4_image.h"
#include "tests/support/port_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Something that no power cut explains: the scenario cannot go on. */
static void insist(struct lab *lab, const char *what, enum status status)
{
    if (status == OK)
        return;
    printf("%s: %s: %s\n", lab->scenario->name, what, status_text(status));
    exit(2);
}

u64 lab_draw(struct lab *lab, u64 below)
{
    return (random_next(&lab->random) >> 24) % below;
}

/* --- objects --- */

u64 lab_id(size_t index)
{
    return index < LAB_IDS / 2 ? index : (1ULL << 44) + 7 * index;
}

size_t lab_content(size_t index, u32 version, u8 *to)
{
    static const size_t sizes[] = { 4096, 300, 0, 1018 };
    size_t size = sizes[index % ARRAY_LENGTH(sizes)];
    u64 state = (u64)version << 32 | (index + 1);

    for (size_t at = 0; at < size; at += sizeof state) {
        u64 word = random_next(&state);
        memcpy(to + at, &word, size - at < sizeof word ? size - at : sizeof word);
    }
    return size;
}

/* --- comparing --- */

static bool object_matches(struct snapper_view *view, size_t index, u32 version,
                           const char **why)
{
    static u8 expected[LAB_SIZE_MAX], found[LAB_SIZE_MAX];
    size_t size = version ? lab_content(index, version, expected) : 0;
    size_t restored = 0;
    enum status status =
        view_restore(view, found, sizeof found, lab_id(index), &restored);

    if (!version) {
        *why = "an object that was forgotten is there";
        return status == ERR_NOT_FOUND;
    }
    *why = status ? status_text(status) : "an object has other bytes";
    return status == OK && restored == size && memcmp(found, expected, size) == 0;
}

static bool generation_matches(struct snapper *snapper,
                               const struct lab_generation *generation, const char **why)
{
    struct snapper_view *view;
    enum status status = view_open(snapper, generation->name, &view);

    *why = status_text(status);
    if (status != OK)
        return false;
    bool matches = true;
    for (size_t i = 0; i < LAB_IDS && matches; i++)
        matches = object_matches(view, i, generation->versions[i], why);
    view_close(view);
    return matches;
}

bool lab_state_matches(struct snapper *snapper, const struct lab_state *state,
                       const char **why)
{
    struct snapper_generation_info info;

    *why = "another number of generations";
    if (snapper_generation_count(snapper) != state->count)
        return false;
    for (size_t i = 0; i < state->count; i++) {
        *why = "another generation";
        if (snapper_generation_info(snapper, i, &info) != OK || info.status != OK ||
            !text_equal(info.name.text, state->generations[i].name))
            return false;
        if (!generation_matches(snapper, &state->generations[i], why))
            return false;
    }
    return true;
}

/* --- steps --- */

static struct lab_step *last_step(struct lab *lab)
{
    return &lab->steps[lab->step_count - 1];
}

/* The step is over; its state is a copy of the one before, for the caller to change. */
static struct lab_state *note_step(struct lab *lab, const char *what)
{
    ASSERT(lab->step_count < LAB_STEPS);
    struct lab_step *step = &lab->steps[lab->step_count];
    if (lab->step_count > 0)
        step->state = last_step(lab)->state;
    step->what = what;
    step->end = lab->ram.record_count;
    lab->step_count++;
    return &step->state;
}

static void mount(struct lab *lab)
{
    struct ext4_mount_options options = { .cache_capacity = 512 };
    insist(lab, "mount", ext4_mount(&lab->ram.disk, &options, &lab->fs));
    ext4_store_init(&lab->store, lab->fs);
    insist(lab, "open", snapper_open(&lab->store.store, &lab->config, &lab->snapper));
}

/* Memory as Snapper's choice of a generation has it: the rollback target, or the newest. */
static void go_on_from_target(struct lab *lab)
{
    const struct lab_state *state = &last_step(lab)->state;

    insist(lab, "open a generation", open_generation(lab->snapper, NULL));
    struct generation_name name = snapper_current(lab->snapper);
    insist(lab, "close the generation", close_generation(lab->snapper));
    for (size_t i = 0; i < state->count; i++)
        if (text_equal(state->generations[i].name, name.text))
            memcpy(lab->versions, state->generations[i].versions, sizeof lab->versions);
}

/* After each mount, as the kernel does it. */
static void resume(struct lab *lab)
{
    struct snapper_cleanup_report report;

    memset(lab->versions, 0, sizeof lab->versions);
    if (last_step(lab)->state.count > 0)
        go_on_from_target(lab);
    insist(lab, "clean up", snapper_cleanup(lab->snapper, &report));
    note_step(lab, "clean-up");
}

/* Tells Snapper what changed; memory follows. Payloads live in `pages`. */
static void change(struct lab *lab, size_t changed, u8 (*pages)[LAB_SIZE_MAX])
{
    for (size_t i = 0; i < changed; i++) {
        size_t index = lab_draw(lab, LAB_IDS);
        if (lab->versions[index] && lab_draw(lab, 8) == 0) {
            insist(lab, "forget", forget(lab->snapper, lab_id(index)));
            lab->versions[index] = 0;
            continue;
        }
        u32 version = lab_draw(lab, 6) ? ++lab->last_version : lab->versions[index];
        if (!version)
            continue;
        size_t size = lab_content(index, version, pages[i]);
        insist(lab, "take", take_snapshot(lab->snapper, pages[i], size, lab_id(index)));
        lab->versions[index] = version;
    }
}

static void remove_generation(struct lab_state *state, size_t index)
{
    state->count--;
    memmove(&state->generations[index], &state->generations[index + 1],
            (state->count - index) * sizeof *state->generations);
}

/* What max_snapshots makes of a new generation, one step for each that goes. */
static void note_expiry(struct lab *lab)
{
    u64 most = lab->config.max_snapshots;
    while (most && last_step(lab)->state.count > most)
        remove_generation(note_step(lab, "expiry"), 0);
}

void lab_take(struct lab *lab, size_t changed)
{
    struct snapper_commit_report report;
    u8(*pages)[LAB_SIZE_MAX] = malloc(changed * LAB_SIZE_MAX);

    insist(lab, "init", init_snapshot(lab->snapper, NULL));
    change(lab, changed, pages);
    insist(lab, "commit", commit_snapshot(lab->snapper, "lab", &report));
    free(pages);

    struct lab_state *state = note_step(lab, "generation");
    ASSERT(state->count < LAB_GENERATIONS);
    struct lab_generation *generation = &state->generations[state->count++];
    memcpy(generation->versions, lab->versions, sizeof lab->versions);
    (void)text_copy(generation->name, sizeof generation->name, report.name.text);
    note_expiry(lab);
}

void lab_abort(struct lab *lab, size_t changed)
{
    u32 versions[LAB_IDS];
    u8(*pages)[LAB_SIZE_MAX] = malloc(changed * LAB_SIZE_MAX);

    memcpy(versions, lab->versions, sizeof versions);
    insist(lab, "init", init_snapshot(lab->snapper, NULL));
    change(lab, changed, pages);
    insist(lab, "abort", abort_snapshot(lab->snapper));
    memcpy(lab->versions, versions, sizeof versions);
    free(pages);
    note_step(lab, "abort");
}

void lab_settle(struct lab *lab)
{
    u64 changed;
    insist(lab, "settle", snapper_settle(lab->snapper, &changed));
    note_step(lab, "settle");
}

void lab_purge(struct lab *lab, size_t index)
{
    struct snapper_purge_report report;
    insist(lab, "purge",
           purge(lab->snapper, last_step(lab)->state.generations[index].name, &report));
    remove_generation(note_step(lab, "purge"), index);
}

void lab_rollback(struct lab *lab, size_t index)
{
    insist(lab, "roll back",
           snapper_rollback(lab->snapper, last_step(lab)->state.generations[index].name));
    go_on_from_target(lab);
    note_step(lab, "rollback");
}

void lab_remount(struct lab *lab)
{
    snapper_close(lab->snapper);
    insist(lab, "unmount", ext4_unmount(lab->fs));
    note_step(lab, "unmount");
    mount(lab);
    note_step(lab, "mount");
    resume(lab);
}

/* A fresh record from the present content of the disk. */
static void start_session(struct lab *lab)
{
    ram_disk_record(&lab->ram);
    struct lab_state state =
        lab->step_count ? last_step(lab)->state : (struct lab_state){ 0 };
    lab->step_count = 0;
    *note_step(lab, "start") = state;
}

size_t lab_allowed(const struct lab *lab, size_t records,
                   const struct lab_state **allowed)
{
    size_t step = 0, count = 0;
    while (step + 1 < lab->step_count && lab->steps[step + 1].end <= records)
        step++;
    allowed[count++] = &lab->steps[step].state;
    for (size_t next = step + 1; next < lab->step_count && count < LAB_ALLOWED_MAX &&
                                 lab->steps[next].end == lab->steps[step + 1].end;
         next++)
        allowed[count++] = &lab->steps[next].state;
    return count;
}

/* Which of the states around a cut it was that came true. */
static void adopt(struct lab *lab, const struct lab_state *states, size_t count)
{
    const char *why;
    size_t at = 0;

    lab->step_count = 0;
    ram_disk_record(&lab->ram);
    struct lab_state *state = note_step(lab, "start");
    mount(lab);
    while (at + 1 < count && !lab_state_matches(lab->snapper, &states[at], &why))
        at++;
    *state = states[at];
    note_step(lab, "mount");
    resume(lab);
}

void lab_crash(struct lab *lab)
{
    size_t from = lab->step_count > 1 ? lab->steps[lab->step_count - 2].end : 0;
    size_t records = from + lab_draw(lab, lab->ram.record_count - from + 1);
    const struct lab_state *allowed[LAB_ALLOWED_MAX];
    struct lab_state states[LAB_ALLOWED_MAX];
    size_t count = lab_allowed(lab, records, allowed);
    for (size_t i = 0; i < count; i++)
        states[i] = *allowed[i];

    explore_session(lab);
    snapper_close(lab->snapper);
    ext4_drop(lab->fs);
    u8 *content = malloc(lab->ram.size_bytes);
    ram_disk_cut(&lab->ram, records, 1 + lab_draw(lab, 1000), content);
    memcpy(lab->ram.bytes, content, lab->ram.size_bytes);
    free(content);
    lab->sessions++;
    adopt(lab, states, count);
}

/* Little space is left, so that what is freed is soon used again. */
static void take_space(struct lab *lab)
{
    static const u8 zeros[LAB_SIZE_MAX];
    struct ext4_space space;
    u32 inode;
    u64 at = 0;

    mount(lab);
    insist(lab, "ballast", ext4_create(lab->fs, EXT4_ROOT_INODE, "ballast", &inode));
    for (;;) {
        ext4_space(lab->fs, &space);
        if (space.free_blocks <= lab->scenario->free_blocks)
            break;
        insist(lab, "ballast", ext4_write(lab->fs, inode, at, zeros, space.block_size));
        insist(lab, "ballast", ext4_commit(lab->fs));
        at += space.block_size;
    }
    snapper_close(lab->snapper);
    insist(lab, "unmount", ext4_unmount(lab->fs));
}

void lab_open(struct lab *lab, const struct scenario *scenario, u64 seed)
{
    struct snapper_config_sources sources;

    *lab = (struct lab){ .scenario = scenario, .random = seed * 2 + 1 };
    config_defaults(&lab->config, &sources);
    lab->config.threshold = 5;
    lab->steps = calloc(LAB_STEPS, sizeof *lab->steps);
    char name[32];
    format_text(name, sizeof name, "explored-%d", getpid());
    const char *path = ext4_image_make_loaded(name, scenario->mebibytes,
                                              scenario->mkfs_options, &lab->ram);
    unlink(path);
    lab->ram.order_seed = seed;
    if (scenario->free_blocks > 0)
        take_space(lab);
    start_session(lab);
    mount(lab);
    note_step(lab, "mount");
}

void lab_close(struct lab *lab)
{
    snapper_close(lab->snapper);
    insist(lab, "unmount", ext4_unmount(lab->fs));
    note_step(lab, "unmount");
    explore_session(lab);
    ram_disk_close(&lab->ram);
    free(lab->steps);
}
