#include "kernel/proc/syscall.h"

#include "kernel/base/checked.h"
#include "kernel/mm/frame.h"
#include "kernel/persist/root.h"
#include "kernel/persist/window.h"
#include "kernel/proc/clock.h"
#include "kernel/proc/life.h"
#include "kernel/proc/scheduler.h"
#include "kernel/proc/space.h"
#include "kernel/proc/syscall_internal.h"
#include "kernel/proc/terminal.h"

enum { SYSCALL_INSTRUCTION_SIZE = 2 };

i64 call_reach(const struct call *call, u64 address, u64 size, enum page_access access)
{
    enum status status = space_touch_range(call->process, address, size, access);

    if (status != ERR_BUSY)
        return status;
    process_wait(call->process, WAIT_PAGE);
    scheduler_want_kernel();
    return 0;
}

bool call_goes_on(const struct call *call, i64 answer)
{
    return answer == 0 && call->process->state == PROCESS_READY;
}

i64 call_text(const struct call *call, u64 address, char *text, size_t size)
{
    for (size_t at = 0; at < size; at++) {
        if (at == 0 || (address + at) % PAGE_SIZE == 0) {
            i64 answer = call_reach(call, address + at, 1, PAGE_READ);
            if (!call_goes_on(call, answer))
                return answer;
        }
        if (!user_copy_in(&text[at], address + at, 1))
            return ERR_INVALID_ARGUMENT;
        if (text[at] == '\0')
            return 0;
    }
    return ERR_TOO_LARGE;
}

static i64 call_exit(const struct call *call)
{
    life_end(call->process, EXITED, (u32)call->arguments[0]);
    scheduler_want_kernel();
    return 0;
}

/* Whoever else is ready comes first; it waits for nothing, but somebody has to take its place. */
static i64 call_yield(const struct call *call)
{
    (void)call;
    scheduler_yield();
    return 0;
}

static i64 call_sleep(const struct call *call)
{
    struct process *process = call->process;
    u64 now = program_clock();

    if (process->wake_at == 0 && !checked_add(now, call->arguments[0], &process->wake_at))
        process->wake_at = UINT64_MAX;
    if (process->wake_at > now) {
        process_wait(process, WAIT_SLEEP);
        return 0;
    }
    process->wake_at = 0;
    return 0;
}

static i64 call_time(const struct call *call)
{
    (void)call;
    return (i64)program_clock();
}

static i64 call_grow(const struct call *call)
{
    struct process *process = call->process;
    struct region *heap = process_heap(process);
    u64 end = heap->first_page + heap->page_count;
    u64 pages = divide_up(call->arguments[0], PAGE_SIZE);

    /* One page stays unmapped below the stack. */
    if (pages >= USER_STACK_LOWEST / PAGE_SIZE - end ||
        !range_inside(process_pages_claimed(process), pages, process->page_limit))
        return ERR_NO_MEMORY;
    if (pages)
        heap->page_count += pages;
    return (i64)(end * PAGE_SIZE);
}

/* Woken by the upkeep, with the answer in place: this call is not made again. */
static i64 call_generation(const struct call *call)
{
    process_wait(call->process, WAIT_GENERATION);
    scheduler_want_kernel();
    return 0;
}

static i64 call_info(const struct call *call)
{
    struct system_info info = {
        .process = call->process->id,
        .boots = root_counters()->boots,
        .generations = root_counters()->generations,
        .memory_pages = frame_total(),
        .memory_pages_free = window_frames_left(),
        .columns = TERMINAL_COLUMNS,
        .rows = TERMINAL_ROWS,
    };

    i64 answer = call_reach(call, call->arguments[0], sizeof info, PAGE_WRITE);
    if (call_goes_on(call, answer) &&
        !user_copy_out(call->arguments[0], &info, sizeof info))
        return ERR_INVALID_ARGUMENT;
    return answer;
}

static i64 (*const calls[CALL_END])(const struct call *call) = {
    [CALL_EXIT] = call_exit,   [CALL_YIELD] = call_yield,
    [CALL_SLEEP] = call_sleep, [CALL_TIME] = call_time,
    [CALL_READ] = call_read,   [CALL_WRITE] = call_write,
    [CALL_GROW] = call_grow,   [CALL_SPAWN] = call_spawn,
    [CALL_WAIT] = call_wait,   [CALL_KILL] = call_kill,
    [CALL_LIST] = call_list,   [CALL_GENERATION] = call_generation,
    [CALL_INFO] = call_info,
};

void system_call(struct process *process, struct trap_frame *frame)
{
    struct call call = { process, { frame->rdi, frame->rsi, frame->rdx } };
    u64 number = frame->rax;

    if (number >= CALL_END || !calls[number]) {
        frame->rax = (u64)(i64)ERR_UNSUPPORTED;
        return;
    }
    i64 answer = calls[number](&call);
    if (process->state == PROCESS_READY)
        frame->rax = (u64)answer;
    else if (process->state == PROCESS_WAITING)
        frame->rip -= SYSCALL_INSTRUCTION_SIZE;
}
