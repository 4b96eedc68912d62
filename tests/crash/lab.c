#include "tests/crash/lab_internal.h"

#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "tests/support/ext4_image.h"
#include "tests/support/port_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void lab_insist(struct lab *lab, const char *what, enum status status)
{
    if (status == OK)
        return;
    printf("%s: %s: %s\n", lab->scenario->name, what, status_text(status));
    exit(2);
}

u64 lab_draw(struct lab *lab, u64 below)
{
    return (random_next(&lab->memory.random) >> 24) % below;
}

static void end_session(struct lab *lab)
{
    if (lab->observer->session_ends)
        lab->observer->session_ends(lab);
}

/* --- steps --- */

void lab_act(struct lab *lab, const char *what,
             enum status (*perform)(struct lab *lab, size_t argument), size_t argument)
{
    struct lab_action action = { what, perform, argument };

    if (lab->observer->before_action)
        lab->observer->before_action(lab, &action);
    lab_insist(lab, what, perform(lab, argument));
    lab->actions++;
}

void lab_take(struct lab *lab, size_t changed)
{
    lab_act(lab, "commit", perform_take, changed);
}

void lab_abort(struct lab *lab, size_t changed)
{
    lab_act(lab, "abort", perform_abort, changed);
}

void lab_settle(struct lab *lab)
{
    lab_act(lab, "settle", perform_settle, 0);
}

void lab_purge(struct lab *lab, size_t index)
{
    lab_act(lab, "purge", perform_purge, index);
}

void lab_rollback(struct lab *lab, size_t index)
{
    lab_act(lab, "roll back", perform_rollback, index);
}

void lab_remount(struct lab *lab)
{
    lab_act(lab, "unmount", perform_unmount, 0);
    lab_act(lab, "mount", perform_mount, 0);
    lab_act(lab, "open", perform_open, 0);
    lab_act(lab, "resume", perform_resume, 0);
}

/* A fresh record from the present content of the disk. */
static void start_session(struct lab *lab)
{
    ram_disk_record(&lab->ram);
    lab->step_count = 0;
    *lab_note_step(lab, "start") = (struct lab_state){ 0 };
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

/* A new session on what the cut left; which of the candidates it is shows when it is mounted. */
static void adopt(struct lab *lab)
{
    const char *why;
    size_t at = 0;

    start_session(lab);
    lab_act(lab, "mount", perform_mount, 0);
    lab_act(lab, "open", perform_open, 0);
    while (at + 1 < lab->candidate_count &&
           !lab_state_matches(lab->snapper, &lab->candidates[at], &why))
        at++;
    for (size_t i = 0; i < lab->step_count; i++)
        lab->steps[i].state = lab->candidates[at];
    lab->candidate_count = 0;
    lab_act(lab, "resume", perform_resume, 0);
}

void lab_crash(struct lab *lab)
{
    size_t from = lab->step_count > 1 ? lab->steps[lab->step_count - 2].end : 0;
    size_t records = from + lab_draw(lab, lab->ram.record_count - from + 1);
    const struct lab_state *allowed[LAB_ALLOWED_MAX];

    lab->candidate_count = lab_allowed(lab, records, allowed);
    for (size_t i = 0; i < lab->candidate_count; i++)
        lab->candidates[i] = *allowed[i];
    end_session(lab);
    snapper_close(lab->snapper);
    ext4_drop(lab->fs);
    lab->snapper = NULL;
    lab->fs = NULL;
    u8 *content = malloc(lab->ram.size_bytes);
    ram_disk_cut(&lab->ram, records, 1 + lab_draw(lab, 1000), content);
    memcpy(lab->ram.bytes, content, lab->ram.size_bytes);
    free(content);
    lab->sessions++;
    if (lab->observer->was_cut)
        lab->observer->was_cut(lab);
    adopt(lab);
}

/* Little space is left, so that what is freed is soon used again. */
static void take_space(struct lab *lab)
{
    static const u8 zeros[LAB_SIZE_MAX];
    struct ext4_space space;
    u32 inode;
    u64 at = 0;

    lab_insist(lab, "mount", perform_mount(lab, 0));
    lab_insist(lab, "ballast", ext4_create(lab->fs, EXT4_ROOT_INODE, "ballast", &inode));
    for (;;) {
        ext4_space(lab->fs, &space);
        if (space.free_blocks <= lab->scenario->free_blocks)
            break;
        lab_insist(lab, "ballast",
                   ext4_write(lab->fs, inode, at, zeros, space.block_size));
        lab_insist(lab, "ballast", ext4_commit(lab->fs));
        at += space.block_size;
    }
    lab_insist(lab, "unmount", ext4_unmount(lab->fs));
    lab->fs = NULL;
}

/* In a fresh image the journal lies in one piece, its superblock first. */
static size_t find_journal(struct lab *lab)
{
    enum { MAGIC_AT = 0, KIND_AT = 4, SUPERBLOCK_V2 = 4, STEP = 1024 };

    for (size_t at = 0; at < lab->ram.size_bytes; at += STEP)
        if (get_be32(lab->ram.bytes + at + MAGIC_AT) == 0xC03B3998 &&
            get_be32(lab->ram.bytes + at + KIND_AT) == SUPERBLOCK_V2)
            return at;
    lab_insist(lab, "journal", ERR_NOT_FOUND);
    return 0;
}

/* The file stays as long as it is, but the journal says that it ends earlier; it has no checksum yet. */
static void shrink_journal(struct lab *lab)
{
    enum { BLOCKS_AT = 16 };
    put_be32(lab->ram.bytes + lab->journal_at + BLOCKS_AT, lab->scenario->journal_blocks);
}

void lab_open(struct lab *lab, const struct scenario *scenario, u64 seed,
              const struct lab_observer *observer)
{
    struct snapper_config_sources sources;

    *lab = (struct lab){ .scenario = scenario,
                         .seed = seed,
                         .memory.random = seed * 2 + 1,
                         .observer = observer };
    config_defaults(&lab->config, &sources);
    lab->config.threshold = 5;
    lab->config.fallback = 9; /* counted, and never so often */
    lab->steps = calloc(LAB_STEPS, sizeof *lab->steps);
    char name[32];
    format_text(name, sizeof name, "explored-%d", getpid());
    const char *path = ext4_image_make_loaded(name, scenario->mebibytes,
                                              scenario->mkfs_options, &lab->ram);
    unlink(path);
    lab->ram.order_seed = seed;
    lab->journal_at = find_journal(lab);
    if (scenario->journal_blocks > 0)
        shrink_journal(lab);
    if (scenario->free_blocks > 0)
        take_space(lab);
    start_session(lab);
    lab_act(lab, "mount", perform_mount, 0);
    lab_act(lab, "open", perform_open, 0);
}

void lab_close(struct lab *lab)
{
    lab_act(lab, "unmount", perform_unmount, 0);
    end_session(lab);
    ram_disk_close(&lab->ram);
    free(lab->steps);
    free(lab->exported.bytes);
}
