#include "tests/damage/shrink.h"

#include "kernel/base/format.h"
#include "kernel/fs/ext4/check.h"
#include "tests/support/hostile_use.h"
#include "tests/support/port_host.h"

enum { REQUESTS = 260 }; /* about as many as the whole use makes */

const char *shrink_outcome_name(enum shrink_outcome outcome)
{
    static const char *const names[SHRINK_OUTCOMES] = { "unnoticed", "survived",
                                                        "wrong" };
    return names[outcome];
}

static const char *check_generations(struct ext4 *fs, const struct victim *victim)
{
    static u8 page[VICTIM_OBJECT_MAX];
    struct snapper_commit_report report;
    struct ext4_store store;
    struct snapper *snapper;
    const char *why = NULL;

    ext4_store_init(&store, fs);
    if (snapper_open(&store.store, &victim->config, &snapper) != OK)
        return "no generations afterwards";
    for (size_t i = 1; i < VICTIM_GENERATIONS && !why; i++)
        if (!victim_generation_is_right(snapper, victim, i, true))
            why = "a generation is not what it was";
    if (!why && (init_snapshot(snapper, NULL) != OK ||
                 take_snapshot(snapper, page, sizeof page, 1) != OK ||
                 commit_snapshot(snapper, "afterwards", &report) != OK))
        why = "no new generation afterwards";
    snapper_close(snapper);
    return why;
}

static const char *check_healed(struct disk *disk, const struct victim *victim)
{
    struct ext4_mount_options options = { .cache_capacity = 64 };
    struct ext4_check_report report;
    struct ext4 *fs;

    if (ext4_mount(disk, &options, &fs) != OK)
        return "no mount afterwards";
    const char *why = check_generations(fs, victim);
    enum status status = ext4_check(fs, &report);
    if (!why && (status != OK || report.problems > 0))
        why = "the file system is damaged afterwards";
    status = ext4_unmount(fs);
    return !why && status != OK ? "no unmount afterwards" : why;
}

enum shrink_outcome shrink_try(const struct shrink_case *shrink,
                               struct layered_disk *disk, char *why, size_t why_size)
{
    u64 random = shrink->seed * 2 + 1, before = port_host_outstanding();
    struct hostile_use use = { .victim = shrink->victim,
                               .seed = shrink->seed,
                               .is_intact = true };

    random_next(&random);
    layered_disk_reset(disk, shrink->victim->places.clean.bytes);
    disk->short_after = (random_next(&random) >> 20) % REQUESTS;
    disk->short_at = (random_next(&random) >> 20) % disk->disk.sector_count;
    bool right = hostile_use(&use, &disk->disk);
    bool struck = disk->struck;
    disk->short_at = 0;
    const char *problem = right ? check_healed(&disk->disk, shrink->victim) : use.why;
    if (!problem && port_host_outstanding() != before)
        problem = "memory is not given back";
    if (problem) {
        format_text(why, why_size, "%s", problem);
        return SHRINK_WRONG;
    }
    return struck ? SHRINK_SURVIVED : SHRINK_UNNOTICED;
}
