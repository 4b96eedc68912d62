/*
 * The system calls of abi.h. Each happens as a whole, or the process waits in front of it and makes it
 * again: nothing of a call is kept but what the process table says.
 */
#pragma once

#include "kernel/proc/process.h"

/* On the process stack, the caller's memory loaded. Afterwards it is ready, waits, or has ended. */
void system_call(struct process *process, struct trap_frame *frame);
