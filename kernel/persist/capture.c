#include "kernel/persist/capture.h"

#include "kernel/arch/interrupts.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/persist/mark.h"
#include "kernel/persist/meter.h"

/* Spaces whose processes are gone, or whose number belongs to another one now. */
static enum status forget_spaces(const struct capture *capture)
{
    struct snapper_run run;
    u64 id = 0;

    while (current_run(capture->snapper, id, &run)) {
        u64 number = object_space(run.first_id);
        u64 last = object_id(number, OBJECT_PAGE_LAST);
        if (!spaces_lists_on(capture->spaces, number)) {
            enum status status = forget_range(capture->snapper, run.first_id, last);
            if (status)
                return status;
        }
        if (last == UINT64_MAX)
            break;
        id = last + 1;
    }
    return OK;
}

static enum status forget_pages(const struct capture *capture)
{
    struct spaces_cursor cursor = {};
    u64 id;

    while (spaces_next_forgotten(capture->spaces, &cursor, &id)) {
        enum status status = forget(capture->snapper, id);
        if (status && status != ERR_NOT_FOUND) /* it never was in a generation */
            return status;
    }
    return OK;
}

/* First what is gone, then what is there: a page released and made anew is in both. */
static enum status hand_over(const struct capture *capture)
{
    enum status status = forget_spaces(capture);
    if (status == OK)
        status = forget_pages(capture);

    struct spaces_cursor cursor = {};
    const void *memory;
    u64 id;
    while (status == OK && spaces_next_taken(capture->spaces, &cursor, &id, &memory))
        status = take_snapshot(capture->snapper, memory, PAGE_SIZE, id);
    return status;
}

static void draw_line(const struct capture *capture)
{
    if (capture->await_line)
        capture->await_line();
    if (!capture->spaces->in_flight)
        mark_line(capture->spaces, NULL);
}

/* From the line on; the session is in creation and leaves it either way. */
static enum status run_generation(const struct capture *capture, const char *description,
                                  struct capture_report *report)
{
    draw_line(capture);
    u64 start = timer_microseconds();
    (void)port_stage(STAGE_HARVEST);
    while (spaces_harvest_step(capture->spaces))
        ;

    (void)port_stage(STAGE_CAPTURE);
    enum status status = hand_over(capture);
    if (status == OK)
        status = commit_snapshot(capture->snapper, description, &report->commit);
    (void)port_stage(STAGE_FINISH);
    if (status) {
        if (snapper_state(capture->snapper) == SNAPPER_CREATION &&
            abort_snapshot(capture->snapper) != OK)
            log_error("persist: the snapshot could not be aborted");
        spaces_abort(capture->spaces);
        return status;
    }
    spaces_commit(capture->spaces);
    report->mark_cycles = capture->spaces->line_cycles;
    report->flight_microseconds = timer_microseconds() - start;
    report->entries_read = spaces_entries_read(capture->spaces);
    return OK;
}

static enum status generate(const struct capture *capture, const char *description,
                            struct capture_report *report)
{
    enum status status = spaces_prepare(capture->spaces);
    if (status == OK)
        status = init_snapshot(capture->snapper, NULL);
    if (status)
        return status;
    if (capture->passing)
        snapper_mark_passing(capture->snapper);
    return run_generation(capture, description, report);
}

enum status capture_generation(const struct capture *capture, const char *description,
                               struct capture_report *report)
{
    u64 start = timer_microseconds();
    struct disk_statistics before = capture->disk->statistics;
    struct capture_report result = {};

    meter_start();
    enum stage outer = port_stage(STAGE_PREPARE);
    enum status status = generate(capture, description, &result);
    (void)port_stage(outer);
    if (status)
        return status;

    meter_read(result.cycles);
    const struct disk_statistics *after = &capture->disk->statistics;
    result.requests = after->writes - before.writes;
    result.bytes = after->bytes_written - before.bytes_written;
    result.flushes = after->flushes - before.flushes;
    result.total_microseconds = timer_microseconds() - start;
    *report = result;
    return OK;
}
