#include "kernel/arch/interrupts.h"

#include "kernel/arch/apic.h"
#include "kernel/arch/trap.h"
#include "kernel/base/log.h"

enum { ISA_LINES = 16 };

/* The fixed address range to which a message interrupt is a write; destination in bits 12-19. */
#define MESSAGE_ADDRESS 0xfee00000ULL

struct handler {
    void (*call)(void *context);
    void *context;
};

static struct handler handlers[VECTOR_COUNT];
static u8 next_vector = VECTOR_ALLOCATABLE;
static volatile u32 preemption_forbidden = 1;
static void (*preemption_hook)(void);
static bool away; /* the kernel's thread does not work */
static u64 away_cycles;
static void (*wait_hook)(void) = interrupts_halt;

void interrupts_init(void)
{
    apic_init();
}

void preemption_allow(void)
{
    preemption_forbidden--;
}

void preemption_forbid(void)
{
    preemption_forbidden++;
}

void preemption_set_hook(void (*hook)(void))
{
    preemption_hook = hook;
}

void interrupts_set_wait(void (*wait)(void))
{
    wait_hook = wait;
}

void interrupts_let_run(void (*others)(void))
{
    bool nested = away;
    u64 start = cpu_timestamp();

    away = true;
    others();
    away = nested;
    if (!nested)
        away_cycles += cpu_timestamp() - start;
}

u64 cpu_work_timestamp(void)
{
    bool enabled = interrupts_save();
    u64 worked = cpu_timestamp() - away_cycles;

    interrupts_restore(enabled);
    return worked;
}

void interrupts_wait(void)
{
    interrupts_let_run(wait_hook);
}

enum status interrupt_allocate(void (*handler)(void *context), void *context, u8 *vector)
{
    if (next_vector == VECTOR_SPURIOUS)
        return ERR_NO_SPACE;
    handlers[next_vector] = (struct handler){ handler, context };
    *vector = next_vector++;
    return OK;
}

void interrupt_message(u8 vector, u64 *address, u32 *data)
{
    *address = MESSAGE_ADDRESS | (u64)apic_id() << 12;
    *data = vector; /* fixed delivery, edge */
}

enum status interrupt_attach_isa(u8 line, void (*handler)(void *context), void *context)
{
    u8 vector;

    if (line >= ISA_LINES)
        return ERR_INVALID_ARGUMENT;
    enum status status = interrupt_allocate(handler, context, &vector);
    if (status != OK)
        return status;
    return io_apic_route(line, vector);
}

void interrupt_dispatch(u8 vector)
{
    const struct handler *handler = &handlers[vector];

    if (handler->call) {
        handler->call(handler->context);
        apic_end_of_interrupt();
        return;
    }
    /* The PICs' and the APIC's spurious ones want no acknowledgement: nothing is in service. */
    if (vector < VECTOR_ALLOCATABLE || vector == VECTOR_SPURIOUS)
        return;
    log_warning("interrupts: vector %u has no handler", vector);
    apic_end_of_interrupt();
}

void interrupt_leave_kernel(void)
{
    if (preemption_forbidden == 0 && preemption_hook)
        interrupts_let_run(preemption_hook);
}
