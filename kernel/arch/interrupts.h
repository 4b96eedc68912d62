/*
 * Interrupts and time, as the rest of the kernel sees them.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

/* Masks the PICs, enables the local APIC and finds the I/O APIC. After paging_init(). */
void interrupts_init(void);

/*
 * A free interrupt vector of the local APIC, for MSI-X or the timer; the handler runs with interrupts
 * off and must be short. ERR_NO_SPACE: none left.
 */
enum status interrupt_allocate(void (*handler)(void *context), void *context, u8 *vector);
/* The address/data pair that a PCI function writes to raise `vector` on this CPU. */
void interrupt_message(u8 vector, u64 *address, u32 *data);
/* A legacy ISA line (0-15) through the I/O APIC or PIC; COM1 is 4. */
enum status interrupt_attach_isa(u8 line, void (*handler)(void *context), void *context);

static inline void interrupts_enable(void)
{
    __asm__ volatile("sti" ::: "memory");
}

static inline void interrupts_disable(void)
{
    __asm__ volatile("cli" ::: "memory");
}

/* Disables, and says whether they were enabled; interrupts_restore() undoes it. */
static inline bool interrupts_save(void)
{
    u64 flags;
    __asm__ volatile("pushfq; pop %0; cli" : "=r"(flags)::"memory");
    return flags & 1 << 9;
}

static inline void interrupts_restore(bool enabled)
{
    if (enabled)
        interrupts_enable();
}

/*
 * Sleeps until the next interrupt. Call with interrupts disabled after checking the condition; it
 * enables them and halts in one step, so no wake-up is missed. Returns with interrupts disabled.
 */
static inline void interrupts_halt(void)
{
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

/* The same, but what the machine has to do beside may run meanwhile: see interrupts_set_wait(). */
void interrupts_wait(void);
/* Others run in `others`, on behalf of nobody: see cpu_work_timestamp(). */
void interrupts_let_run(void (*others)(void));
/* Replaces interrupts_halt() in it; keeps its promises, but may return without an interrupt. */
void interrupts_set_wait(void (*wait)(void));

/*
 * Preemption: between two instructions of the kernel's thread, at an interrupt, others may get the CPU.
 * Forbidden from the start; allowed around long work whose structures are all guarded. Nests.
 */
void preemption_allow(void);
void preemption_forbid(void);
/* What is done at an interrupt while it is allowed. Interrupts are off in it. */
void preemption_set_hook(void (*hook)(void));

/* --- time --- */

/* Calibrates the TSC against the PIT and starts the 100 Hz tick. After interrupts_init(). */
void timer_init(void);

u64 timer_microseconds(void); /* since timer_init(), monotonic, from the TSC */
u64 timer_ticks(void);        /* of the periodic timer, 100 Hz */
u64 cpu_timestamp_hertz(void);
void timer_delay(u64 microseconds); /* busy */

/*
 * cpu_timestamp() without what passed while the kernel's thread waited, or others had the CPU: what it
 * has worked itself, interrupts included.
 */
u64 cpu_work_timestamp(void);

/* RDTSC; instructions under -icount. */
static inline u64 cpu_timestamp(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64)high << 32 | low;
}
