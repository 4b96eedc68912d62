#include "kernel/proc/scheduler.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/paging.h"
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/persist/persist.h"
#include "kernel/proc/clock.h"
#include "kernel/proc/life.h"
#include "kernel/proc/space.h"
#include "kernel/proc/syscall.h"
#include "kernel/proc/terminal.h"

/* Instructions of vectors.S before and behind what the time stamps see. */
enum { STUB_CYCLES = 86 };

static struct {
    struct process *running;
    u32 next;     /* the slot to look at first */
    u32 fx_owner; /* the id of the process whose x87 and SSE registers are loaded, or 0 */
    bool held;
    bool kernel_wanted;
    bool yielded;
    u64 entered;      /* ring 3, time stamp */
    u64 breathed;     /* tick of the last look at the processes */
    bool line_wanted; /* before the next return to ring 3 */
    struct scheduler_counters counters;
} scheduler;

void scheduler_hold(void)
{
    scheduler.held = true;
}

void scheduler_release(void)
{
    scheduler.held = false;
}

bool scheduler_is_held(void)
{
    return scheduler.held;
}

struct process *scheduler_running(void)
{
    return scheduler.running;
}

void scheduler_want_kernel(void)
{
    scheduler.kernel_wanted = true;
}

void scheduler_yield(void)
{
    scheduler.yielded = true;
}

const struct scheduler_counters *scheduler_counters(void)
{
    return &scheduler.counters;
}

/* Those whose time has come, and those whose pages do. */
static void wake_waiting(void)
{
    u64 now = program_clock();
    u32 cursor = 0;

    for (struct process *process; (process = process_next(&cursor));)
        if (process->state == PROCESS_WAITING && process->wait == WAIT_SLEEP &&
            process->wake_at <= now)
            process_wake(process);
    if (!persist_is_wanted())
        process_wake_all(WAIT_PAGE);
}

/* Round robin. NULL: nobody is ready. */
static struct process *pick(void)
{
    struct process_table *table = process_table();

    if (scheduler.held)
        return NULL;
    for (u32 i = 0; i < PROCESSES_MAX; i++) {
        u32 slot = (scheduler.next + i) % PROCESSES_MAX;
        if (table->of[slot].state != PROCESS_READY)
            continue;
        scheduler.next = (slot + 1) % PROCESSES_MAX;
        return &table->of[slot];
    }
    return NULL;
}

static void store(struct process *process, const struct trap_frame *frame)
{
    process->registers = *frame;
    user_fx_save(process->fx);
}

static void load(struct process *process, struct trap_frame *frame)
{
    *frame = process->registers;
    space_load(process);
    if (scheduler.fx_owner != process->id)
        user_fx_load(process->fx);
    scheduler.fx_owner = process->id;
    scheduler.running = process;
    scheduler.entered = cpu_timestamp();
    scheduler.counters.switches++;
}

/* --- the kernel's thread gives the CPU away; interrupts are off --- */

/* Until an interrupt, or until nobody is ready. False: nobody was. */
static bool run_processes(void)
{
    struct process *process = pick();

    if (!process)
        return false;
    scheduler.kernel_wanted = false;
    load(process, user_frame());
    user_enter();
    return true;
}

static void wait(void)
{
    wake_waiting();
    scheduler.breathed = timer_ticks();
    if (!run_processes())
        interrupts_halt();
}

void scheduler_breathe(void)
{
    if (timer_ticks() == scheduler.breathed)
        return;
    bool enabled = interrupts_save();
    scheduler.breathed = timer_ticks();
    wake_waiting();
    (void)run_processes();
    interrupts_restore(enabled);
}

/* So that storing the registers at the line opens nothing: that would belong to the pause. */
static void prepare_store(struct process *process)
{
    volatile u8 *last = &process->fx[USER_FX_SIZE - 1];
    u8 value = *last;

    *last = value;
    process->registers.vector = 0; /* which nobody restores */
}

static void run_until_line(void)
{
    bool enabled = interrupts_save();
    struct process *process;

    lives_note_line();
    terminal_note_line(persist_generations());
    program_clock_note(&process_table()->clock);
    scheduler.line_wanted = true;
    while (scheduler.line_wanted && (process = pick())) {
        prepare_store(process);
        scheduler.kernel_wanted = false;
        load(process, user_frame());
        user_enter();
    }
    scheduler.line_wanted = false;
    interrupts_restore(enabled);
}

/* For generations: nobody ready means that the registers are all in the table anyway. */
static void await_line(void)
{
    interrupts_let_run(run_until_line);
}

/* --- on the process stack --- */

static void draw_line_here(struct process *process, const struct trap_frame *frame)
{
    store(process, frame);
    process_table()->clock.line = user_entered;
    persist_draw_line(space_pages(process));
    scheduler.line_wanted = false;

    u64 cycles = cpu_timestamp() - user_entered + STUB_CYCLES;
    scheduler.counters.line_cycles = cycles;
    scheduler.counters.line_cycles_most =
        max_u64(scheduler.counters.line_cycles_most, cycles);
}

static enum page_access access_of(u64 error_code)
{
    if (error_code & FAULT_FETCH)
        return PAGE_EXECUTE;
    return error_code & FAULT_WRITE ? PAGE_WRITE : PAGE_READ;
}

static const char *explain(enum status status, u64 error_code)
{
    switch (status) {
    case ERR_READ_ONLY:
        return error_code & FAULT_FETCH ? "execution of data"
                                        : "write to read-only memory";
    case ERR_INVALID_ARGUMENT:
        return error_code & FAULT_FETCH   ? "jump to nowhere"
               : error_code & FAULT_WRITE ? "write to nowhere"
                                          : "read from nowhere";
    default:
        return status_text(status);
    }
}

static void await_page(struct process *process)
{
    process_wait(process, WAIT_PAGE);
    scheduler.kernel_wanted = true;
}

static void page_fault(struct process *process, const struct trap_frame *frame)
{
    u64 address = cpu_read_cr2();
    enum status status = ERR_INVALID_ARGUMENT;

    scheduler.counters.faults++;
    /* Ring 3 with the kernel's rights: the processor reading a table, or an emulator that errs. Made
     * again it would fault for ever. */
    if (address < USER_END && (frame->error_code & FAULT_USER) &&
        !(frame->error_code & FAULT_RESERVED))
        status = space_touch(process, address, access_of(frame->error_code));
    if (status == ERR_BUSY)
        await_page(process);
    else if (status)
        life_end_by_fault(process, frame, explain(status, frame->error_code), address);
    if (status == OK && frame->error_code & FAULT_WRITE)
        scheduler.counters.fault_cycles_most =
            max_u64(scheduler.counters.fault_cycles_most,
                    cpu_timestamp() - user_entered + STUB_CYCLES);
}

static bool is_interrupt(const struct trap_frame *frame)
{
    return frame->vector >= VECTOR_EXCEPTIONS && frame->vector < VECTOR_COUNT;
}

static void serve(struct process *process, struct trap_frame *frame)
{
    if (frame->vector == VECTOR_SYSTEM_CALL)
        system_call(process, frame);
    else if (frame->vector == VECTOR_PAGE_FAULT)
        page_fault(process, frame);
    else if (frame->vector < VECTOR_EXCEPTIONS)
        life_end_by_fault(process, frame, NULL, 0);
    else
        scheduler.kernel_wanted = true;
}

/* From ring 3; returning goes back there, as the frame says. */
static void from_ring_3(struct trap_frame *frame)
{
    struct process *process = scheduler.running;

    /* Not behind a call or a fault: what they do would be part of the pause. */
    if (scheduler.line_wanted && is_interrupt(frame)) {
        draw_line_here(process, frame);
        return;
    }
    serve(process, frame);
    if (process->state == PROCESS_READY && !scheduler.kernel_wanted && !scheduler.yielded)
        return;
    scheduler.yielded = false;

    process->cpu_cycles += cpu_timestamp() - scheduler.entered;
    store(process, frame);
    process = scheduler.kernel_wanted ? NULL : pick();
    if (process)
        load(process, frame);
    else
        user_leave();
}

/* The kernel's own access to memory of the process that called it. */
static bool fault_in_copy(u64 address, u64 error_code)
{
    return address < USER_END &&
           space_touch(scheduler.running, address, access_of(error_code)) == OK;
}

void scheduler_init(void)
{
    user_init(from_ring_3);
    paging_set_user_fault(fault_in_copy);
    interrupts_set_wait(wait);
    preemption_set_hook(scheduler_breathe);
    persist_set_line_hook(await_line);
}
