#include "kernel/persist/persist.h"

#include "kernel/arch/interrupts.h"
#include "kernel/base/checked.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/persist/restore.h"
#include "kernel/persist/window.h"
#include "snapper/select.h"

enum {
    SETTLE_SLICE_MICROSECONDS = 5 * 1000, /* between two looks at the console */
    SETTLE_AFTER_MICROSECONDS = 60 * 1000 * 1000,
    PATIENCE_LEAST_MICROSECONDS = 1000 * 1000,
    PATIENCE_MOST_MICROSECONDS = 60 * 1000 * 1000,
};

static struct {
    enum persist_mode mode;
    const struct root_types *types;
    const struct snapper_config *config;
    const struct snapper_config_sources *sources;
    struct capture capture;
    u64 last_generation; /* timer time of the last one, or of the start */
    u64 patience; /* after failures: how long no generation is taken by itself, or 0 */
    bool busy;    /* a generation or the upkeep is being done */
    char summary[160];
} persist;

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

static void start_empty(enum persist_mode mode)
{
    page_space_reset(window_space());
    enum status status = root_create(persist.types);
    if (status)
        port_panic(__FILE__, __LINE__, "no memory for the root object");
    persist.mode = mode;
}

/* The root first: another kernel's memory is not worth reading. */
static enum status bring_back(const struct restore *restore, u64 *pages)
{
    enum status status = restore_page(restore, 0);
    if (status == OK)
        status = root_check(persist.types);
    if (status == OK)
        status = restore_all(restore, pages);
    if (status == OK)
        status = root_check_objects(persist.types);
    ++*pages;
    return status;
}

static enum status resume(const char *name, struct generation_name *resumed, u64 *pages)
{
    struct snapper *snapper = persist.capture.snapper;
    struct restore restore = { window_space(), SPACE_KERNEL_WINDOW, NULL };

    enum status status = open_generation(snapper, name);
    if (status)
        return status;
    *resumed = snapper_current(snapper);
    status = view_open(snapper, resumed->text, &restore.view);
    if (status == OK) {
        status = bring_back(&restore, pages);
        view_close(restore.view);
    }
    if (close_generation(snapper) != OK)
        log_error("persist: the generation could not be closed");
    return status;
}

/* What helps depends on what is wrong. */
static const char *ways_out(enum status status)
{
    switch (status) {
    case ERR_NOT_FOUND:
    case ERR_INVALID_ARGUMENT:
        return "another generation= (snapper list shows them), none for the newest, or "
               "fresh";
    case ERR_NO_MEMORY:
        return "more memory, generation=NAME of a smaller one, or fresh";
    case ERR_UNSUPPORTED:
        return "the kernel that made it, fresh, or snapctl on the host";
    default:
        return persist.config->integrity
                   ? "generation=NAME of an older one, snapper.integrity=false (skips "
                     "bad "
                     "archives), fresh, or snapctl on the host"
                   : "generation=NAME of an older one, fresh, or snapctl on the host";
    }
}

static void refuse_resume(const char *name, enum status status)
{
    format_text(persist.summary, sizeof persist.summary, "%s not resumed: %s",
                name[0] ? name : "newest generation", status_text(status));
    log_error("persist: %s", persist.summary);
    log_error("persist: ways out: %s", ways_out(status));
    start_empty(PERSIST_NOT_RESUMED);
}

static void resume_or_refuse(const char *wanted)
{
    struct generation_name selected = {}, resumed = {};
    u64 start = timer_microseconds(), pages = 0;

    if (wanted) {
        enum status status = snapper_select(persist.capture.snapper, wanted, &selected);
        if (status) {
            refuse_resume(wanted[0] ? wanted : "generation= without a name", status);
            return;
        }
    }
    enum status status = resume(wanted ? selected.text : NULL, &resumed, &pages);
    if (status == ERR_NOT_FOUND && !resumed.text[0] && !wanted) {
        start_empty(PERSIST_FRESH);
        (void)text_copy(persist.summary, sizeof persist.summary, "no generation yet");
        log_info("persist: no generation on the image, memory starts empty");
        return;
    }
    if (status) {
        refuse_resume(resumed.text[0] ? resumed.text : selected.text, status);
        return;
    }
    persist.mode = PERSIST_RESUMED;
    root_counters()->boots++;
    format_text(persist.summary, sizeof persist.summary, "%s resumed, %lu pages",
                resumed.text, pages);
    log_info("persist: %s in %lu ms", persist.summary,
             (timer_microseconds() - start) / 1000);
}

void persist_start(const struct root_types *types, const struct persist_store *store,
                   const struct persist_choice *choice)
{
    persist.types = types;
    persist.config = store->config;
    persist.sources = store->sources;
    persist.capture = (struct capture){ window_space(), SPACE_KERNEL_WINDOW,
                                        store->snapper, store->disk };

    if (!store->snapper) {
        start_empty(PERSIST_NO_STORE);
        (void)text_copy(persist.summary, sizeof persist.summary,
                        "no image: memory ends with the machine");
    } else if (choice->fresh) {
        start_empty(PERSIST_FRESH);
        (void)text_copy(persist.summary, sizeof persist.summary,
                        "fresh: generations on the image left alone");
        log_info("persist: %s", persist.summary);
    } else {
        resume_or_refuse(choice->generation);
    }
    persist.last_generation = timer_microseconds();
}

u64 persist_dirty_pages(void)
{
    return page_space_count_dirty(window_space());
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

enum status persist_capture(const char *description, struct capture_report *report)
{
    enum status status = check_may_capture();
    if (status)
        return status;

    persist.busy = true;
    root_counters()->generations++;
    status = capture_generation(&persist.capture, description, report);
    if (status)
        root_counters()->generations--;
    persist.last_generation = timer_microseconds();
    persist.patience = patience_after(status);
    persist.busy = false;
    if (status)
        log_error("persist: no generation was made: %s", status_text(status));
    return status;
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

static void poll(u64 passed)
{
    struct capture_report report;
    u64 interval = persist.config->interval_microseconds;

    if (interval && passed >= max_u64(interval, persist.patience) &&
        page_space_is_dirty(window_space())) {
        if (persist_capture(NULL, &report) == OK)
            log_debug("persist: generation %s, %lu pages", report.commit.name.text,
                      report.commit.taken);
    } else if (passed >= SETTLE_AFTER_MICROSECONDS) {
        if (settle_slice() != ERR_INTERRUPTED)
            persist.last_generation += passed; /* a failure is tried again in a minute */
    }
}

void persist_poll(void)
{
    if (persist.busy || persist.mode == PERSIST_NO_STORE ||
        persist.mode == PERSIST_NOT_RESUMED)
        return;
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

    if (wanted && (wish == PERSIST_SAVE || page_space_is_dirty(window_space()))) {
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
    enum status settled = persist_settle(&pace);
    return status ? status : settled;
}
