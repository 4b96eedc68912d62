/*
 * run, programs, ps, fg, kill, resume, lives: programs from the console.
 */
#include "kernel/arch/interrupts.h"
#include "kernel/base/checked.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/persist/root.h"
#include "kernel/proc/clock.h"
#include "kernel/proc/life.h"
#include "kernel/proc/scheduler.h"
#include "kernel/proc/space.h"
#include "kernel/proc/upkeep.h"
#include "kernel/shell/command.h"

static const char program_folder[] = "/bin";

/* --- run --- */

struct run_wish {
    const char *const *words; /* the program and its arguments */
    size_t count;
    u64 memory_pages; /* 0: as many as usual */
    bool background;
};

static bool read_wish(const struct shell_call *call, struct run_wish *wish)
{
    u64 megabytes;

    *wish = (struct run_wish){ call->words + 1, call->word_count - 1, 0, false };
    if (wish->count > 0 && text_equal(wish->words[wish->count - 1], "&")) {
        wish->background = true;
        wish->count--;
    }
    if (wish->count > 1 && text_equal(wish->words[0], "--memory")) {
        if (!text_to_u64(wish->words[1], &megabytes) || megabytes == 0 ||
            megabytes > USER_END / MIB)
            return false;
        wish->memory_pages = megabytes * MIB / PAGE_SIZE;
        wish->words += 2;
        wish->count -= 2;
    }
    return wish->count > 0;
}

/* Each word with its zero byte. False: too much. */
static bool join(const struct run_wish *wish, struct program_request *request)
{
    u32 size = 0;

    for (size_t i = 0; i < wish->count; i++) {
        size_t length = strlen(wish->words[i]) + 1;
        if (length > ARGUMENTS_MAX - size)
            return false;
        memcpy(request->arguments + size, wish->words[i], length);
        size += (u32)length;
    }
    request->arguments_size = size;
    return true;
}

static enum status start(const struct run_wish *wish, struct process **process)
{
    struct program_request request = {};
    const char *folder = wish->words[0][0] == '/' ? "" : program_folder;

    if (format_text(request.path, sizeof request.path, "%s%s%s", folder,
                    folder[0] ? "/" : "", wish->words[0]) >= sizeof request.path ||
        !join(wish, &request))
        return ERR_TOO_LARGE;
    return upkeep_run(&request, wish->memory_pages, process);
}

enum status command_run(const struct shell_call *call)
{
    struct run_wish wish;
    struct process *process;

    if (!read_wish(call, &wish))
        return shell_usage(call);
    enum status status = start(&wish, &process);
    if (status) {
        shell_print("run: %s: %s\n", wish.words[0],
                    status == ERR_NO_SPACE ? "too many processes" : status_text(status));
        return status;
    }
    if (wish.background)
        shell_print("process %u\n", process->id);
    else
        process_table()->foreground = process->id;
    return OK;
}

enum status command_programs(const struct shell_call *call)
{
    char name[PROCESS_PATH_MAX + 1];
    u64 cursor = 0;
    enum status status;

    if (call->word_count != 1)
        return shell_usage(call);
    while ((status = load_files()->next(program_folder, &cursor, name, sizeof name)) ==
           OK)
        shell_print("%s\n", name);
    if (cursor == 0)
        shell_print("programs: %s: %s\n", program_folder, status_text(status));
    return status == ERR_NOT_FOUND ? OK : status;
}

/* --- those that run --- */

static const char *state_text(const struct process *process)
{
    static const char *const waits[WAIT_END] = {
        [WAIT_NOTHING] = "waits", [WAIT_LOAD] = "loads",       [WAIT_SPAWN] = "spawns",
        [WAIT_SLEEP] = "sleeps",  [WAIT_INPUT] = "reads",      [WAIT_OUTPUT] = "writes",
        [WAIT_CHILD] = "waits",   [WAIT_GENERATION] = "saves", [WAIT_PAGE] = "pages",
    };

    if (process->state == PROCESS_ENDED)
        return "ended";
    if (scheduler_is_held())
        return "held";
    return process->state == PROCESS_WAITING ? waits[process->wait] : "runs";
}

enum status command_ps(const struct shell_call *call)
{
    u32 cursor = 0;

    if (call->word_count != 1)
        return shell_usage(call);
    shell_print("%7s %7s %-7s %9s %11s  %s\n", "process", "parent", "state", "pages",
                "cpu ms", "name");
    for (const struct process *process; (process = process_next(&cursor));) {
        char parent[12] = "-";
        if (process->parent && process->parent != PROCESS_NOBODY)
            format_text(parent, sizeof parent, "%u", process->parent);
        shell_print("%7u %7s %-7s %9lu %11lu  %s\n", process->id, parent,
                    state_text(process), space_page_count(process),
                    process->cpu_cycles / max_u64(cpu_timestamp_hertz() / 1000, 1),
                    process->name);
    }
    return OK;
}

/* The one that the only argument names, or NULL after a line. */
static struct process *named(const struct shell_call *call)
{
    u64 id;
    struct process *process = NULL;

    if (text_to_u64(call->words[1], &id) && id <= UINT32_MAX)
        process = process_find((u32)id);
    if (process && process->state != PROCESS_ENDED)
        return process;
    shell_print("%s: no process %s (ps lists them)\n", call->words[0], call->words[1]);
    return NULL;
}

enum status command_fg(const struct shell_call *call)
{
    if (call->word_count != 2)
        return shell_usage(call);

    const struct process *process = named(call);
    if (!process)
        return ERR_NOT_FOUND;
    process_table()->foreground = process->id;
    process_wake_all(WAIT_INPUT);
    return OK;
}

static void kill_all(void)
{
    u32 cursor = 0;

    for (struct process *process; (process = process_next(&cursor));)
        if (process->state != PROCESS_ENDED)
            life_end(process, KILLED, 0);
}

enum status command_kill(const struct shell_call *call)
{
    if (call->word_count != 2)
        return shell_usage(call);

    if (text_equal(call->words[1], "all")) {
        kill_all();
        return OK;
    }
    const struct process *process = named(call);
    if (!process)
        return ERR_NOT_FOUND;
    life_kill_tree(process->id);
    return OK;
}

enum status command_resume(const struct shell_call *call)
{
    if (call->word_count != 1)
        return shell_usage(call);
    if (!scheduler_is_held())
        shell_print("resume: nothing is held\n");
    scheduler_release();
    return OK;
}

static void print_seconds(const char *what, u64 microseconds)
{
    shell_print("%s: %lu.%03lu s\n", what, microseconds / 1000000,
                microseconds / 1000 % 1000);
}

enum status command_lives(const struct shell_call *call)
{
    if (call->word_count != 1)
        return shell_usage(call);

    shell_print("boots: %lu\n", root_counters()->boots);
    shell_print("crashes: %lu\n", lives()->crashes);
    shell_print("generations: %lu\n", root_counters()->generations);
    print_seconds("time of programs", program_clock());
    print_seconds("lost or off before this boot", lives()->gap);
    print_seconds("lost or off, all lives", lives()->gaps);
    return OK;
}
