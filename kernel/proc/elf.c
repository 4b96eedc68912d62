#include "kernel/proc/elf.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/proc/abi.h"

enum {
    CLASS_AT = 4,
    TYPE_AT = 16,
    MACHINE_AT = 18,
    ENTRY_AT = 24,
    HEADERS_AT = 32,
    HEADER_SIZE_AT = 54,
    HEADER_COUNT_AT = 56,
    FILE_HEADER_SIZE = 64,
    CLASS_64_LITTLE = 0x0102,
    TYPE_EXECUTABLE = 2,
    MACHINE_X86_64 = 62,
};
enum {
    FLAGS_AT = 4,
    OFFSET_AT = 8,
    ADDRESS_AT = 16,
    FILE_SIZE_AT = 32,
    MEMORY_SIZE_AT = 40,
    ALIGNMENT_AT = 48,
    PROGRAM_HEADER_SIZE = 56,
    PROGRAM_HEADERS_MAX = 32,
};
enum { SEGMENT_LOAD = 1, SEGMENT_DYNAMIC = 2, SEGMENT_INTERPRETER = 3 };
enum { FLAG_EXECUTE = 1, FLAG_WRITE = 2 };

static enum status refuse(enum status status, const char *what, u64 value)
{
    log_error("elf: %s: 0x%lx", what, value);
    return status;
}

static enum status refuse_segment(u32 index, const char *what, u64 value)
{
    log_error("elf: segment %u: %s: 0x%lx", index, what, value);
    return ERR_CORRUPT;
}

static enum status check_file_header(const u8 *raw, size_t size)
{
    static const u8 magic[] = { 0x7f, 'E', 'L', 'F' };

    if (size < FILE_HEADER_SIZE || memcmp(raw, magic, sizeof magic) != 0)
        return refuse(ERR_CORRUPT, "not an ELF file, bytes", size);
    if (get_le16(raw + CLASS_AT) != CLASS_64_LITTLE)
        return refuse(ERR_UNSUPPORTED, "class and order", get_le16(raw + CLASS_AT));
    if (get_le16(raw + MACHINE_AT) != MACHINE_X86_64)
        return refuse(ERR_UNSUPPORTED, "machine", get_le16(raw + MACHINE_AT));
    if (get_le16(raw + TYPE_AT) != TYPE_EXECUTABLE)
        return refuse(ERR_UNSUPPORTED, "not a static executable, type",
                      get_le16(raw + TYPE_AT));
    if (get_le16(raw + HEADER_SIZE_AT) != PROGRAM_HEADER_SIZE)
        return refuse(ERR_CORRUPT, "size of a program header",
                      get_le16(raw + HEADER_SIZE_AT));
    return OK;
}

/* Where in the file the program headers are. */
static enum status find_program_headers(const u8 *raw, size_t size, const u8 **headers,
                                        u32 *count)
{
    u64 offset = get_le64(raw + HEADERS_AT);
    u32 found = get_le16(raw + HEADER_COUNT_AT);

    if (found > PROGRAM_HEADERS_MAX)
        return refuse(ERR_UNSUPPORTED, "number of program headers", found);
    if (!range_inside(offset, (u64)found * PROGRAM_HEADER_SIZE, size))
        return refuse(ERR_CORRUPT, "program headers outside of the file", offset);
    *headers = raw + offset;
    *count = found;
    return OK;
}

static u64 first_page(const struct elf_segment *segment)
{
    return align_down(segment->address, PAGE_SIZE);
}

/* `lowest`: where the pages of the segment before it end. */
static enum status check_segment(const struct elf_segment *segment, u32 index, u64 lowest,
                                 size_t file_size)
{
    u64 end;

    if (segment->file_size > segment->size_bytes)
        return refuse_segment(index, "more in the file than in memory",
                              segment->file_size);
    if (!range_inside(segment->file_offset, segment->file_size, file_size))
        return refuse_segment(index, "outside of the file", segment->file_offset);
    if (first_page(segment) < USER_IMAGE_LOWEST ||
        !checked_add(segment->address, segment->size_bytes, &end) ||
        end > USER_STACK_LOWEST)
        return refuse_segment(index, "outside of a program's memory", segment->address);
    if (first_page(segment) < lowest)
        return refuse_segment(index, "on a page of the one before", segment->address);
    if (segment->writable && segment->executable)
        return refuse_segment(index, "writable and executable", segment->address);
    return OK;
}

static enum status check_alignment(const u8 *header, u32 index)
{
    u64 alignment = get_le64(header + ALIGNMENT_AT);
    u64 skew = get_le64(header + ADDRESS_AT) - get_le64(header + OFFSET_AT);

    if (alignment <= 1)
        return OK;
    if (alignment & (alignment - 1) || skew & (alignment - 1))
        return refuse_segment(index, "alignment", alignment);
    return OK;
}

static enum status decode_segment(const u8 *header, u32 index, size_t file_size,
                                  struct elf_image *image)
{
    u32 flags = get_le32(header + FLAGS_AT);
    struct elf_segment segment = {
        .address = get_le64(header + ADDRESS_AT),
        .size_bytes = get_le64(header + MEMORY_SIZE_AT),
        .file_offset = get_le64(header + OFFSET_AT),
        .file_size = get_le64(header + FILE_SIZE_AT),
        .writable = flags & FLAG_WRITE,
        .executable = flags & FLAG_EXECUTE,
    };

    if (segment.size_bytes == 0)
        return OK;
    if (image->segment_count == ELF_SEGMENTS_MAX)
        return refuse(ERR_UNSUPPORTED, "more segments than", ELF_SEGMENTS_MAX);
    enum status status = check_segment(&segment, index, image->end, file_size);
    if (status == OK)
        status = check_alignment(header, index);
    if (status)
        return status;
    image->segments[image->segment_count++] = segment;
    image->end = align_up(segment.address + segment.size_bytes, PAGE_SIZE);
    return OK;
}

static enum status check_entry(const struct elf_image *image)
{
    for (u32 i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        if (segment->executable && image->entry >= segment->address &&
            image->entry - segment->address < segment->size_bytes)
            return OK;
    }
    return refuse(ERR_CORRUPT, "entry in no executable segment", image->entry);
}

enum status elf_decode(const u8 *raw, size_t size, struct elf_image *image)
{
    struct elf_image result = {};
    const u8 *headers;
    u32 count;

    enum status status = check_file_header(raw, size);
    if (status == OK)
        status = find_program_headers(raw, size, &headers, &count);
    if (status)
        return status;

    for (u32 i = 0; i < count; i++) {
        const u8 *header = headers + i * PROGRAM_HEADER_SIZE;
        u32 type = get_le32(header);

        if (type == SEGMENT_DYNAMIC || type == SEGMENT_INTERPRETER)
            return refuse(ERR_UNSUPPORTED, "wants a dynamic linker, segment", i);
        if (type != SEGMENT_LOAD)
            continue;
        status = decode_segment(header, i, size, &result);
        if (status)
            return status;
    }
    result.entry = get_le64(raw + ENTRY_AT);
    status = check_entry(&result);
    if (status)
        return status;
    *image = result;
    return OK;
}
