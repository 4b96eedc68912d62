#include "drivers/power.h"

#include "drivers/acpi.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/io.h"
#include "kernel/base/log.h"

enum { DEBUG_EXIT_PORT = 0xf4, DEBUG_EXIT_SHUT_DOWN = 0x10, DEBUG_EXIT_PANIC = 0x11 };
enum { SLEEP_ENABLE = 1 << 13 };
enum {
    RESET_CONTROL = 0xcf9,
    RESET_FULL = 0x06,
    KEYBOARD_COMMAND = 0x64,
    KEYBOARD_RESET = 0xfe,
};
enum { WAIT_MICROSECONDS = 100 * 1000 };

_Noreturn void power_off(void)
{
    struct acpi_soft_off off;

    interrupts_disable();
    outl(DEBUG_EXIT_PORT, DEBUG_EXIT_SHUT_DOWN);

    if (acpi_find_soft_off(&off) == OK) {
        outw(off.control_a, (u16)(off.type_a << 10 | SLEEP_ENABLE));
        if (off.control_b)
            outw(off.control_b, (u16)(off.type_b << 10 | SLEEP_ENABLE));
        timer_delay(WAIT_MICROSECONDS);
    }
    log_info("power: the machine may be switched off now");
    cpu_halt_forever();
}

_Noreturn void power_panic(void)
{
    outl(DEBUG_EXIT_PORT, DEBUG_EXIT_PANIC);
    cpu_halt_forever();
}

_Noreturn void power_reset(void)
{
    static const struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) no_table = {};

    interrupts_disable();
    outb(RESET_CONTROL, RESET_FULL);
    timer_delay(WAIT_MICROSECONDS);
    outb(KEYBOARD_COMMAND, KEYBOARD_RESET);
    timer_delay(WAIT_MICROSECONDS);

    /* A fault that has nowhere to go resets every PC. */
    __asm__ volatile("lidt %0; int3" ::"m"(no_table));
    cpu_halt_forever();
}
