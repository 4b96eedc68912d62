#include "kernel/proc/upkeep.h"

#include "kernel/base/log.h"
#include "kernel/persist/persist.h"
#include "kernel/persist/root.h"
#include "kernel/proc/clock.h"
#include "kernel/proc/life.h"
#include "kernel/proc/scheduler.h"
#include "kernel/proc/space.h"

enum { SYSCALL_INSTRUCTION_SIZE = 2 };

/* The call it waits in has happened, with this answer. */
static void answer(struct process *process, i64 value)
{
    process->registers.rax = (u64)value;
    process->registers.rip += SYSCALL_INSTRUCTION_SIZE;
    process_wake(process);
}

/* --- loading --- */

/* Whoever waits for it, or for the place it takes, calls again. */
static void finish_loading(struct process_table *table, enum status status)
{
    u32 cursor = 0;

    for (struct process *process; (process = process_next(&cursor));)
        if (process->spawning == table->loading)
            process->spawn_error = status;
    table->loading = 0;
    process_wake_all(WAIT_SPAWN);
}

static void load_next(void)
{
    struct process_table *table = process_table();
    struct process *child = process_find(table->loading);
    enum status status = OK;

    if (!table->loading)
        return;
    if (child && child->state == PROCESS_WAITING && child->wait == WAIT_LOAD)
        status = load_process(child, &table->request);
    if (status)
        process_free(child);
    finish_loading(table, status);
}

/* --- generations that processes ask for --- */

static bool is_waiting_for_generation(const struct process *process)
{
    return process->state == PROCESS_WAITING && process->wait == WAIT_GENERATION;
}

/* Those that waited when the line was drawn: others have to wait for the next one. */
static void answer_waiting(const bool *waited, enum status status)
{
    u32 cursor = 0;

    for (struct process *process; (process = process_next(&cursor));)
        if (waited[process_slot(process)] && is_waiting_for_generation(process))
            answer(process, status);
}

static void take_generation(void)
{
    bool waited[PROCESSES_MAX] = {};
    struct capture_report report;
    u32 cursor = 0;
    bool any = false;

    for (struct process *process; (process = process_next(&cursor));)
        any |= waited[process_slot(process)] = is_waiting_for_generation(process);
    if (!any)
        return;

    enum persist_mode mode = persist_mode();
    enum status status = ERR_INVALID_STATE;
    if (mode == PERSIST_FRESH || mode == PERSIST_RESUMED)
        status = persist_capture("asked for by a program", &report);
    if (status != ERR_BUSY)
        answer_waiting(waited, status);
}

/* --- the ended --- */

static void take_back(struct process *process)
{
    space_close(process);
    if (!life_is_awaited(process))
        process_free(process);
}

void upkeep_dismiss(struct process *process)
{
    process->parent = PROCESS_NOBODY;
    take_back(process);
}

/* --- all together --- */

void upkeep_step(void)
{
    u32 cursor = 0;

    for (struct process *process; (process = process_next(&cursor));) {
        if (process->state == PROCESS_ENDED)
            take_back(process);
    }
    load_next();
    take_generation();
    if (terminal_is_held() && persist_config()->interval_microseconds == 0)
        persist_ask();
}

enum status upkeep_run(const struct program_request *request, u64 page_limit,
                       struct process **created)
{
    struct process *process;

    enum status status = process_create(request, 0, &process);
    if (status)
        return status;
    if (page_limit)
        process->page_limit = page_limit;
    status = load_process(process, request);
    if (status) {
        process_free(process);
        return status;
    }
    *created = process;
    return OK;
}

/* Calls that waited are made again; the one that waited for this generation has its answer. */
static void resume(struct process *process)
{
    if (process->state == PROCESS_ENDED || process->wait == WAIT_LOAD)
        return;
    if (space_open(process, SPACE_RESUMED) != OK) {
        log_error("process %u (%s) ended: no memory for its tables", process->id,
                  process->name);
        life_end(process, KILLED, 0);
        return;
    }
    if (is_waiting_for_generation(process))
        answer(process, 1);
    else if (process->state == PROCESS_WAITING && process->wait != WAIT_SLEEP)
        process_wake(process);
}

void upkeep_start(struct process_table *table, struct terminal *terminal,
                  const struct program_files *files, enum upkeep_start start)
{
    u32 cursor = 0;

    process_table_use(table);
    terminal_use(terminal);
    load_set_files(files);
    program_clock_start(&table->clock);
    if (persist_mode() == PERSIST_RESUMED)
        lives_begin();
    if (start == UPKEEP_HOLD)
        scheduler_hold();
    for (struct process *process; (process = process_next(&cursor));)
        resume(process);
    terminal_redraw();
}
