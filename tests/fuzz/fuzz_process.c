/*
 * X4: a process table out of a generation, damaged at will. What is accepted holds nothing that IRETQ,
 * FXRSTOR or a region could do harm with.
 *
 * The input is a list of writes into a table that is right: two bytes of place, one of value.
 */
#include "kernel/arch/gdt.h"
#include "kernel/base/endian.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/process_image.h"

static struct process_table table;

static void check_process(const struct process *process)
{
    const struct trap_frame *registers = &process->registers;
    u64 end = 0;

    require(registers->cs == SELECTOR_USER_CODE && registers->ss == SELECTOR_USER_DATA);
    require((registers->rflags & 0x3202) == 0x202);
    require((registers->rflags & ~0x3fffffULL) == 0 && !(registers->rflags & 1 << 17));
    require(registers->rip >> 47 == 0 && registers->rsp >> 47 == 0);
    require((get_le32(process->fx + USER_FX_CONTROL_AT) & ~user_fx_control_mask) == 0);
    require(process->region_count >= 2 && process->region_count <= PROCESS_REGIONS_MAX);
    for (u32 i = 0; i < process->region_count; i++) {
        const struct region *region = &process->regions[i];
        require(region->rights == PAGE_READABLE || region->rights == PAGE_WRITABLE ||
                region->rights == PAGE_EXECUTABLE);
        require(region->first_page >= end);
        end = region->first_page + region->page_count;
        require(end >= region->first_page && end <= USER_END / PAGE_SIZE);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    u32 cursor = 0;

    process_image_make(&table);
    process_table_use(&table);
    /* Places in the header and the first four entries. */
    for (size_t at = 0; at + 3 <= size; at += 3)
        ((u8 *)&table)[get_le16(data + at) % (offsetof(struct process_table, of) +
                                              4 * sizeof *table.of)] = data[at + 2];
    if (process_table_check(&table) != OK)
        return 0;
    for (const struct process *process; (process = process_next(&cursor));) {
        require(memchr(process->name, 0, sizeof process->name) != NULL);
        require(process_find(process->id) == process);
        if (process->wait != WAIT_LOAD && process->state != PROCESS_ENDED)
            check_process(process);
    }
    return 0;
}
