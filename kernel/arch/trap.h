/*
 * Exceptions and interrupts: 256 vectors, one frame layout, one dispatcher.
 *
 *   0-31     exceptions; those that nothing resolves are fatal
 *   32-47    the masked 8259 PICs' spurious interrupts, ignored
 *   48-254   handed out by interrupt_allocate()
 *   255      the local APIC's spurious interrupt
 */
#pragma once

#include "kernel/base/types.h"

enum {
    VECTOR_NMI = 2,
    VECTOR_DOUBLE_FAULT = 8,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_MACHINE_CHECK = 18,
    VECTOR_EXCEPTIONS = 32,
    VECTOR_PIC = 32,
    VECTOR_ALLOCATABLE = 48,
    VECTOR_SPURIOUS = 255,
    VECTOR_COUNT = 256
};

/* As vectors.S pushes it. */
struct trap_frame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8;
    u64 rbp, rdi, rsi, rdx, rcx, rbx, rax;
    u64 vector;
    u64 error_code;
    u64 rip, cs, rflags, rsp, ss;
};

void idt_init(void);

/* "page fault" ..., for messages. */
const char *trap_name(u64 vector);

/* Called by vectors.S, interrupts off. */
void trap_dispatch(struct trap_frame *frame);

/*
 * Everything that comes from ring 3 goes there, interrupts after their handlers; user.h. An exception
 * that the machine is to blame for is fatal as ever.
 */
void trap_set_user_handler(void (*handler)(struct trap_frame *frame));

/* Resolves a page fault in ring 0 or says in `reason` why it is fatal. page_fault.c */
[[nodiscard]] bool page_fault_resolve(struct trap_frame *frame, u64 address,
                                      const char **reason);
/* What lies at an address that should not have been touched: "null pointer" ... */
const char *page_fault_explain(u64 address, u64 error_code);

/* interrupts.c */
void interrupt_dispatch(u8 vector);
/* After an interrupt of the kernel's thread: preemption, if it is allowed. */
void interrupt_leave_kernel(void);
