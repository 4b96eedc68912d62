/* A program's file. Whatever is accepted can be copied without a further look. */
#include "kernel/base/checked.h"
#include "kernel/proc/abi.h"
#include "kernel/proc/elf.h"
#include "tests/fuzz/fuzz.h"

static void check_image(const struct elf_image *image, size_t file_size)
{
    u64 lowest = USER_IMAGE_LOWEST;
    bool entry_is_code = false;

    require(image->segment_count >= 1 && image->segment_count <= ELF_SEGMENTS_MAX);
    for (u32 i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        u64 end = segment->address + segment->size_bytes;

        require(segment->size_bytes >= 1 && end > segment->address);
        require(align_down(segment->address, PAGE_SIZE) >= lowest);
        require(range_inside(segment->file_offset, segment->file_size, file_size));
        require(segment->file_size <= segment->size_bytes);
        require(!segment->writable || !segment->executable);
        entry_is_code |=
            segment->executable && image->entry >= segment->address && image->entry < end;
        lowest = align_up(end, PAGE_SIZE);
    }
    require(image->end == lowest && lowest <= USER_STACK_LOWEST);
    require(entry_is_code);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct elf_image image = {};
    u8 *raw = (u8 *)copied(data, size);

    if (elf_decode(raw, size, &image) == OK)
        check_image(&image, size);
    else
        require(image.segment_count == 0);
    free(raw);
    return 0;
}
