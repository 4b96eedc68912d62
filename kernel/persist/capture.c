#include "kernel/persist/capture.h"

#include "kernel/arch/interrupts.h"
#include "kernel/base/log.h"
#include "kernel/persist/mark.h"

/* First what is gone, then what is there: a page released and made anew is in both. */
static enum status hand_over(const struct capture *capture)
{
    size_t at = 0;
    u64 page;

    while (page_space_next_forgotten(capture->space, &at, &page)) {
        enum status status =
            forget(capture->snapper, object_id(capture->space_number, page));
        if (status && status != ERR_NOT_FOUND) /* it never was in a generation */
            return status;
    }

    struct page_cursor cursor = {};
    const void *memory;
    while (page_space_next_taken(capture->space, &cursor, &page, &memory)) {
        enum status status = take_snapshot(capture->snapper, memory, PAGE_SIZE,
                                           object_id(capture->space_number, page));
        if (status)
            return status;
    }
    return OK;
}

/* From the demarcation on; the session is in creation and leaves it either way. */
static enum status run_generation(const struct capture *capture, const char *description,
                                  struct capture_report *report)
{
    u64 start = timer_microseconds();

    report->mark_cycles = mark_demarcate(capture->space);
    while (page_space_harvest_step(capture->space))
        ;

    enum status status = hand_over(capture);
    if (status == OK)
        status = commit_snapshot(capture->snapper, description, &report->commit);
    if (status) {
        if (snapper_state(capture->snapper) == SNAPPER_CREATION &&
            abort_snapshot(capture->snapper) != OK)
            log_error("persist: the snapshot could not be aborted");
        page_space_abort(capture->space);
        return status;
    }
    page_space_commit(capture->space);
    report->pause_microseconds = timer_microseconds() - start;
    report->entries_read = capture->space->counters.entries_read;
    return OK;
}

enum status capture_generation(const struct capture *capture, const char *description,
                               struct capture_report *report)
{
    u64 start = timer_microseconds();
    struct disk_statistics before = capture->disk->statistics;
    struct capture_report result = {};

    enum status status = page_space_prepare(capture->space);
    if (status)
        return status;
    status = init_snapshot(capture->snapper, NULL);
    if (status)
        return status;
    status = run_generation(capture, description, &result);
    if (status)
        return status;

    const struct disk_statistics *after = &capture->disk->statistics;
    result.requests = after->writes - before.writes;
    result.bytes = after->bytes_written - before.bytes_written;
    result.flushes = after->flushes - before.flushes;
    result.total_microseconds = timer_microseconds() - start;
    *report = result;
    return OK;
}
