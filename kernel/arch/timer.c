/*
 * Time: the TSC counts it, the PIT says once how fast the TSC runs, the local APIC's timer ticks.
 */
#include "kernel/arch/apic.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/io.h"
#include "kernel/arch/panic.h"
#include "kernel/base/log.h"

enum { PIT_CHANNEL_2 = 0x42, PIT_COMMAND = 0x43, PIT_GATE = 0x61 };
enum {
    PIT_ONE_SHOT_CHANNEL_2 = 0xb0,
    GATE_OPEN = 1,
    GATE_SPEAKER = 2,
    GATE_OUTPUT = 0x20
};
enum {
    PIT_HERTZ = 1193182,
    TICK_HERTZ = 100,
    CALIBRATION_COUNT = PIT_HERTZ / TICK_HERTZ, /* PIT cycles in a tick's time, 10 ms */
    CALIBRATION_ROUNDS = 3,
    CALIBRATION_POLLS_MAX = 10000000,
};
#define MICROSECONDS_PER_SECOND 1000000ULL

static u64 hertz;
static u64 start;
static u64 scale; /* microseconds per TSC cycle, times 2^32 */
static volatile u64 ticks;

u64 cpu_timestamp(void)
{
    u32 low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (u64)high << 32 | low;
}

u64 cpu_timestamp_hertz(void)
{
    return hertz;
}

u64 timer_microseconds(void)
{
    if (scale == 0)
        return 0;
    unsigned __int128 product = (unsigned __int128)(cpu_timestamp() - start) * scale;
    return (u64)(product >> 32);
}

u64 timer_ticks(void)
{
    return ticks;
}

void timer_delay(u64 microseconds)
{
    u64 end = timer_microseconds() + microseconds;
    while (timer_microseconds() < end)
        cpu_relax();
}

static void tick(void *context)
{
    (void)context;
    ticks++;
}

/*
 * Waits until the PIT has counted CALIBRATION_COUNT down, and says how far TSC and local APIC timer
 * got meanwhile. False: the PIT does not count.
 */
static bool measure(u64 *tsc, u32 *apic)
{
    u8 gate = (u8)(inb(PIT_GATE) & ~(GATE_OPEN | GATE_SPEAKER));

    outb(PIT_GATE, gate);
    outb(PIT_COMMAND, PIT_ONE_SHOT_CHANNEL_2);
    outb(PIT_CHANNEL_2, CALIBRATION_COUNT & 0xff);
    outb(PIT_CHANNEL_2, CALIBRATION_COUNT >> 8);
    apic_timer_start_counting();

    u64 begin = cpu_timestamp();
    outb(PIT_GATE, gate | GATE_OPEN);
    for (int i = 0; i < CALIBRATION_POLLS_MAX; i++) {
        if (!(inb(PIT_GATE) & GATE_OUTPUT))
            continue;
        *tsc = cpu_timestamp() - begin;
        *apic = apic_timer_counted();
        return true;
    }
    return false;
}

void timer_init(void)
{
    u64 tsc_cycles = UINT64_MAX;
    u32 apic_cycles = UINT32_MAX;
    u8 vector;

    /* Being disturbed only makes a round longer: the shortest is the right one. */
    for (int i = 0; i < CALIBRATION_ROUNDS; i++) {
        u64 tsc;
        u32 apic;
        if (!measure(&tsc, &apic))
            panic("timer: the PIT does not count, time is unknown");
        tsc_cycles = tsc < tsc_cycles ? tsc : tsc_cycles;
        apic_cycles = apic < apic_cycles ? apic : apic_cycles;
    }
    if (tsc_cycles == 0 || apic_cycles == 0)
        panic("timer: the time stamp counter or the APIC timer stands still");

    hertz = tsc_cycles * TICK_HERTZ;
    start = cpu_timestamp();
    scale = (MICROSECONDS_PER_SECOND << 32) / hertz;
    if (interrupt_allocate(tick, NULL, &vector) != OK)
        panic("timer: no interrupt vector");
    apic_timer_start_periodic(vector, apic_cycles);
    log_debug("timer: tsc %lu kHz, apic timer %u cycles a tick", hertz / 1000,
              apic_cycles);
}
