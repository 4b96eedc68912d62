#include "kernel/proc/load.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/proc/elf.h"
#include "kernel/proc/space.h"

enum { FILE_SIZE_MAX = 16 * MIB, STACK_ALIGNMENT = 16 };

static const struct program_files *files;

void load_set_files(const struct program_files *used)
{
    files = used;
}

const struct program_files *load_files(void)
{
    return files;
}

static void add_region(struct process *process, u64 start, u64 end,
                       enum page_rights rights)
{
    process->regions[process->region_count++] = (struct region){
        .first_page = start / PAGE_SIZE,
        .page_count = divide_up(end, PAGE_SIZE) - start / PAGE_SIZE,
        .rights = rights,
    };
}

static enum page_rights segment_rights(const struct elf_segment *segment)
{
    if (segment->executable)
        return PAGE_EXECUTABLE;
    return segment->writable ? PAGE_WRITABLE : PAGE_READABLE;
}

_Static_assert(ELF_SEGMENTS_MAX + 2 <= PROCESS_REGIONS_MAX, "image, heap, stack");

static void plan_regions(struct process *process, const struct elf_image *image)
{
    process->region_count = 0;
    for (u32 i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        add_region(process, segment->address, segment->address + segment->size_bytes,
                   segment_rights(segment));
    }
    add_region(process, image->end, image->end, PAGE_WRITABLE);
    add_region(process, USER_STACK_LOWEST, USER_END, PAGE_WRITABLE);
}

/* The rest of a segment is zero by itself. */
static enum status fill_segments(const struct process *process,
                                 const struct elf_image *image, const u8 *raw)
{
    for (u32 i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        enum status status = space_fill(process, segment->address,
                                        raw + segment->file_offset, segment->file_size);
        if (status)
            return status;
    }
    return OK;
}

/* As abi.h says: the arguments at the top of the stack, and where they are in registers. */
static enum status begin(struct process *process, u64 entry,
                         const struct program_request *request)
{
    u32 size = request->arguments_size;
    u64 arguments = USER_END - align_up(size, STACK_ALIGNMENT);

    enum status status = space_fill(process, arguments, request->arguments, size);
    if (status)
        return status;
    user_frame_begin(&process->registers, entry, arguments);
    process->registers.rdi = arguments;
    process->registers.rsi = size;
    user_fx_begin(process->fx);
    process_wake(process);
    return OK;
}

static enum status load_image(struct process *process,
                              const struct program_request *request, const u8 *raw,
                              size_t size)
{
    struct elf_image image;

    enum status status = elf_decode(raw, size, &image);
    if (status)
        return status;
    plan_regions(process, &image);
    if (process_pages_claimed(process) > process->page_limit)
        return ERR_NO_MEMORY;
    status = space_open(process, SPACE_NEW);
    if (status)
        return status;
    status = fill_segments(process, &image, raw);
    if (status == OK)
        status = begin(process, image.entry, request);
    if (status)
        space_close(process);
    return status;
}

enum status load_process(struct process *process, const struct program_request *request)
{
    u8 *raw;
    size_t size;

    enum status status = files->read(request->path, FILE_SIZE_MAX, &raw, &size);
    if (status)
        return status;
    status = load_image(process, request, raw, size);
    port_free(raw);
    if (status)
        log_error("%s: not started: %s", request->path, status_text(status));
    return status;
}
