#include "kernel/arch/trap.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/paging.h"
#include "kernel/arch/panic.h"
#include "kernel/arch/user.h"

static const char *const names[VECTOR_EXCEPTIONS] = {
    [0] = "division error",
    [1] = "debug",
    [2] = "non-maskable interrupt",
    [3] = "breakpoint",
    [4] = "overflow",
    [5] = "bound range exceeded",
    [6] = "invalid opcode",
    [7] = "device not available",
    [8] = "double fault",
    [10] = "invalid TSS",
    [11] = "segment not present",
    [12] = "stack segment fault",
    [13] = "general protection fault",
    [14] = "page fault",
    [16] = "x87 floating point error",
    [17] = "alignment check",
    [18] = "machine check",
    [19] = "SIMD floating point error",
    [20] = "virtualization exception",
    [21] = "control protection exception",
};

static void (*user_handler)(struct trap_frame *frame);
u64 user_entered;

const char *trap_name(u64 vector)
{
    if (vector >= VECTOR_EXCEPTIONS)
        return "interrupt";
    return names[vector] ? names[vector] : "reserved exception";
}

void trap_set_user_handler(void (*handler)(struct trap_frame *frame))
{
    user_handler = handler;
}

static bool is_machines_fault(u64 vector)
{
    return vector == VECTOR_NMI || vector == VECTOR_DOUBLE_FAULT ||
           vector == VECTOR_MACHINE_CHECK;
}

void trap_dispatch(struct trap_frame *frame)
{
    const char *reason = NULL;
    bool is_interrupt =
        frame->vector >= VECTOR_EXCEPTIONS && frame->vector < VECTOR_COUNT;

    if (frame->cs & 3)
        user_entered = cpu_timestamp();
    if (is_interrupt)
        interrupt_dispatch((u8)frame->vector);
    if (frame->cs & 3 && !is_machines_fault(frame->vector)) {
        user_handler(frame);
        return;
    }
    if (is_interrupt) {
        interrupt_leave_kernel();
        return;
    }
    if (frame->vector == VECTOR_PAGE_FAULT &&
        page_fault_resolve(frame, cpu_read_cr2(), &reason))
        return;
    /*
     * A fault that cannot push its frame becomes a double fault; CR2 still tells which address
     * it was, and the usual one is the guard page under an exhausted stack.
     */
    if (frame->vector == VECTOR_DOUBLE_FAULT && paging_is_stack_guard(cpu_read_cr2()))
        reason = page_fault_explain(cpu_read_cr2(), 0);
    panic_trap(frame, reason);
}
