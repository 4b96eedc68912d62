#include "kernel/proc/space.h"

#include "kernel/arch/address_space.h"
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/persist/persist.h"

struct process_space {
    struct page_space *pages; /* NULL: none */
    struct address_space tables;
};

static struct process_space spaces[PROCESSES_MAX];

static struct process_space *space_of(const struct process *process)
{
    return &spaces[process_slot(process)];
}

static enum page_rights rights_of(void *context, u64 page)
{
    const struct region *region = process_region(context, page);

    return region ? (enum page_rights)region->rights : PAGE_NONE;
}

enum status space_open(struct process *process, enum space_origin origin)
{
    struct process_space *space = space_of(process);
    struct page_policy policy = { true, rights_of, process };
    struct page_space *pages;

    enum status status = persist_attach(process->space, origin, &policy, &pages);
    if (status)
        return status;
    status = address_space_create(&space->tables, spaces_top_frame(pages));
    if (status) {
        persist_detach(pages);
        return status;
    }
    space->pages = pages;
    return OK;
}

void space_close(const struct process *process)
{
    struct process_space *space = space_of(process);

    if (!space->pages)
        return;
    address_space_destroy(&space->tables);
    persist_detach(space->pages);
    space->pages = NULL;
}

bool space_is_open(const struct process *process)
{
    return space_of(process)->pages != NULL;
}

struct page_space *space_pages(const struct process *process)
{
    return space_of(process)->pages;
}

void space_load(const struct process *process)
{
    page_space_enter(space_of(process)->pages);
    address_space_load(&space_of(process)->tables);
}

enum status space_touch(const struct process *process, u64 address,
                        enum page_access access)
{
    return persist_fault(space_of(process)->pages, address / PAGE_SIZE, access);
}

enum status space_touch_range(const struct process *process, u64 address, u64 size,
                              enum page_access access)
{
    if (!range_inside(address, size, USER_END))
        return ERR_INVALID_ARGUMENT;
    for (u64 at = align_down(address, PAGE_SIZE); at < address + size; at += PAGE_SIZE) {
        enum status status = space_touch(process, at, access);
        if (status)
            return status;
    }
    return OK;
}

/* With room made for it, whatever its rights. */
static enum status reach_page(struct page_space *pages, u64 page, void **memory)
{
    enum status status = persist_touch(pages, page, PAGE_READ);

    return status ? status : page_space_alias(pages, page, memory);
}

enum status space_fill(const struct process *process, u64 address, const void *data,
                       size_t size)
{
    const u8 *from = data;

    while (size > 0) {
        size_t offset = address % PAGE_SIZE;
        size_t piece = min_size(size, PAGE_SIZE - offset);
        void *memory;

        enum status status =
            reach_page(space_of(process)->pages, address / PAGE_SIZE, &memory);
        if (status)
            return status;
        memcpy((u8 *)memory + offset, from, piece);
        address += piece;
        from += piece;
        size -= piece;
    }
    return OK;
}

u64 space_page_count(const struct process *process)
{
    const struct page_space *pages = space_of(process)->pages;

    return pages ? pages->counters.pages : 0;
}

void space_check_all(struct paging_report *report)
{
    for (u32 slot = 0; slot < PROCESSES_MAX; slot++)
        if (spaces[slot].pages)
            paging_check(address_space_root(&spaces[slot].tables), report);
}
