/*
 * Which memory the machine starts with: that of a generation, of which only the kernel's own objects
 * are read now, or an empty one.
 */
#include "kernel/arch/interrupts.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/persist/persist_internal.h"
#include "kernel/persist/window.h"
#include "snapper/boots.h"
#include "snapper/retention.h"
#include "snapper/select.h"

static void start_empty(enum persist_mode mode)
{
    pager_bind(&persist.pager, NULL);
    page_space_reset(window_space());
    enum status status = root_create(persist.types);
    if (status)
        port_panic(__FILE__, __LINE__, "no memory for the root object");
    persist.mode = mode;
    /* In a line of its own nothing is held until there is a generation. */
    if (mode == PERSIST_FRESH)
        pager_bind(&persist.pager, persist.capture.snapper);
}

/* What the kernel itself cannot do without; the rest comes when it is touched. */
static enum status bring_objects(u64 pages)
{
    for (u64 page = 0; page < pages; page++) {
        enum status status = pager_bring(&persist.pager, window_space(), page);
        if (status == OK && page == 0) /* another kernel's memory is not worth reading */
            status = root_check(persist.types);
        if (status)
            return status;
    }
    return root_check_objects(persist.types);
}

/* Snapper's choice is counted, and may be another one than last time; what somebody names is not. */
static enum status open_choice(const char *name, bool held, struct generation_name *left)
{
    struct snapper_boot boot;

    if (held && snapper_boots(persist.capture.snapper) > 0)
        log_warning("persist: the last %lu boots died; held, this one does not fall back",
                    snapper_boots(persist.capture.snapper));
    if (name || held)
        return open_generation(persist.capture.snapper, name);
    enum status status = snapper_boot_open(persist.capture.snapper, &boot);
    if (status == OK) {
        persist.is_counted = true;
        *left = boot.left;
    }
    return status;
}

void persist_stands(void)
{
    if (!persist.is_counted)
        return;
    enum status status = snapper_boot_stands(persist.capture.snapper);
    persist.is_counted = false;
    if (status && status != ERR_READ_ONLY)
        log_warning("persist: this boot counts as one that died: %s",
                    status_text(status));
}

/* It was read from, and nothing of it ran. */
static void uncount(void)
{
    if (persist.is_counted && snapper_boot_is_void(persist.capture.snapper) == OK)
        persist.is_counted = false;
}

static enum status resume(const char *name, bool held, struct generation_name *left,
                          struct generation_name *resumed, u64 *pages)
{
    struct snapper *snapper = persist.capture.snapper;

    enum status status = open_choice(name, held, left);
    if (status)
        return status;
    *resumed = snapper_current(snapper);
    if (close_generation(snapper) != OK)
        log_error("persist: the generation could not be closed");
    pager_bind(&persist.pager, snapper);
    status = pager_check(&persist.pager, pages);
    return status ? status : bring_objects(root_pages(persist.types));
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
    uncount();
    start_empty(PERSIST_NOT_RESUMED);
}

static void say_resumed(const struct generation_name *resumed, u64 pages, u64 start,
                        const struct generation_name *left)
{
    struct generation_name target = snapper_target(persist.capture.snapper);

    format_text(persist.summary, sizeof persist.summary, "%s resumed, %lu pages%s%s",
                resumed->text, pages, left->text[0] ? ", instead of " : "", left->text);
    log_info("persist: %s in %lu ms", persist.summary,
             (persist.resumed_at - start) / 1000);
    if (generation_name_compare(&target, resumed) == 0 && !left->text[0])
        log_info(
            "persist: this is the rollback target; a new generation goes on from it");
    if (left->text[0])
        log_error(
            "persist: FALLEN BACK: programs go on from an older state; the newer one "
            "comes back by the boot word generation=%s, or by snapper rollback %s",
            left->text, left->text);
}

static void resume_or_refuse(const char *wanted, bool held)
{
    struct generation_name selected = {}, resumed = {}, left = {};
    u64 start = timer_microseconds(), pages = 0;

    if (wanted) {
        enum status status = snapper_select(persist.capture.snapper, wanted, &selected);
        if (status) {
            refuse_resume(wanted[0] ? wanted : "generation= without a name", status);
            return;
        }
    }
    enum status status =
        resume(wanted ? selected.text : NULL, held, &left, &resumed, &pages);
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
    persist.resumed_at = timer_microseconds();
    say_resumed(&resumed, pages, start, &left);
}

void persist_start(const struct root_types *types, const struct persist_store *store,
                   const struct persist_choice *choice)
{
    persist.types = types;
    persist.config = store->config;
    persist.sources = store->sources;
    persist.relieve = store->relieve;
    persist.capture.spaces = &persist.spaces;
    persist.capture.snapper = store->snapper;
    persist.capture.disk = store->disk;
    persist.busy = persist.closed = persist.is_clean = false;
    persist.is_full = persist.is_counted = false;
    persist.refusal = ERR_NO_MEMORY;
    persist.is_asked = false;
    persist.generations = 0;
    struct page_backing backing = { pager_holds, &persist.pager };
    spaces_init(&persist.spaces, window_space(), &backing);
    pager_init(&persist.pager, &persist.spaces);
    persist.pager.pinned = root_pages(types);
    window_set_pager(persist_touch);

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
        resume_or_refuse(choice->generation, choice->held);
    }
    persist.last_generation = timer_microseconds();
    persist.bytes_until_resumed = store->disk ? store->disk->statistics.bytes_read : 0;
}
