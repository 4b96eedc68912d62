#include "kernel/persist/persist_internal.h"

#include "kernel/arch/interrupts.h"
#include "kernel/base/checked.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/persist/mark.h"
#include "kernel/persist/window.h"

enum {
    SETTLE_SLICE_MICROSECONDS = 5 * 1000, /* between two looks at the console */
    SETTLE_AFTER_MICROSECONDS = 60 * 1000 * 1000,
    STANDS_AFTER_MICROSECONDS = 10 * 1000 * 1000,
    PATIENCE_LEAST_MICROSECONDS = 1000 * 1000,
    PATIENCE_MOST_MICROSECONDS = 60 * 1000 * 1000,
};

struct persist_state persist;

enum persist_mode persist_mode(void)
{
    return persist.mode;
}

struct snapper *persist_snapper(void)
{
    return persist.capture.snapper;
}

const struct disk *persist_disk(void)
{
    return persist.capture.disk;
}

const struct snapper_config *persist_config(void)
{
    return persist.config;
}

const struct snapper_config_sources *persist_config_sources(void)
{
    return persist.sources;
}

const char *persist_summary(void)
{
    return persist.summary;
}

u64 persist_dirty_pages(void)
{
    return spaces_count_dirty(&persist.spaces);
}

/* A disk that is full or fails is not asked, and complained about, ten times a second. */
static u64 patience_after(enum status status)
{
    if (status == OK)
        return 0;
    return min_u64(max_u64(2 * persist.patience, PATIENCE_LEAST_MICROSECONDS),
                   PATIENCE_MOST_MICROSECONDS);
}

static enum status check_may_capture(void)
{
    if (persist.mode == PERSIST_NO_STORE || persist.mode == PERSIST_NOT_RESUMED) {
        log_error("persist: no generation is taken: %s", persist.summary);
        return ERR_INVALID_STATE;
    }
    return persist.busy ? ERR_BUSY : OK;
}

enum status persist_take(const char *description, struct capture_report *report)
{
    persist.busy = true;
    persist_make_way();
    root_counters()->generations++;
    preemption_allow(); /* programs may come between any two instructions of it */
    enum status status = capture_generation(&persist.capture, description, report);
    preemption_forbid();
    if (status) {
        root_counters()->generations--;
    } else {
        persist.generations++;
        persist.last = *report;
    }
    persist.last_generation = timer_microseconds();
    persist.patience = patience_after(status);
    persist.busy = false;
    if (status)
        log_error("persist: no generation was made: %s", status_text(status));
    return status;
}

enum status persist_capture(const char *description, struct capture_report *report)
{
    enum status status = check_may_capture();

    return status ? status : persist_take(description, report);
}

u64 persist_generations(void)
{
    return persist.generations;
}

void persist_ask(void)
{
    persist.is_asked = true;
}

const struct capture_report *persist_last_generation(void)
{
    return persist.last.total_microseconds ? &persist.last : NULL;
}

void persist_set_line_hook(void (*await_line)(void))
{
    persist.capture.await_line = await_line;
}

void persist_draw_line(struct page_space *running)
{
    if (!persist.spaces.in_flight)
        mark_line(&persist.spaces, running);
}

void persist_clean_up(void)
{
    struct snapper_cleanup_report report;

    if (!persist.capture.snapper)
        return;
    enum status status = snapper_cleanup(persist.capture.snapper, &report);
    if (status)
        log_warning("persist: clean-up: %s", status_text(status));
    else if (report.generations || report.files)
        log_info("persist: clean-up: %u incomplete generations and %lu files removed",
                 report.generations, report.files);
}

enum status persist_settle(const struct snapper_pace *pace)
{
    u64 changed;

    if (!persist.capture.snapper || snapper_is_settled(persist.capture.snapper))
        return OK;
    persist.busy = true;
    enum status status = snapper_settle_paced(persist.capture.snapper, pace, &changed);
    persist.busy = false;
    if (status && status != ERR_INTERRUPTED)
        log_warning("persist: reference counts: %s", status_text(status));
    return status;
}

static bool has_time(void *until)
{
    return timer_microseconds() < *(const u64 *)until;
}

/* A little of it; what is left is for the next time. */
static enum status settle_slice(void)
{
    u64 until = timer_microseconds() + SETTLE_SLICE_MICROSECONDS;
    struct snapper_pace pace = { has_time, &until };

    return persist_settle(&pace);
}

static bool is_due(u64 passed)
{
    u64 interval = persist.config->interval_microseconds;

    if (passed < persist.patience || !spaces_are_dirty(&persist.spaces))
        return false;
    return persist.is_asked || (interval && passed >= interval);
}

static void poll(u64 passed)
{
    struct capture_report report;

    if (is_due(passed)) {
        enum status status = persist.is_asked
                                 ? persist_take_passing("asked for by output", &report)
                                 : persist_take(NULL, &report);
        persist.is_asked = false;
        if (status == OK)
            log_debug("persist: generation %s, %lu pages", report.commit.name.text,
                      report.commit.taken);
    } else if (passed >= SETTLE_AFTER_MICROSECONDS) {
        if (settle_slice() != ERR_INTERRUPTED)
            persist.last_generation += passed; /* a failure is tried again in a minute */
    }
}

/* What the resumed generation holds, as long as there is room for it; then the upkeep. */
static void work_behind(void)
{
    persist.busy = true;
    bool more = pager_fetch(&persist.pager, window_frames_left() / 2);
    persist.busy = false;
    if (more)
        return;
    if (!persist.is_clean) {
        persist.is_clean = true;
        persist_clean_up();
    }
    if (timer_microseconds() - persist.resumed_at >= STANDS_AFTER_MICROSECONDS)
        persist_stands();
}

void persist_poll_pages(void)
{
    if (!persist.busy && !persist.closed)
        (void)!persist_serve();
}

void persist_poll(void)
{
    if (persist.busy || persist.closed)
        return;
    (void)!persist_serve();
    if (persist.mode == PERSIST_NO_STORE || persist.mode == PERSIST_NOT_RESUMED)
        return;
    persist_weigh();
    work_behind();
    poll(timer_microseconds() - persist.last_generation);
}

/* Nobody should take it for a hang. */
static bool say_that_it_takes_long(void *start)
{
    u64 *since = start;

    if (*since && timer_microseconds() - *since > 1000 * 1000) {
        log_info("persist: the reference counts of all snapshot files are brought up to "
                 "date");
        *since = 0;
    }
    return true;
}

static enum status save_or_drop(enum persist_wish wish)
{
    bool may = persist.mode == PERSIST_FRESH || persist.mode == PERSIST_RESUMED;
    bool wanted =
        wish == PERSIST_SAVE || (may && persist.config->interval_microseconds > 0);
    struct capture_report report;
    enum status status = OK;

    if (wanted && (wish == PERSIST_SAVE || spaces_are_dirty(&persist.spaces))) {
        status = persist_capture("shutdown", &report);
        if (status == OK)
            log_info("persist: generation %s, %lu pages", report.commit.name.text,
                     report.commit.taken);
    } else if (!wanted && persist_dirty_pages()) {
        log_info("persist: %lu dirty pages are dropped", persist_dirty_pages());
    }
    return status;
}

enum status persist_wind_up(enum persist_wish wish)
{
    u64 start = timer_microseconds();
    struct snapper_pace pace = { say_that_it_takes_long, &start };

    enum status status = save_or_drop(wish);
    persist_stands();
    enum status settled = persist_settle(&pace);
    return status ? status : settled;
}

void persist_close(void)
{
    persist.closed = true;
    pager_bind(&persist.pager, NULL);
}
