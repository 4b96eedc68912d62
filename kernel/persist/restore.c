#include "kernel/persist/restore.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"

enum status restore_page(const struct restore *restore, u64 page)
{
    const struct page_machine *machine = restore->space->machine;
    physical_address frame;
    size_t size;

    enum status status = machine->frame_alloc(&frame);
    if (status)
        return status;

    u64 id = object_id(restore->space_number, page);
    status =
        view_restore(restore->view, machine->frame_memory(frame), PAGE_SIZE, id, &size);
    if (status == OK && size != PAGE_SIZE) {
        log_error("persist: object %016lx: %zu bytes are no page", id, size);
        status = ERR_CORRUPT;
    }
    if (status == OK)
        status = page_space_install(restore->space, page, frame);
    if (status)
        machine->frame_free(frame);
    return status;
}

static enum status check_run(const struct restore *restore, const struct snapper_run *run)
{
    if (object_space(run->first_id) == restore->space_number &&
        run->size_bytes == PAGE_SIZE &&
        range_inside(object_page(run->first_id), run->count, restore->space->limit))
        return OK;
    log_error("persist: objects %016lx, %lu of %lu bytes: no pages of space %lu",
              run->first_id, run->count, run->size_bytes, restore->space_number);
    return ERR_UNSUPPORTED;
}

static enum status restore_run(const struct restore *restore,
                               const struct snapper_run *run, u64 *pages)
{
    u64 first = object_page(run->first_id);

    for (u64 page = first; page < first + run->count; page++) {
        enum status status = restore_page(restore, page);
        if (status == ERR_EXISTS)
            continue;
        if (status) {
            log_error("persist: page %lu: %s", page, status_text(status));
            return status;
        }
        ++*pages;
    }
    return OK;
}

enum status restore_all(const struct restore *restore, u64 *pages)
{
    struct snapper_run run;
    u64 cursor = 0;

    *pages = 0;
    for (;;) {
        enum status status = view_next_run(restore->view, &cursor, &run);
        if (status)
            return status == ERR_NOT_FOUND ? OK : status;
        status = check_run(restore, &run);
        if (status)
            return status;
        status = restore_run(restore, &run, pages);
        if (status)
            return status;
    }
}
