/*
 * Power cuts: a workload over several sessions is recorded, and every prefix of its writes, with
 * any subset of the sectors that no flush had made durable, must come back as one of the states
 * around the cut: by our replay and by e2fsck's, with a clean file system after either.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/ext4_image.h"
#include "tests/support/ext4_model.h"

enum { MAX_COMMITS = 40, FILE_LIMIT = 12 * KIB, CHANGES = 6 };

/* What had been committed when so many writes and flushes had completed. */
struct milestone {
    size_t records;
    struct model_state state;
};

struct history {
    struct ram_disk ram;
    struct milestone *milestones;
    size_t count;
};

static void remember(struct history *history, const struct model *model)
{
    struct milestone *milestone = &history->milestones[history->count++];
    milestone->records = history->ram.record_count;
    milestone->state = model->committed;
}

/* Several sessions, some ended by an unmount, some by a crash. */
static const char *record_history(struct history *history, unsigned mebibytes,
                                  const char *options, u64 seed)
{
    const char *path = ext4_image_make_loaded("crash", mebibytes, options, &history->ram);
    history->milestones = calloc(MAX_COMMITS + 1, sizeof *history->milestones);
    history->count = 0;
    history->ram.order_seed = seed;
    ram_disk_record(&history->ram);
    struct model *model = model_open(&history->ram.disk, seed, FILE_LIMIT);
    remember(history, model);
    while (history->count < MAX_COMMITS) {
        u64 commits = model->commits;
        for (int i = 0; i < CHANGES && commits == model->commits; i++)
            model_change(model);
        model_commit(model);
        remember(history, model);
        if (history->count % 9 == 0)
            model_remount(model);
        else if (history->count % 13 == 0)
            model_crash(model);
    }
    model_close(model);
    return path;
}

static size_t last_milestone(const struct history *history, size_t records)
{
    size_t last = 0;
    while (last + 1 < history->count && history->milestones[last + 1].records <= records)
        last++;
    return last;
}

/* Mounts what the cut left; the state must be the last promised one or the one after it. */
static void check_cut(const struct history *history, struct ram_disk *after,
                      size_t records)
{
    struct ext4_mount_options options = { .cache_capacity = 256 };
    struct ext4 *fs = NULL;
    size_t last = last_milestone(history, records);
    assert_int_equal(ext4_mount(&after->disk, &options, &fs), OK);
    bool matches = model_state_matches(fs, &history->milestones[last].state) ||
                   (last + 1 < history->count &&
                    model_state_matches(fs, &history->milestones[last + 1].state));
    if (!matches)
        print_error("cut behind record %zu: neither milestone %zu nor the next\n",
                    records, last);
    assert_true(matches);
    assert_int_equal(ext4_unmount(fs), OK);
}

static void check_history(unsigned mebibytes, const char *options, u64 seed,
                          size_t judged_every)
{
    struct history history;
    struct ram_disk after;
    const char *path = record_history(&history, mebibytes, options, seed);
    ram_disk_open(&after, history.ram.size_bytes / SECTOR_SIZE);
    size_t states = 0, judged = 0;
    for (size_t records = 0; records <= history.ram.record_count; records++) {
        for (u64 subset = 0; subset < 3; subset++, states++) {
            u64 cut_seed = subset == 0 ? 0 : records * 3 + subset;
            ram_disk_cut(&history.ram, records, cut_seed, after.bytes);
            bool judge = states % judged_every == 0;
            if (judge) {
                assert_true(ram_disk_save(&after, path));
                assert_true(ext4_image_is_clean_after_replay(path));
            }
            check_cut(&history, &after, records);
            if (judge) {
                assert_true(ext4_image_ram_is_clean(&after, path));
                judged++;
            }
        }
    }
    print_message("    seed %llu: %zu records, %zu states, %zu judged by e2fsck\n",
                  (unsigned long long)seed, history.ram.record_count, states, judged);
    ram_disk_close(&after);
    ram_disk_close(&history.ram);
    free(history.milestones);
}

static void ext4_mount__after_any_power_cut__has_a_committed_state(void **state)
{
    (void)state;
    check_history(8, "-b 1024 -J size=1", 1, 23);
    check_history(8, "-b 1024 -J size=1 -O ^metadata_csum,^64bit -I 128", 2, 61);
    check_history(20, "-b 4096 -J size=4 -O orphan_file", 3, 61);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ext4_mount__after_any_power_cut__has_a_committed_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
