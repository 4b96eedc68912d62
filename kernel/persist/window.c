#include "kernel/persist/window.h"

#include "kernel/arch/bulk.h"
#include "kernel/arch/interrupts.h"
#include "kernel/base/checked.h"
#include "kernel/base/log.h"

/* Kept for page tables, the heap, Snapper and ext4: a share of memory, and never less than this. */
enum { RESERVE_SHARE = 5, RESERVE_LEAST = 8 * MIB / PAGE_SIZE };

static struct page_space space;
static u64 reserve_frames;
static bool reserve_open;
static enum status (*pager_touch)(struct page_space *space, u64 page,
                                  enum page_access access);

u64 window_frames_left(void)
{
    u64 available = frame_available();

    return available > reserve_frames ? available - reserve_frames : 0;
}

u64 window_frames_free(void)
{
    return frame_available();
}

static enum status window_frame_alloc(physical_address *frame)
{
    if (!reserve_open && window_frames_left() == 0)
        return ERR_NO_MEMORY;
    return frame_alloc(frame);
}

static const struct page_machine machine = {
    .frame_alloc = window_frame_alloc,
    .frame_free = frame_free,
    .frame_memory = physical_to_virtual,
    .invalidate = invalidate_page,
    .reload = reload_page_tables,
    .copy_page = bulk_copy_page,
    .begin_section = interrupts_save,
    .end_section = interrupts_restore,
};

const struct page_machine *window_machine(void)
{
    return &machine;
}

void window_set_pager(enum status (*touch)(struct page_space *space, u64 page,
                                           enum page_access access))
{
    pager_touch = touch;
}

static enum status touch(u64 page, enum page_access access)
{
    reserve_open = true;
    enum status status = page_space_touch(&space, page, access);
    reserve_open = false;
    if (status == ERR_BUSY && pager_touch)
        status = pager_touch(&space, page, access);
    return status;
}

static bool window_fault(u64 address, u64 error_code)
{
    bool is_write = error_code & FAULT_WRITE;

    if (error_code & (FAULT_USER | FAULT_RESERVED | FAULT_FETCH))
        return false;
    if (error_code & FAULT_PRESENT && !is_write)
        return false;

    enum status status = touch(window_page(address), is_write ? PAGE_WRITE : PAGE_READ);
    if (status)
        log_error("persist: page at %016lx: %s", address, status_text(status));
    return status == OK;
}

void window_init(void)
{
    reserve_frames = max_u64(frame_total() / RESERVE_SHARE, RESERVE_LEAST) / 2;
    page_space_init(&space, &machine, paging_window_pdpt(), PERSISTENT_BASE,
                    PERSISTENT_SIZE);
    paging_set_window_fault(window_fault);
}

void window_resumed(void)
{
    reserve_frames *= 2;
}

struct page_space *window_space(void)
{
    return &space;
}

void *window_address(u64 page)
{
    return (void *)(PERSISTENT_BASE + page * PAGE_SIZE);
}
