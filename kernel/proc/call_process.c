/*
 * Processes that make, await and end others.
 */
#include "kernel/arch/interrupts.h"
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/proc/life.h"
#include "kernel/proc/scheduler.h"
#include "kernel/proc/space.h"
#include "kernel/proc/syscall_internal.h"

/* The child is loaded, or not to be had: what the first part of the call has begun. */
static i64 finish_spawn(struct process *process)
{
    u32 child = process->spawning;
    i32 error = process->spawn_error;

    process->spawning = 0;
    process->spawn_error = OK;
    return error ? error : (i64)child;
}

static i64 read_request(const struct call *call, struct program_request *request)
{
    u64 size = call->arguments[2];

    if (size > ARGUMENTS_MAX)
        return ERR_TOO_LARGE;
    i64 answer = call_text(call, call->arguments[0], request->path, sizeof request->path);
    if (!call_goes_on(call, answer))
        return answer;
    answer = call_reach(call, call->arguments[1], size, PAGE_READ);
    if (!call_goes_on(call, answer))
        return answer;
    request->arguments_size = (u32)size;
    return user_copy_in(request->arguments, call->arguments[1], size)
               ? 0
               : ERR_INVALID_ARGUMENT;
}

static i64 begin_spawn(const struct call *call)
{
    struct process_table *table = process_table();
    struct program_request request = {};
    struct process *child;

    i64 answer = read_request(call, &request);
    if (!call_goes_on(call, answer))
        return answer;
    enum status status = process_create(&request, call->process->id, &child);
    if (status)
        return status;
    table->request = request;
    table->loading = child->id;
    call->process->spawning = child->id;
    return 0;
}

/* Two parts: one makes the child's entry, the next finds what the upkeep has made of it. */
i64 call_spawn(const struct call *call)
{
    u32 loading = process_table()->loading;

    if (call->process->spawning && call->process->spawning != loading)
        return finish_spawn(call->process);
    if (!loading) {
        i64 answer = begin_spawn(call);
        if (!call_goes_on(call, answer))
            return answer;
    }
    process_wait(call->process, WAIT_SPAWN);
    scheduler_want_kernel();
    return 0;
}

i64 call_wait(const struct call *call)
{
    struct process *child = process_find((u32)call->arguments[0]);

    if (call->arguments[0] > UINT32_MAX || !child || child->parent != call->process->id)
        return ERR_NOT_FOUND;
    if (child->state != PROCESS_ENDED) {
        process_wait(call->process, WAIT_CHILD);
        return 0;
    }
    child->parent = PROCESS_NOBODY;
    scheduler_want_kernel();
    return child->exit_status;
}

/* Itself and those that descend from it: neighbours are none of its business. */
i64 call_kill(const struct call *call)
{
    struct process *victim = process_find((u32)call->arguments[0]);

    if (call->arguments[0] > UINT32_MAX || !victim ||
        (victim != call->process && !life_descends_from(victim, call->process->id)))
        return ERR_NOT_FOUND;
    life_kill_tree(victim->id);
    scheduler_want_kernel();
    return 0;
}

static struct process_info describe(const struct process *process)
{
    struct process_info info = {
        .id = process->id,
        .parent = process->parent,
        .state = (enum process_state)process->state,
        .exit_status = process->exit_status,
        .pages = space_page_count(process),
        .cpu_microseconds =
            process->cpu_cycles / max_u64(cpu_timestamp_hertz() / 1000000, 1),
    };

    memcpy(info.name, process->name, sizeof info.name);
    return info;
}

i64 call_list(const struct call *call)
{
    u64 fits = min_u64(call->arguments[1], PROCESSES_MAX);
    u64 to = call->arguments[0];
    u32 cursor = 0;
    i64 count = 0;

    i64 answer = call_reach(call, to, fits * sizeof(struct process_info), PAGE_WRITE);
    if (!call_goes_on(call, answer))
        return answer;
    for (const struct process *process; (process = process_next(&cursor)); count++) {
        struct process_info info = describe(process);
        if ((u64)count < fits &&
            !user_copy_out(to + (u64)count * sizeof info, &info, sizeof info))
            return ERR_INVALID_ARGUMENT;
    }
    return count;
}
