/*
 * What the system calls share. An answer is the caller's rax; it counts only if the caller is still
 * ready afterwards: one that waits will call again.
 */
#pragma once

#include "kernel/proc/process.h"

struct call {
    struct process *process;
    u64 arguments[3];
};

/*
 * Makes the caller's buffer ready for a copy that cannot fail. OK, or an answer: an error, or 0 while
 * the caller waits for a page.
 */
i64 call_reach(const struct call *call, u64 address, u64 size, enum page_access access);
/* The same for a text, copied with its zero byte. ERR_TOO_LARGE. */
i64 call_text(const struct call *call, u64 address, char *text, size_t size);
/* May the caller go on, after one of the two? */
bool call_goes_on(const struct call *call, i64 answer);

/* call_console.c */
i64 call_read(const struct call *call);
i64 call_write(const struct call *call);
/* call_process.c */
i64 call_spawn(const struct call *call);
i64 call_wait(const struct call *call);
i64 call_kill(const struct call *call);
i64 call_list(const struct call *call);
