#include "kernel/proc/clock.h"

#include "kernel/arch/interrupts.h"

static u64 base; /* at timer_microseconds() == 0; wraps, and comes out right in the sum */

void program_clock_start(u64 microseconds)
{
    base = microseconds - timer_microseconds();
}

u64 program_clock(void)
{
    return base + timer_microseconds();
}
