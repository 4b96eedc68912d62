#include "kernel/proc/life.h"

#include "kernel/base/log.h"

static void disown_children(u32 parent)
{
    u32 cursor = 0;

    for (struct process *process; (process = process_next(&cursor));)
        if (process->parent == parent)
            process->parent = PROCESS_NOBODY;
}

void life_end(struct process *process, enum exit_kind kind, u32 code)
{
    struct process *parent = process_find(process->parent);

    process->state = PROCESS_ENDED;
    process->wait = WAIT_NOTHING;
    process->exit_status = kind << 8 | (code & 0xff);
    disown_children(process->id);
    if (parent && parent->state == PROCESS_WAITING && parent->wait == WAIT_CHILD)
        process_wake(parent);
}

void life_end_by_fault(struct process *process, const struct trap_frame *frame,
                       const char *reason, u64 address)
{
    if (frame->vector == VECTOR_PAGE_FAULT)
        log_info("process %u (%s) ended: %s at 0x%lx, by the instruction at 0x%lx",
                 process->id, process->name, reason, address, frame->rip);
    else
        log_info("process %u (%s) ended: %s at 0x%lx", process->id, process->name,
                 trap_name(frame->vector), frame->rip);
    life_end(process, FAULTED, (u32)frame->vector);
}

bool life_is_awaited(const struct process *process)
{
    return process->parent == 0 || process_find(process->parent);
}

/* The table bounds the way up: ids of parents come from the disk, and might go round. */
bool life_descends_from(const struct process *process, u32 ancestor)
{
    for (u32 i = 0; process && i < PROCESSES_MAX; i++) {
        if (process->parent == ancestor)
            return true;
        process = process_find(process->parent);
    }
    return false;
}

/* Ending one makes orphans of its children, so all are found first. */
void life_kill_tree(u32 id)
{
    bool doomed[PROCESSES_MAX] = {};
    u32 cursor = 0;

    for (const struct process *process; (process = process_next(&cursor));)
        doomed[process_slot(process)] =
            process->id == id || life_descends_from(process, id);
    cursor = 0;
    for (struct process *process; (process = process_next(&cursor));)
        if (doomed[process_slot(process)] && process->state != PROCESS_ENDED)
            life_end(process, KILLED, 0);
}
