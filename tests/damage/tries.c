#include "tests/damage/full.h"
#include "tests/damage/job.h"
#include "tests/damage/journals.h"
#include "tests/damage/shrink.h"
#include "tests/support/hostile_use.h"

#include <stdio.h>
#include <unistd.h>

enum { SECONDS_PER_IMAGE = 20, DAMAGES_MAX = 6 };

/* Has this victim what the mode damages? */
bool is_suitable(const struct victim *victim)
{
    const struct image_places *places = &victim->places;

    return settings.mode == IMAGES || settings.mode == SHRINK ||
           (settings.mode == JOURNALS &&
            image_places_count(places, PLACE_JOURNAL_COMMIT) > 0) ||
           (settings.mode == FULL && full_is_suitable(victim)) ||
           (settings.mode == ROT && ext4_has_checksums(places->fs));
}

u64 damaged_kinds(void)
{
    static const u64 journal_kinds =
        1ULL << PLACE_JOURNAL_SUPERBLOCK | 1ULL << PLACE_JOURNAL_DESCRIPTOR |
        1ULL << PLACE_JOURNAL_REVOKE | 1ULL << PLACE_JOURNAL_COMMIT |
        1ULL << PLACE_JOURNAL_DATA;

    return settings.mode == JOURNALS ? journal_kinds : ~0ULL;
}

static const char *const mode_words[] = { "--fsck 1", "--journals", "--rot", "--full",
                                          "--shrink" };

void complain(const struct job *job, const char *what, const char *why)
{
    printf("BROKEN %s: %s: damage --seed %llu --count 1 %s\n", what, why,
           (unsigned long long)job->at, mode_words[settings.mode]);
    fflush(stdout);
}

/* Did using the image damage more of it? NULL: no. */
static const char *judge(struct job *job, struct bench *bench)
{
    size_t size = bench->disk.size_bytes;

    problems_find(&bench->before, bench->damage.image, size);
    if (!bench->before.hung) {
        layered_disk_copy(&bench->disk, bench->used);
        problems_find(&bench->after, bench->used, size);
    }
    if (bench->before.hung || bench->after.hung) {
        job->unjudged++;
        return NULL;
    }
    if (problems_spread(&bench->before)) {
        job->spread++;
        return NULL;
    }
    job->judged++;
    if (settings.seed_count == 1) {
        problems_print("before: ", &bench->before);
        problems_print("after: ", &bench->after);
    }
    return problems_new(&bench->before, &bench->after);
}

static void note(struct job *job, const struct hostile_use *use,
                 const struct bench *bench)
{
    job->images++;
    job->mounted += use->mounted;
    if (use->heap_bytes > job->heap_bytes)
        job->heap_bytes = use->heap_bytes;
    if (use->read_bytes / bench->disk.size_bytes > job->read_times)
        job->read_times = use->read_bytes / bench->disk.size_bytes;
}

static void try_seed(struct job *job, struct bench *bench)
{
    struct damage *damage = &bench->damage;
    struct damage_source source = damage_source_seed(job->at);
    struct hostile_use use = { .victim = &bench->victim, .seed = job->at / victim_count };
    u64 count = 1 + damage_draw(&source, DAMAGES_MAX);
    const char *problem = NULL;

    for (u64 i = 0; i < count; i++)
        damage_do(damage, &source);
    use.is_intact = ext4_has_checksums(bench->victim.places.fs) && !damage->sealed;
    if (settings.keep_path)
        image_save(settings.keep_path, damage->image, bench->disk.size_bytes);
    layered_disk_reset(&bench->disk, damage->image);
    alarm(SECONDS_PER_IMAGE);
    bool right = hostile_use(&use, &bench->disk.disk);
    alarm(0);
    note(job, &use, bench);
    if (settings.fsck_every && job->at / victim_count % settings.fsck_every == 0)
        problem = judge(job, bench);
    if (!right)
        complain(job, damage->first, use.why);
    if (problem)
        complain(job, damage->first, problem);
    job->broken += !right || problem;
    damage_undo(damage);
}

static void try_journal(struct job *job, struct bench *bench)
{
    struct damage *damage = &bench->damage;
    struct damage_source source = damage_source_seed(job->at);
    u64 count = 1 + damage_draw(&source, DAMAGES_MAX / 2);
    char why[200];

    for (u64 i = 0; i < count; i++)
        damage_do(damage, &source);
    if (settings.keep_path)
        image_save(settings.keep_path, damage->image, bench->disk.size_bytes);
    alarm(SECONDS_PER_IMAGE);
    enum journal_outcome outcome = journal_compare(damage, &bench->disk, why, sizeof why);
    alarm(0);
    job->images++;
    job->outcomes[outcome]++;
    if (outcome == JOURNAL_DIFFERENT) {
        job->broken++;
        complain(job, damage->first, why);
    }
    damage_undo(damage);
}

/* Neighbours in number are far apart on the disk, so that a part of them is a sample. */
static void try_sector(struct job *job, struct bench *bench)
{
    static const u64 stride = 7919; /* prime to the number of sectors */
    u64 number = job->at / victim_count, sectors = bench->disk.disk.sector_count;
    u64 sector = number / ROT_KINDS * stride % sectors;
    char why[200];

    if (number >= ROT_KINDS * sectors)
        return;
    alarm(SECONDS_PER_IMAGE);
    enum rot_outcome outcome =
        rot_try(&bench->truth, &bench->disk, sector, (enum rot_kind)(number % ROT_KINDS),
                why, sizeof why);
    alarm(0);
    job->images++;
    job->outcomes[outcome]++;
    if (outcome != ROT_SILENT)
        return;
    char place[40];
    snprintf(place, sizeof place, "sector %llu", (unsigned long long)sector);
    job->broken++;
    complain(job, place, why);
}

static void try_full(struct job *job, struct bench *bench)
{
    static const u32 journal_step = 3; /* more sizes, with as many cases */
    u64 number = job->at / victim_count;
    struct full_case now = { .victim = &bench->victim,
                             .kind = (enum full_kind)(number % FULL_KINDS) };
    char why[200], place[60];

    number /= FULL_KINDS;
    now.variant = (u32)(number % FULL_VARIANTS);
    now.left =
        (u32)(number / FULL_VARIANTS) * (now.kind == FULL_JOURNAL ? journal_step : 1);
    alarm(SECONDS_PER_IMAGE);
    enum full_outcome outcome = full_try(&now, &bench->disk, why, sizeof why);
    alarm(0);
    job->images++;
    job->outcomes[outcome]++;
    if (outcome != FULL_WRONG)
        return;
    snprintf(place, sizeof place, "kind %u, %u left, %u objects", now.kind, now.left,
             now.variant + 1);
    job->broken++;
    complain(job, place, why);
}

static void try_shrink(struct job *job, struct bench *bench)
{
    struct shrink_case now = { &bench->victim, job->at };
    char why[200];

    alarm(SECONDS_PER_IMAGE);
    enum shrink_outcome outcome = shrink_try(&now, &bench->disk, why, sizeof why);
    alarm(0);
    job->images++;
    job->outcomes[outcome]++;
    if (outcome != SHRINK_WRONG)
        return;
    job->broken++;
    complain(job, "a short disk", why);
}

void try_it(struct job *job, struct bench *bench)
{
    static void (*const tries[])(struct job *, struct bench *) = { try_seed, try_journal,
                                                                   try_sector, try_full,
                                                                   try_shrink };
    tries[settings.mode](job, bench);
}

const char *outcome_name(int outcome)
{
    switch (settings.mode) {
    case JOURNALS:
        return journal_outcome_name((enum journal_outcome)outcome);
    case ROT:
        return rot_outcome_name((enum rot_outcome)outcome);
    case FULL:
        return full_outcome_name((enum full_outcome)outcome);
    default:
        return shrink_outcome_name((enum shrink_outcome)outcome);
    }
}
