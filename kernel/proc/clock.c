#include "kernel/proc/clock.h"

#include "kernel/arch/interrupts.h"

static u64 base; /* at timer_microseconds() == 0; wraps, and comes out right in the sum */

static u64 time_at_line(const struct program_clock *saved)
{
    u64 cycles_per_microsecond = saved->hertz / 1000000;

    if (cycles_per_microsecond == 0 || saved->line < saved->stamp)
        return saved->noted;
    return saved->noted + (saved->line - saved->stamp) / cycles_per_microsecond + 1;
}

void program_clock_start(const struct program_clock *saved)
{
    base = time_at_line(saved) - timer_microseconds();
}

void program_clock_note(struct program_clock *saved)
{
    *saved = (struct program_clock){
        .noted = program_clock(),
        .stamp = cpu_timestamp(),
        .hertz = cpu_timestamp_hertz(),
        .line = cpu_timestamp(),
    };
}

u64 program_clock(void)
{
    return base + timer_microseconds();
}
