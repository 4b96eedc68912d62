/*
 * Segments and the task state segment.
 *
 * The user selectors are ordered as SYSRET wants them: base, base + 8 data, base + 16 code.
 */
#pragma once

#include "kernel/base/types.h"

enum {
    SELECTOR_KERNEL_CODE = 0x08,
    SELECTOR_KERNEL_DATA = 0x10,
    SELECTOR_USER_DATA = 0x18 | 3,
    SELECTOR_USER_CODE = 0x20 | 3,
    SELECTOR_TASK = 0x28,
};

/* Stacks of their own for exceptions that may find the current one unusable (IST numbers). */
enum exception_stack {
    EXCEPTION_STACK_NONE,
    EXCEPTION_STACK_DOUBLE_FAULT,
    EXCEPTION_STACK_NMI,
    EXCEPTION_STACK_MACHINE_CHECK,
    EXCEPTION_STACKS_END
};

/* Loads the GDT and TSS, with small exception stacks inside the kernel image. */
void gdt_init(void);
/* Exceptions that are taken from ring 3 start on this stack. */
void gdt_set_kernel_stack(u64 top);
/* Replaces an exception's stack, by one that has a guard page. */
void gdt_set_exception_stack(enum exception_stack which, u64 top);
