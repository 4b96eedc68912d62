/* What a lab does, one call at a time: each may fail, and then be performed again. */
#include "tests/crash/lab_internal.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "snapper/boots.h"

#include <stdlib.h>

/* --- steps --- */

struct lab_step *lab_last_step(struct lab *lab)
{
    return &lab->steps[lab->step_count - 1];
}

struct lab_state *lab_note_step(struct lab *lab, const char *what)
{
    ASSERT(lab->step_count < LAB_STEPS);
    struct lab_step *step = &lab->steps[lab->step_count];
    if (lab->step_count > 0)
        step->state = lab_last_step(lab)->state;
    step->what = what;
    step->end = lab->ram.record_count;
    lab->step_count++;
    return &step->state;
}

void lab_remove_generation(struct lab_state *state, size_t index)
{
    state->count--;
    memmove(&state->generations[index], &state->generations[index + 1],
            (state->count - index) * sizeof *state->generations);
}

/* --- a session --- */

enum status perform_mount(struct lab *lab, size_t unused)
{
    (void)unused;
    struct ext4_mount_options options = { .cache_capacity = 512 };

    enum status status = ext4_mount(&lab->ram.disk, &options, &lab->fs);
    if (status != OK)
        return status;
    ext4_store_init(&lab->store, lab->fs);
    lab_note_step(lab, "mount");
    return OK;
}

enum status perform_open(struct lab *lab, size_t unused)
{
    (void)unused;
    return snapper_open(&lab->store.store, &lab->config, &lab->snapper);
}

enum status perform_unmount(struct lab *lab, size_t unused)
{
    (void)unused;
    snapper_close(lab->snapper);
    lab->snapper = NULL;
    enum status status = ext4_unmount(lab->fs);
    lab->fs = NULL;
    if (status == OK)
        lab_note_step(lab, "unmount");
    return status;
}

/* Memory as Snapper's choice of a generation has it: the rollback target, or the newest. */
static enum status go_on_from_target(struct lab *lab)
{
    const struct lab_state *state = &lab_last_step(lab)->state;
    struct snapper_boot boot;

    enum status status = snapper_boot_open(lab->snapper, &boot);
    if (status != OK)
        return status;
    struct generation_name name = snapper_current(lab->snapper);
    status = close_generation(lab->snapper);
    for (size_t i = 0; i < state->count && status == OK; i++)
        if (text_equal(state->generations[i].name, name.text))
            memcpy(lab->memory.versions, state->generations[i].versions,
                   sizeof lab->memory.versions);
    return status == OK ? boot.uncounted : status;
}

enum status perform_resume(struct lab *lab, size_t unused)
{
    (void)unused;
    struct snapper_cleanup_report report;
    enum status status = OK;

    memset(lab->memory.versions, 0, sizeof lab->memory.versions);
    if (lab_last_step(lab)->state.count > 0)
        status = go_on_from_target(lab);
    if (status == OK)
        status = snapper_cleanup(lab->snapper, &report);
    if (status == OK)
        lab_note_step(lab, "clean-up");
    return status;
}

/* --- generations --- */

static enum status change_one(struct lab *lab, u8 *page)
{
    struct lab_memory *memory = &lab->memory;
    size_t index = lab_draw(lab, LAB_IDS);

    if (memory->versions[index] && lab_draw(lab, 8) == 0) {
        memory->versions[index] = 0;
        return forget(lab->snapper, lab_id(index));
    }
    u32 version = lab_draw(lab, 6) ? ++memory->last_version : memory->versions[index];
    if (!version)
        return OK;
    memory->versions[index] = version;
    size_t size = lab_content(index, version, page);
    return take_snapshot(lab->snapper, page, size, lab_id(index));
}

/* Begins a generation and tells Snapper what changed. On error nothing is begun. */
static enum status begin(struct lab *lab, size_t changed, u8 (*pages)[LAB_SIZE_MAX])
{
    enum status status = init_snapshot(lab->snapper, NULL);
    if (status != OK)
        return status;
    for (size_t i = 0; i < changed && status == OK; i++)
        status = change_one(lab, pages[i]);
    if (status != OK && abort_snapshot(lab->snapper) != OK)
        return ERR_INVALID_STATE; /* which is seen from the session's state, too */
    return status;
}

static size_t oldest_unpinned(const struct lab_state *state)
{
    size_t index = 0;
    while (index + 1 < state->count && state->generations[index].pinned)
        index++;
    return index;
}

static void note_purges(struct lab *lab, u64 count)
{
    for (u64 i = 0; i < count; i++) {
        struct lab_state *state = lab_note_step(lab, "expiry");
        lab_remove_generation(state, oldest_unpinned(state));
    }
}

/*
 * The new generation. Of the oldest as many went as the report says: those that had to make room
 * before it, those that are beyond max_snapshots after it.
 */
static void note_generation(struct lab *lab, const struct snapper_commit_report *report)
{
    u64 kept = lab->config.max_snapshots;
    u64 count = lab_last_step(lab)->state.count + 1;
    u64 by_rule = kept > 0 && count > kept ? count - kept : 0;
    u64 for_space = report->purged > by_rule ? report->purged - by_rule : 0;

    note_purges(lab, for_space);
    struct lab_state *state = lab_note_step(lab, "generation");
    ASSERT(state->count < LAB_GENERATIONS);
    struct lab_generation *generation = &state->generations[state->count++];
    memcpy(generation->versions, lab->memory.versions, sizeof generation->versions);
    (void)text_copy(generation->name, sizeof generation->name, report->name.text);
    generation->pinned = false;
    state->target[0] = '\0';
    note_purges(lab, report->purged - for_space);
}

enum status perform_take(struct lab *lab, size_t changed)
{
    struct snapper_commit_report report;
    struct lab_memory before = lab->memory;
    u8(*pages)[LAB_SIZE_MAX] = malloc(changed * LAB_SIZE_MAX);

    enum status status = begin(lab, changed, pages);
    if (status == OK)
        status = commit_snapshot(lab->snapper, "lab", &report);
    free(pages);
    if (status == OK)
        note_generation(lab, &report);
    else
        lab->memory = before;
    return status;
}

static enum status forget_all(struct lab *lab)
{
    enum status status = init_snapshot(lab->snapper, NULL);
    if (status != OK)
        return status;
    for (size_t i = 0; i < LAB_IDS && status == OK; i++)
        if (lab->memory.versions[i])
            status = forget(lab->snapper, lab_id(i));
    if (status != OK && abort_snapshot(lab->snapper) != OK)
        return ERR_INVALID_STATE;
    return status;
}

enum status perform_clear(struct lab *lab, size_t unused)
{
    (void)unused;
    struct snapper_commit_report report;

    enum status status = forget_all(lab);
    if (status == OK)
        status = commit_snapshot(lab->snapper, "empty", &report);
    if (status != OK)
        return status;
    memset(lab->memory.versions, 0, sizeof lab->memory.versions);
    note_generation(lab, &report);
    return OK;
}

enum status perform_abort(struct lab *lab, size_t changed)
{
    struct lab_memory before = lab->memory;
    u8(*pages)[LAB_SIZE_MAX] = malloc(changed * LAB_SIZE_MAX);

    enum status status = begin(lab, changed, pages);
    if (status == OK)
        status = abort_snapshot(lab->snapper);
    free(pages);
    u64 random = lab->memory.random;
    lab->memory = before;
    if (status != OK)
        return status;
    lab->memory.random = random;
    lab_note_step(lab, "abort");
    return OK;
}

enum status perform_settle(struct lab *lab, size_t unused)
{
    (void)unused;
    u64 changed;

    enum status status = snapper_settle(lab->snapper, &changed);
    if (status == OK)
        lab_note_step(lab, "settle");
    return status;
}

enum status perform_purge(struct lab *lab, size_t index)
{
    struct snapper_purge_report report;
    const char *name = lab_last_step(lab)->state.generations[index].name;

    enum status status = purge(lab->snapper, name, &report);
    if (status == OK)
        lab_remove_generation(lab_note_step(lab, "purge"), index);
    return status;
}

enum status perform_rollback(struct lab *lab, size_t index)
{
    struct lab_memory before = lab->memory;
    const char *name = lab_last_step(lab)->state.generations[index].name;

    enum status status = snapper_rollback(lab->snapper, name);
    if (status == OK)
        status = go_on_from_target(lab);
    if (status != OK) {
        lab->memory = before;
        return status;
    }
    struct lab_state *state = lab_note_step(lab, "rollback");
    (void)text_copy(state->target, sizeof state->target, state->generations[index].name);
    return OK;
}
