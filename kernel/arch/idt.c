#include "kernel/arch/gdt.h"
#include "kernel/arch/trap.h"

/*
 * An interrupt gate: interrupts stay off until the handler's IRETQ.
 *
 *   bits 0-15 and 48-95  address     16-31  selector     32-34  IST     40-47  type, DPL, present
 */
struct gate {
    u64 low;
    u64 high;
};

enum { GATE_INTERRUPT_PRESENT = 0x8e };

extern const u64 vector_stubs[VECTOR_COUNT];
static struct gate gates[VECTOR_COUNT] __attribute__((aligned(16)));

static enum exception_stack stack_of(int vector)
{
    switch (vector) {
    case VECTOR_DOUBLE_FAULT:
        return EXCEPTION_STACK_DOUBLE_FAULT;
    case VECTOR_NMI:
        return EXCEPTION_STACK_NMI;
    case VECTOR_MACHINE_CHECK:
        return EXCEPTION_STACK_MACHINE_CHECK;
    default:
        return EXCEPTION_STACK_NONE;
    }
}

void idt_init(void)
{
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) pointer = { sizeof gates - 1, (u64)gates };

    for (int i = 0; i < VECTOR_COUNT; i++) {
        u64 address = vector_stubs[i];
        gates[i].low = (address & 0xffff) | (u64)SELECTOR_KERNEL_CODE << 16 |
                       (u64)stack_of(i) << 32 | (u64)GATE_INTERRUPT_PRESENT << 40 |
                       (address >> 16 & 0xffff) << 48;
        gates[i].high = address >> 32;
    }
    __asm__ volatile("lidt %0" ::"m"(pointer));
}
