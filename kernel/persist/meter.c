#include "kernel/persist/meter.h"

#include "kernel/arch/interrupts.h"

static u64 counted[STAGE_COUNT];
static enum stage current;
static u64 since; /* when the current one began, or was counted last */

enum stage meter_switch(enum stage stage)
{
    enum stage before = current;
    u64 now = cpu_work_timestamp();

    counted[before] += now - since;
    since = now;
    current = stage;
    return before;
}

void meter_start(void)
{
    (void)meter_switch(current);
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        counted[stage] = 0;
}

void meter_read(u64 cycles[STAGE_COUNT])
{
    (void)meter_switch(current);
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        cycles[stage] = counted[stage];
}
