#include "kernel/arch/panic.h"

#include "drivers/power.h"
#include "drivers/serial.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/gdt.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/paging.h"
#include "kernel/arch/trap.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/port_kernel.h"
#include "kernel/symbols.h"

enum { BACKTRACE_MAX = 24, LOG_LINES = 12, LINE_MAX = 256 };

static u32 depth; /* a panic within a panic says less; the third says nothing */

static void say(const char *format, ...) PRINTF_LIKE(1, 2);

static void say(const char *format, ...)
{
    char line[LINE_MAX];
    va_list arguments;

    va_start(arguments, format);
    format_text_list(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    size_t length = strlen(line);
    line[length] = '\n';
    serial_write(line, length + 1);
}

/* `back`: 1 for return addresses, as a call may be the last instruction of its function. */
static void say_address(const char *what, u64 address, u64 back)
{
    u64 offset = 0;
    const char *name = symbol_find(address - back, &offset);

    if (name)
        say("  %s %016lx %s+0x%lx", what, address, name, offset + back);
    else
        say("  %s %016lx", what, address);
}

static bool is_readable(u64 address)
{
    u64 size;
    return address >= DIRECT_MAP_BASE && address % sizeof(u64) == 0 &&
           paging_lookup(address, &size) != NULL;
}

/* Frame pointers: [rbp] is the caller's rbp, [rbp + 8] the return address. */
static void say_backtrace(u64 rbp)
{
    for (int i = 0; i < BACKTRACE_MAX; i++) {
        if (!is_readable(rbp) || !is_readable(rbp + 8))
            return;
        const u64 *frame = (const u64 *)rbp;
        if (frame[1] == 0)
            return;
        say_address("from", frame[1], 1);
        if (frame[0] <= rbp)
            return;
        rbp = frame[0];
    }
}

static void say_registers(const struct trap_frame *f)
{
    say("  rax %016lx  rbx %016lx  rcx %016lx", f->rax, f->rbx, f->rcx);
    say("  rdx %016lx  rsi %016lx  rdi %016lx", f->rdx, f->rsi, f->rdi);
    say("  rbp %016lx  rsp %016lx  r8  %016lx", f->rbp, f->rsp, f->r8);
    say("  r9  %016lx  r10 %016lx  r11 %016lx", f->r9, f->r10, f->r11);
    say("  r12 %016lx  r13 %016lx  r14 %016lx", f->r12, f->r13, f->r14);
    say("  r15 %016lx  rip %016lx  rflags %08lx", f->r15, f->rip, f->rflags);
    say("  cs %lx ss %lx cr0 %08lx cr2 %016lx cr3 %lx cr4 %lx", f->cs, f->ss,
        cpu_read_cr0(), cpu_read_cr2(), cpu_read_cr3(), cpu_read_cr4());
}

static void say_log(void)
{
    char line[LOG_RING_LINE_MAX + 1];
    const struct log_ring *ring = kernel_log();
    u64 position = log_ring_last(ring, LOG_LINES);

    say("panic: the last log lines:");
    while (log_ring_next(ring, &position, line))
        say("  %s", line);
}

/* First of all, so that nothing interferes, then the line that says what happened. */
static void begin(const char *message)
{
    interrupts_disable();
    depth++;
    if (depth > 2)
        power_panic();
    say("\npanic: %s", message);
    if (depth == 2)
        power_panic();
}

static _Noreturn void report(const struct trap_frame *frame, const char *message,
                             u64 back)
{
    begin(message);
    say_address("at  ", frame->rip, back);
    say_backtrace(frame->rbp);
    say_registers(frame);
    say_log();
    power_panic();
}

/* The registers as they are now, except rip, rsp and rbp. The order is struct trap_frame's. */
static inline void capture_registers(struct trap_frame *frame)
{
    __asm__ volatile("movq %%r15, 0(%0)\n\tmovq %%r14, 8(%0)\n\tmovq %%r13, 16(%0)\n\t"
                     "movq %%r12, 24(%0)\n\tmovq %%r11, 32(%0)\n\tmovq %%r10, 40(%0)\n\t"
                     "movq %%r9, 48(%0)\n\tmovq %%r8, 56(%0)\n\tmovq %%rdi, 72(%0)\n\t"
                     "movq %%rsi, 80(%0)\n\tmovq %%rdx, 88(%0)\n\tmovq %%rcx, 96(%0)\n\t"
                     "movq %%rbx, 104(%0)\n\tmovq %%rax, 112(%0)"
                     :
                     : "r"(frame)
                     : "memory");
    __asm__ volatile("pushfq\n\tpopq %0" : "=r"(frame->rflags));
}
_Static_assert(offsetof(struct trap_frame, rbp) == 64,
               "capture_registers() knows the order");
_Static_assert(offsetof(struct trap_frame, rax) == 112,
               "capture_registers() knows the order");

_Noreturn void panic(const char *format, ...)
{
    struct trap_frame frame = { 0 };
    char message[LINE_MAX];
    va_list arguments;

    capture_registers(&frame);
    const u64 *stack = __builtin_frame_address(0); /* caller's rbp, return address */
    frame.rbp = stack[0];
    frame.rip = stack[1];
    frame.rsp = (u64)(stack + 2);
    frame.cs = SELECTOR_KERNEL_CODE;
    frame.ss = SELECTOR_KERNEL_DATA;

    va_start(arguments, format);
    format_text_list(message, sizeof message, format, arguments);
    va_end(arguments);
    report(&frame, message, 1);
}

static void describe_page_fault(const struct trap_frame *frame, const char *reason,
                                char *message, size_t size)
{
    u64 error = frame->error_code;

    format_text(message, size, "page fault at 0x%lx: %s (%s%s%s, page %s%s)",
                cpu_read_cr2(), reason ? reason : "unresolved",
                error & FAULT_USER ? "user " : "", error & FAULT_FETCH ? "fetch" : "",
                error & FAULT_FETCH   ? ""
                : error & FAULT_WRITE ? "write"
                                      : "read",
                error & FAULT_PRESENT ? "present" : "absent",
                error & FAULT_RESERVED ? ", reserved bit" : "");
}

_Noreturn void panic_trap(const struct trap_frame *frame, const char *reason)
{
    char message[LINE_MAX];

    if (frame->vector == VECTOR_PAGE_FAULT)
        describe_page_fault(frame, reason, message, sizeof message);
    else if (reason)
        format_text(message, sizeof message, "%s: %s at 0x%lx", trap_name(frame->vector),
                    reason, cpu_read_cr2());
    else
        format_text(message, sizeof message, "%s (error code 0x%lx)",
                    trap_name(frame->vector), frame->error_code);

    report(frame, message, 0);
}

/* Called by code that gcc's stack protector instruments; its names are gcc's. */
u64 __stack_chk_guard = 0x7d0c4e2f9a61b300;
_Noreturn void __stack_chk_fail(void);

_Noreturn void __stack_chk_fail(void)
{
    panic("stack smashed: a local buffer was overrun");
}
