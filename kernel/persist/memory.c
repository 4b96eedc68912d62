/*
 * Pages on demand: brought when they are absent, with room made for them, by a generation if nothing
 * else helps.
 */
#include "kernel/arch/interrupts.h"
#include "kernel/base/log.h"
#include "kernel/persist/persist_internal.h"
#include "kernel/persist/window.h"

enum {
    ROOM = 64,       /* frames freed at once */
    TOUCH_TRIES = 4, /* what was brought may be evicted again before its turn */
    REQUESTS = 32,
    WEIGH_MICROSECONDS = 10 * 1000,
};

/*
 * What the kernel may want for a generation: for each page that it takes (640 bytes were measured with
 * blocks of 1 KiB, 540 with 4 KiB), and for the copies, directories and checkpoints beside them.
 */
enum { GENERATION_PAGE_BYTES = 1024, GENERATION_BYTES = 2 * MIB };

static const char forced_description[] = "memory full";

/* A page that a program waits for. */
struct page_request {
    enum { REQUEST_NONE, REQUEST_WAITS, REQUEST_FAILED } state;
    enum status status;
    u64 space, page;
    enum page_access access;
};

static struct page_request requests[REQUESTS];

static bool may_capture(void)
{
    return !persist.busy &&
           (persist.mode == PERSIST_FRESH || persist.mode == PERSIST_RESUMED);
}

/* With interval=0 nobody asked for generations: the one before was only on the way to this one. */
enum status persist_take_passing(const char *description, struct capture_report *report)
{
    persist.capture.passing = persist.config->interval_microseconds == 0;
    enum status status = persist_take(description, report);
    persist.capture.passing = false;
    return status;
}

static u64 frames_for_generation(u64 pages)
{
    return (pages * GENERATION_PAGE_BYTES + GENERATION_BYTES) / PAGE_SIZE;
}

void persist_make_way(void)
{
    if (window_frames_free() >=
        frames_for_generation(spaces_count_pages(&persist.spaces)))
        return;

    u64 wanted = frames_for_generation(persist_dirty_pages());
    if (window_frames_free() >= wanted)
        return;
    if (persist.relieve)
        persist.relieve();
    for (int vain = 0; vain < 2 && window_frames_free() < wanted;)
        vain = pager_make_room(&persist.pager, ROOM) > 0 ? 0 : vain + 1;
}

static enum status force_generation(void)
{
    struct capture_report report;

    enum status status = persist_take_passing(forced_description, &report);
    persist.refusal = status == ERR_NO_SPACE ? ERR_NO_SPACE : ERR_NO_MEMORY;
    if (status)
        return persist.refusal;
    persist.is_full = false;
    log_info("persist: memory is full: generation %s, %lu pages", report.commit.name.text,
             report.commit.taken);
    return OK;
}

/*
 * Until there is room: what the kernel took for itself meanwhile has to come back first. Twice in vain,
 * because the first time round spares what was used.
 */
static bool evict_some(void)
{
    for (int vain = 0; vain < 2 && window_frames_left() < ROOM;)
        vain = pager_make_room(&persist.pager, ROOM) > 0 ? 0 : vain + 1;
    return window_frames_left() > 0;
}

static enum status make_room(void)
{
    if (evict_some())
        return OK;
    if (!may_capture() || !spaces_are_dirty(&persist.spaces))
        return ERR_NO_MEMORY;
    enum status status = force_generation();
    if (status)
        return status;
    return evict_some() ? OK : ERR_NO_MEMORY;
}

void persist_weigh(void)
{
    u64 now = timer_microseconds(), pages = spaces_count_pages(&persist.spaces);
    u64 all = pages + window_frames_left();

    if (pages <= all / 2 || now - persist.last_weighed < WEIGH_MICROSECONDS ||
        !may_capture())
        return;
    persist.last_weighed = now;
    u64 dirty = spaces_count_dirty(&persist.spaces);
    persist.is_full = dirty > all / 4 * 3;
    if (dirty > all / 2 && now - persist.last_generation >= persist.patience)
        (void)!force_generation(); /* a log line was written, and writers will be told */
}

/* Writers go no further: what is left is for those who read what a generation holds. */
static enum status refuse_writer(void)
{
    if (!may_capture() ||
        timer_microseconds() - persist.last_generation < persist.patience)
        return persist.refusal;
    return force_generation();
}

static enum status bring(struct page_space *space, u64 page)
{
    bool was_busy = persist.busy;

    persist.busy = true;
    enum status status = pager_bring(&persist.pager, space, page);
    persist.busy = was_busy;
    return status;
}

enum status persist_touch(struct page_space *space, u64 page, enum page_access access)
{
    enum status status = ERR_BUSY;

    if (access == PAGE_WRITE && persist.is_full) {
        enum status refusal = refuse_writer();
        if (refusal)
            return refusal;
    }
    for (int tries = 0; tries < TOUCH_TRIES && !persist.closed; tries++) {
        status = page_space_touch(space, page, access);
        if (status == ERR_BUSY)
            status = bring(space, page);
        else if (status != ERR_NO_MEMORY)
            return status;
        if (status == ERR_NO_MEMORY)
            status = make_room();
        if (status)
            return status;
    }
    return status == OK ? page_space_touch(space, page, access) : status;
}

/* --- programs --- */

static struct page_request *find_request(u64 space, u64 page)
{
    for (size_t i = 0; i < REQUESTS; i++)
        if (requests[i].state != REQUEST_NONE && requests[i].space == space &&
            requests[i].page == page)
            return &requests[i];
    return NULL;
}

static void add_request(const struct page_request *request)
{
    for (size_t i = 0; i < REQUESTS; i++)
        if (requests[i].state == REQUEST_NONE) {
            requests[i] = *request;
            return;
        }
}

enum status persist_fault(struct page_space *space, u64 page, enum page_access access)
{
    bool waits = access == PAGE_WRITE && persist.is_full;
    enum status status = waits ? ERR_NO_MEMORY : page_space_touch(space, page, access);
    if (status != ERR_BUSY && status != ERR_NO_MEMORY)
        return status;

    struct page_request *known = find_request(space->number, page);
    if (!known) {
        add_request(
            &(struct page_request){ REQUEST_WAITS, OK, space->number, page, access });
        return ERR_BUSY;
    }
    if (known->state == REQUEST_WAITS)
        return ERR_BUSY;
    known->state = REQUEST_NONE;
    return known->status;
}

bool persist_is_wanted(void)
{
    for (size_t i = 0; i < REQUESTS; i++)
        if (requests[i].state == REQUEST_WAITS)
            return true;
    return false;
}

bool persist_serve(void)
{
    bool any = false;

    for (size_t i = 0; i < REQUESTS; i++) {
        struct page_request *request = &requests[i];
        if (request->state != REQUEST_WAITS)
            continue;
        any = true;
        struct page_space *space = spaces_find(&persist.spaces, request->space);
        enum status status =
            space ? persist_touch(space, request->page, request->access) : OK;
        request->status = status;
        request->state = status ? REQUEST_FAILED : REQUEST_NONE;
    }
    return any;
}

enum status persist_attach(u64 number, enum space_origin origin,
                           const struct page_policy *policy, struct page_space **space)
{
    return spaces_attach(&persist.spaces, number, origin, policy, space);
}

void persist_detach(struct page_space *space)
{
    for (size_t i = 0; i < REQUESTS; i++)
        if (requests[i].space == space->number)
            requests[i].state = REQUEST_NONE;
    spaces_detach(&persist.spaces, space);
}

bool persist_has_page(const struct page_space *space, u64 page)
{
    return page_space_has(space, page) || page_space_is_absent(space, page);
}

struct persist_memory persist_memory(void)
{
    const struct pager_counters *counters = &persist.pager.counters;

    return (struct persist_memory){
        .pages = spaces_count_pages(&persist.spaces),
        .dirty = spaces_count_dirty(&persist.spaces),
        .asked = counters->asked,
        .advance = counters->advance,
        .fetched = counters->fetched,
        .evicted = counters->evicted,
        .failed = counters->failed,
        .bytes_until_resumed = persist.bytes_until_resumed,
    };
}
