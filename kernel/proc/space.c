#include "kernel/proc/space.h"

#include "kernel/arch/address_space.h"
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/persist/window.h"

static struct {
    bool open;
    struct address_space tables;
    struct page_space pages;
} spaces[PROCESSES_MAX];

static enum page_rights rights_of(void *context, u64 page)
{
    const struct region *region = process_region(context, page);

    return region ? region->rights : PAGE_NONE;
}

enum status space_open(const struct process *process)
{
    u32 slot = process_slot(process);
    struct page_policy policy = { true, rights_of, (void *)process };

    enum status status = address_space_create(&spaces[slot].tables);
    if (status)
        return status;
    page_space_init(&spaces[slot].pages, window_machine(),
                    address_space_top(&spaces[slot].tables), 0, USER_END);
    page_space_set_policy(&spaces[slot].pages, &policy);
    spaces[slot].open = true;
    return OK;
}

void space_close(const struct process *process)
{
    u32 slot = process_slot(process);

    if (!spaces[slot].open)
        return;
    page_space_reset(&spaces[slot].pages);
    address_space_destroy(&spaces[slot].tables);
    spaces[slot].open = false;
}

bool space_is_open(const struct process *process)
{
    return spaces[process_slot(process)].open;
}

void space_load(const struct process *process)
{
    address_space_load(&spaces[process_slot(process)].tables);
}

enum status space_touch(const struct process *process, u64 address,
                        enum page_access access)
{
    return page_space_touch(&spaces[process_slot(process)].pages, address / PAGE_SIZE,
                            access);
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

enum status space_fill(const struct process *process, u64 address, const void *data,
                       size_t size)
{
    struct page_space *pages = &spaces[process_slot(process)].pages;
    const u8 *from = data;

    while (size > 0) {
        size_t offset = address % PAGE_SIZE;
        size_t piece = min_size(size, PAGE_SIZE - offset);
        void *memory;

        enum status status = page_space_alias(pages, address / PAGE_SIZE, &memory);
        if (status)
            return status;
        memcpy((u8 *)memory + offset, from, piece);
        address += piece;
        from += piece;
        size -= piece;
    }
    return OK;
}

struct page_space *space_pages_of(const struct process *process)
{
    return &spaces[process_slot(process)].pages;
}

u64 space_pages(const struct process *process)
{
    return spaces[process_slot(process)].pages.counters.pages;
}
