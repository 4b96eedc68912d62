#include "kernel/persist/pager.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"

/* Pages brought for one that is asked for, and in one step of the background. */
enum { REACH_LEAST = 4, REACH_MOST = 64, FETCH_STEP = 32 };

void pager_init(struct pager *pager, struct spaces *spaces)
{
    *pager = (struct pager){ .spaces = spaces, .next_id = UINT64_MAX };
}

void pager_bind(struct pager *pager, struct snapper *snapper)
{
    pager->snapper = snapper;
    pager->fetch_id = 0;
    pager->fetch_ended = false;
}

bool pager_holds(void *context, u64 space, u64 page)
{
    const struct pager *pager = context;
    struct snapper_run run;
    u64 id = object_id(space, page);

    return pager->snapper && current_run(pager->snapper, id, &run) && run.first_id == id;
}

static u64 pages_of_space(const struct pager *pager, u64 number)
{
    return number == SPACE_KERNEL_WINDOW ? pager->spaces->window.space->limit
                                         : USER_SPACE_GIB * GIB / PAGE_SIZE;
}

enum status pager_check(const struct pager *pager, u64 *pages)
{
    struct snapper_run run;

    *pages = 0;
    for (u64 id = 0; current_run(pager->snapper, id, &run);
         id = run.first_id + run.count) {
        u64 number = object_space(run.first_id);
        if (run.size_bytes != PAGE_SIZE || number > SPACE_NUMBER_MAX ||
            !range_inside(object_page(run.first_id), run.count,
                          pages_of_space(pager, number))) {
            log_error("persist: objects %016lx, %lu of %lu bytes: no pages of a space",
                      run.first_id, run.count, run.size_bytes);
            return ERR_UNSUPPORTED;
        }
        *pages += run.count;
    }
    return OK;
}

/* --- one page --- */

static enum status read_page(struct pager *pager, physical_address frame, u64 id)
{
    size_t size;

    enum status status =
        current_restore(pager->snapper, pager->spaces->machine->frame_memory(frame),
                        PAGE_SIZE, id, &size);
    if (status == OK && size != PAGE_SIZE) {
        log_error("persist: object %016lx: %zu bytes are no page", id, size);
        status = ERR_CORRUPT;
    }
    return status;
}

static enum status bring(struct pager *pager, struct page_space *space, u64 page)
{
    const struct page_machine *machine = pager->spaces->machine;
    physical_address frame;

    /* All memory first: what is read and finds no place is read twice. */
    enum status status = page_space_make_place(space, page);
    if (status == OK)
        status = machine->frame_alloc(&frame);
    if (status)
        return status;
    status = read_page(pager, frame, object_id(space->number, page));
    if (status == OK)
        status = page_space_install(space, page, frame);
    if (status)
        machine->frame_free(frame);
    return status;
}

u64 pager_make_room(struct pager *pager, u64 wanted)
{
    u64 freed = spaces_evict(pager->spaces, &pager->hand, pager->pinned, wanted);

    pager->counters.evicted += freed;
    return freed;
}

/* What follows the page, as far as it is absent and there is room; trouble waits until it is asked for. */
static void bring_neighbours(struct pager *pager, struct page_space *space, u64 page)
{
    u64 count = 0;

    while (++count < pager->reach && page_space_is_absent(space, page + count) &&
           bring(pager, space, page + count) == OK)
        pager->counters.advance++;
    pager->next_id = object_id(space->number, page + count);
}

enum status pager_bring(struct pager *pager, struct page_space *space, u64 page)
{
    if (!page_space_is_absent(space, page))
        return OK;

    bool in_order = object_id(space->number, page) == pager->next_id;
    enum status status = bring(pager, space, page);
    if (status) {
        pager->counters.failed++;
        if (status != ERR_NO_MEMORY)
            log_error("persist: page %lu of space %lu cannot be brought back: %s", page,
                      space->number, status_text(status));
        return status;
    }
    pager->counters.asked++;
    pager->reach =
        in_order ? min_u64(max_u64(2 * pager->reach, REACH_LEAST), REACH_MOST) : 1;
    bring_neighbours(pager, space, page);
    return OK;
}

/* --- in the background --- */

/* Pages of spaces that nobody has are passed over. */
static bool fetch_run(struct pager *pager, const struct snapper_run *run, u64 *budget)
{
    struct page_space *space = spaces_find(pager->spaces, object_space(run->first_id));
    u64 id = run->first_id;

    for (u64 left = space ? run->count : 0; left > 0 && *budget > 0; left--, id++) {
        if (!page_space_is_absent(space, object_page(id)))
            continue;
        enum status status = bring(pager, space, object_page(id));
        if (status == ERR_NO_MEMORY)
            return false;
        --*budget;
        pager->counters.fetched += status == OK; /* else whoever needs it will be told */
    }
    pager->fetch_id = space ? id : run->first_id + run->count;
    return true;
}

bool pager_fetch(struct pager *pager, u64 room)
{
    u64 budget = min_u64(room, FETCH_STEP);
    struct snapper_run run;

    if (pager->fetch_ended || !pager->snapper)
        return false;
    bool has_room = budget > 0;
    while (budget > 0 && has_room) {
        if (!current_run(pager->snapper, pager->fetch_id, &run)) {
            has_room = false;
            break;
        }
        has_room = fetch_run(pager, &run, &budget);
    }
    pager->fetch_ended = !has_room;
    return has_room;
}
