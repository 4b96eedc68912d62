/* The system calls as a program makes them; what each does is in kernel/proc/abi.h. */
#include "kernel/user/user.h"

long system_call(u64 number, u64 first, u64 second, u64 third)
{
    long answer;

    __asm__ volatile("syscall"
                     : "=a"(answer)
                     : "a"(number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return answer;
}

void process_exit(int code)
{
    system_call(CALL_EXIT, (u64)code, 0, 0);
    __builtin_trap();
}

void process_yield(void)
{
    system_call(CALL_YIELD, 0, 0, 0);
}

void process_sleep(u64 microseconds)
{
    system_call(CALL_SLEEP, microseconds, 0, 0);
}

u64 time_now(void)
{
    return (u64)system_call(CALL_TIME, 0, 0, 0);
}

long console_read(char *buffer, size_t size, enum read_mode mode)
{
    return system_call(CALL_READ, (u64)buffer, size, mode);
}

long console_write(const char *bytes, size_t size)
{
    return system_call(CALL_WRITE, (u64)bytes, size, 0);
}

long memory_grow(size_t bytes)
{
    return system_call(CALL_GROW, bytes, 0, 0);
}

long process_spawn(const char *path, const char *text, size_t size)
{
    return system_call(CALL_SPAWN, (u64)path, (u64)text, size);
}

long process_wait(long process)
{
    return system_call(CALL_WAIT, (u64)process, 0, 0);
}

long process_kill(long process)
{
    return system_call(CALL_KILL, (u64)process, 0, 0);
}

long process_list(struct process_info *list, size_t fit)
{
    return system_call(CALL_LIST, (u64)list, fit, 0);
}

long generation_create(void)
{
    return system_call(CALL_GENERATION, 0, 0, 0);
}

long system_info(struct system_info *info)
{
    return system_call(CALL_INFO, (u64)info, 0, 0);
}
