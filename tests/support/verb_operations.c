#include "tests/support/verb_operations.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "snapper/config_file.h"
#include "snapper/verbs.h"

enum { ANSWERS_MAX = 64 * KIB };

static char answers[ANSWERS_MAX];
static size_t answers_length;

const char *verb_answers(void)
{
    answers[answers_length] = '\0';
    return answers;
}

void verb_answers_clear(void)
{
    answers_length = 0;
}

static void keep(void *context, const char *line)
{
    size_t length = strlen(line);

    (void)context;
    if (length + 2 > sizeof answers - answers_length)
        return;
    memcpy(answers + answers_length, line, length);
    answers_length += length;
    answers[answers_length++] = '\n';
}

typedef enum status (*verb)(struct snapper *snapper, struct report *report);

/* Stops at the first error: both must be refused alike. */
static enum status say_twice(struct fixture *fixture, verb verb)
{
    struct report_text text;

    report_text_init(&text, keep, NULL);
    enum status status = verb(fixture->snapper, &text.report);
    text.report.for_people = false;
    return status == OK ? verb(fixture->snapper, &text.report) : status;
}

static enum status list(struct fixture *fixture)
{
    return say_twice(fixture, verb_list);
}

static enum status show_newest(struct snapper *snapper, struct report *report)
{
    return verb_show(snapper, "latest", report);
}

static enum status show(struct fixture *fixture)
{
    return say_twice(fixture, show_newest);
}

static enum status status_of_all(struct fixture *fixture)
{
    return say_twice(fixture, verb_status);
}

static enum status config(struct fixture *fixture)
{
    struct snapper_config_sources sources;
    struct report_text text;
    u32 problems;

    config_defaults(&fixture->config, &sources);
    config_file_read(ram_store_store(fixture->ram), &fixture->config, &sources,
                     &problems);
    report_text_init(&text, keep, NULL);
    verb_config(&fixture->config, &sources, &text.report);
    text.report.for_people = false;
    verb_config(&fixture->config, &sources, &text.report);
    return OK;
}

/* One after the other: what is gone once cannot go again. */
static enum status delete_one(struct snapper *snapper, struct report *report)
{
    const char *which[] = { snapper_operations_generation(report->for_people ? 0 : 2) };

    return verb_delete(snapper, which, 1, report);
}

static enum status delete (struct fixture *fixture) {
    return say_twice(fixture, delete_one);
}

static enum status delete_unreadable(struct snapper *snapper, struct report *report)
{
    const char *which[] = { snapper_operations_generation(report->for_people ? 1 : 2) };

    return verb_delete_forced(snapper, which, 1, report);
}

static enum status delete_by_force(struct fixture *fixture)
{
    return say_twice(fixture, delete_unreadable);
}

static enum status clean_up(struct fixture *fixture)
{
    return say_twice(fixture, verb_cleanup);
}

static enum status mark_newest(struct snapper *snapper, struct report *report)
{
    enum status status = verb_pin(snapper, "latest", report);

    if (status == OK)
        status = verb_unpin(snapper, "latest", report);
    return status == OK ? verb_rollback(snapper, "latest", report) : status;
}

static enum status mark(struct fixture *fixture)
{
    return say_twice(fixture, mark_newest);
}

static bool go_on(void *context, u64 done, u64 total)
{
    (void)context;
    return done <= total;
}

static enum status verify_only(struct snapper *snapper, struct report *report)
{
    struct verb_verify how = { .progress = go_on };
    bool clean;

    return verb_verify(snapper, &how, report, &clean);
}

static enum status verify(struct fixture *fixture)
{
    return say_twice(fixture, verify_only);
}

static enum status verify_and_repair(struct snapper *snapper, struct report *report)
{
    struct verb_verify how = { .repair = true };
    bool clean;

    return verb_verify(snapper, &how, report, &clean);
}

static enum status repair(struct fixture *fixture)
{
    return say_twice(fixture, verify_and_repair);
}

static enum status diff_in_full(struct snapper *snapper, struct report *report)
{
    return verb_diff(snapper, snapper_operations_generation(0), "latest", report);
}

static enum status diff(struct fixture *fixture)
{
    return say_twice(fixture, diff_in_full);
}

static enum status diff_counts(struct snapper *snapper, struct report *report)
{
    return verb_diff_summary(snapper, snapper_operations_generation(0), "latest", report);
}

static enum status diff_summary(struct fixture *fixture)
{
    return say_twice(fixture, diff_counts);
}

/* One that both have, then one that only the newest has. */
static enum status diff_object(struct snapper *snapper, struct report *report)
{
    const char *oldest = snapper_operations_generation(0);
    enum status status = verb_diff_page(snapper, oldest, "latest", 1, report);

    return status == OK ? verb_diff_page(snapper, oldest, "latest", 20, report) : status;
}

static enum status diff_page(struct fixture *fixture)
{
    return say_twice(fixture, diff_object);
}

const struct snapper_operation verb_operations[] = {
    { "list", SCENE_SOUND, list },
    { "list of damage", SCENE_UNREADABLE, list },
    { "show", SCENE_SOUND, show },
    { "status", SCENE_SOUND, status_of_all },
    { "status of damage", SCENE_UNREADABLE, status_of_all },
    { "config", SCENE_SOUND, config },
    { "delete", SCENE_SOUND, delete },
    { "delete --force", SCENE_UNREADABLE, delete_by_force },
    { "cleanup", SCENE_CUT, clean_up },
    { "marks", SCENE_SOUND, mark },
    { "verify", SCENE_SOUND, verify },
    { "verify damage", SCENE_UNREADABLE, verify },
    { "verify --repair", SCENE_DAMAGED, repair },
    { "diff", SCENE_SOUND, diff },
    { "diff --summary", SCENE_SOUND, diff_summary },
    { "diff --page", SCENE_SOUND, diff_page },
};
const size_t verb_operation_count = ARRAY_LENGTH(verb_operations);
