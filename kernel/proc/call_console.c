/*
 * Reading and writing on the console.
 */
#include "kernel/base/checked.h"
#include "kernel/proc/scheduler.h"
#include "kernel/proc/syscall_internal.h"
#include "kernel/proc/terminal.h"

enum { PIECE_SIZE = 512 };

/* The process in the foreground, if it reads lines: what it has left unfinished is a prompt. */
static u64 reader_of_lines(void)
{
    const struct process *process = process_find(process_table()->foreground);

    return process && process->input_mode == READ_LINE ? process->id : 0;
}

/* Up to PIECE_SIZE bytes stay together, so that lines of several programs do. */
i64 call_write(const struct call *call)
{
    u64 size = min_u64(call->arguments[1], PIECE_SIZE);
    char text[PIECE_SIZE];

    i64 answer = call_reach(call, call->arguments[0], size, PAGE_READ);
    if (!call_goes_on(call, answer))
        return answer;
    if (!user_copy_in(text, call->arguments[0], size))
        return ERR_INVALID_ARGUMENT;
    if (!terminal_write_as(call->process->id, reader_of_lines(), text, size)) {
        process_wait(call->process, WAIT_OUTPUT);
        scheduler_want_kernel();
        return 0;
    }
    return (i64)size;
}

/* Only the process in the foreground gets input. */
static size_t available(const struct process *process, enum read_mode mode)
{
    if (process_table()->foreground != process->id)
        return 0;
    return terminal_input_size(mode == READ_LINE ? TERMINAL_LINE : TERMINAL_KEYS);
}

i64 call_read(const struct call *call)
{
    struct process *process = call->process;
    u64 mode = call->arguments[2];
    char text[TERMINAL_INPUT_SIZE];

    if (mode > READ_KEYS_NOW)
        return ERR_INVALID_ARGUMENT;
    if (process->input_mode != mode)
        process->input_mode = (u32)mode;
    if (call->arguments[1] == 0)
        return 0;

    u64 size = min_u64(call->arguments[1], available(process, (enum read_mode)mode));
    if (size == 0) {
        if (mode != READ_KEYS_NOW)
            process_wait(process, WAIT_INPUT);
        return 0;
    }
    i64 answer = call_reach(call, call->arguments[0], size, PAGE_WRITE);
    if (!call_goes_on(call, answer))
        return answer;
    terminal_take_input(text, size);
    if (!user_copy_out(call->arguments[0], text, size))
        return ERR_INVALID_ARGUMENT;
    return (i64)size;
}
