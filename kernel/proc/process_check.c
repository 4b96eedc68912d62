/*
 * X4: what a generation holds of the processes is as hostile as any other bytes from the disk.
 */
#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/proc/process.h"

static enum status refuse(u32 slot, const char *what, u64 value)
{
    log_error("processes: entry %u: %s is 0x%lx", slot, what, value);
    return ERR_CORRUPT;
}

/* Printable and terminated. */
static bool is_text(const char *text, size_t max)
{
    for (size_t i = 0; i <= max; i++) {
        if (text[i] == '\0')
            return true;
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    }
    return false;
}

static enum status check_numbers(const struct process_table *table, u32 slot)
{
    const struct process *process = &table->of[slot];

    if (process->id == 0 || process->id >= table->next_id)
        return refuse(slot, "id", process->id);
    if (process->space < PROCESS_SPACE_FIRST || process->space >= table->next_space)
        return refuse(slot, "space", process->space);
    for (u32 i = 0; i < slot; i++) {
        const struct process *other = &table->of[i];
        if (other->state == PROCESS_FREE)
            continue;
        if (other->id == process->id)
            return refuse(slot, "id, a second time,", process->id);
        if (other->space == process->space)
            return refuse(slot, "space, a second time,", process->space);
    }
    return OK;
}

/* What IRETQ and FXRSTOR would fault on, or take to ring 0. */
static enum status check_registers(const struct process *process, u32 slot)
{
    const struct trap_frame *registers = &process->registers;

    if (!user_frame_is_safe(registers)) {
        log_error("processes: entry %u: rip %lx cs %lx rflags %lx rsp %lx ss %lx", slot,
                  registers->rip, registers->cs, registers->rflags, registers->rsp,
                  registers->ss);
        return ERR_CORRUPT;
    }
    /* Its call is skipped, and the instruction behind it must be an address too. */
    if (process->wait == WAIT_GENERATION && registers->rip >= USER_END)
        return refuse(slot, "rip in a system call", registers->rip);
    if (!user_fx_is_safe(process->fx))
        return refuse(slot, "MXCSR", process->fx[USER_FX_CONTROL_AT]);
    return OK;
}

static enum status check_region(const struct region *region, u32 slot, u64 lowest)
{
    const u64 end = USER_END / PAGE_SIZE;

    if (region->first_page < lowest ||
        !range_inside(region->first_page, region->page_count, end))
        return refuse(slot, "first page of a region", region->first_page);
    if (region->rights != PAGE_READABLE && region->rights != PAGE_WRITABLE &&
        region->rights != PAGE_EXECUTABLE)
        return refuse(slot, "rights of a region", region->rights);
    return OK;
}

/* Image in ascending order, then heap, then stack: GROW relies on the last two. */
static enum status check_regions(const struct process *process, u32 slot)
{
    u64 lowest = USER_IMAGE_LOWEST / PAGE_SIZE;

    if (process->region_count < 3 || process->region_count > PROCESS_REGIONS_MAX)
        return refuse(slot, "number of regions", process->region_count);
    for (u32 i = 0; i < process->region_count; i++) {
        const struct region *region = &process->regions[i];
        enum status status = check_region(region, slot, lowest);
        if (status)
            return status;
        lowest = region->first_page + region->page_count;
        if (i + 2 == process->region_count && lowest > USER_STACK_LOWEST / PAGE_SIZE)
            return refuse(slot, "end of the heap", lowest);
    }
    const struct region *stack = &process->regions[process->region_count - 1];
    const struct region *heap = stack - 1;
    if (stack->rights != PAGE_WRITABLE || heap->rights != PAGE_WRITABLE)
        return refuse(slot, "rights of the stack", stack->rights);
    return OK;
}

static enum status check_process(const struct process_table *table, u32 slot)
{
    const struct process *process = &table->of[slot];
    bool loaded = process->wait != WAIT_LOAD && process->state != PROCESS_ENDED;

    if (process->state > PROCESS_ENDED)
        return refuse(slot, "state", process->state);
    if (process->wait >= WAIT_END ||
        (process->state == PROCESS_WAITING) != (process->wait != WAIT_NOTHING))
        return refuse(slot, "reason to wait", process->wait);
    if (!is_text(process->name, PROCESS_NAME_MAX))
        return refuse(slot, "name, not text,", (u8)process->name[0]);
    if (process->wait == WAIT_LOAD && process->id != table->loading)
        return refuse(slot, "id, to be loaded from nothing,", process->id);
    if (process->input_mode > READ_KEYS_NOW)
        return refuse(slot, "input mode", process->input_mode);

    enum status status = check_numbers(table, slot);
    if (status == OK && loaded)
        status = check_registers(process, slot);
    if (status == OK && loaded)
        status = check_regions(process, slot);
    return status;
}

enum status process_table_check(void *object)
{
    const struct process_table *table = object;

    if (table->next_id == 0 || table->next_space < PROCESS_SPACE_FIRST ||
        table->next_space > PROCESS_SPACE_END) {
        log_error("processes: next id %u, next space %u", table->next_id,
                  table->next_space);
        return ERR_CORRUPT;
    }
    if (table->loading && program_request_check(&table->request) != OK) {
        log_error("processes: the program to be loaded has no path or no arguments");
        return ERR_CORRUPT;
    }
    for (u32 slot = 0; slot < PROCESSES_MAX; slot++) {
        if (table->of[slot].state == PROCESS_FREE)
            continue;
        enum status status = check_process(table, slot);
        if (status)
            return status;
    }
    return OK;
}
