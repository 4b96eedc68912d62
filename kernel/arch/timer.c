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
enum { PIT_ONE_SHOT_CHANNEL_2 = 0xb0, PIT_LATCH_CHANNEL_2 = 0x80, PIT_START = 0xffff };
enum { GATE_OPEN = 1, GATE_SPEAKER = 2, GATE_OUTPUT = 0x20 };
enum {
    PIT_HERTZ = 1193182,
    TICK_HERTZ = 100,
    CALIBRATION_COUNT = PIT_HERTZ / TICK_HERTZ, /* PIT cycles in a tick's time, 10 ms */
    CALIBRATION_ROUNDS = 20,
    CALIBRATION_POLLS_MAX = 1000000,
    SAMPLE_ATTEMPTS = 8,
};
#define MICROSECONDS_PER_SECOND 1000000ULL

static u64 hertz;
static u64 start;
static u64 scale; /* microseconds per TSC cycle, times 2^32 */
static volatile u64 ticks;

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

/* The three clocks at the same moment. */
struct sample {
    u32 pit; /* counts down from PIT_START */
    u32 apic;
    u64 tsc;
};

/*
 * They can only be read one after the other, and an emulated CPU may be put to sleep in between: of
 * several attempts the shortest one counts.
 */
static struct sample take_sample(void)
{
    struct sample best = { 0 };
    u64 shortest = UINT64_MAX;

    for (int i = 0; i < SAMPLE_ATTEMPTS; i++) {
        u64 before = cpu_timestamp();
        outb(PIT_COMMAND, PIT_LATCH_CHANNEL_2);
        u32 apic = apic_timer_counted();
        u64 after = cpu_timestamp();
        u32 pit = inb(PIT_CHANNEL_2);
        pit |= (u32)inb(PIT_CHANNEL_2) << 8;
        if (after - before >= shortest)
            continue;
        shortest = after - before;
        best = (struct sample){ pit, apic, before + shortest / 2 };
    }
    return best;
}

static bool pit_expired(void)
{
    return inb(PIT_GATE) & GATE_OUTPUT;
}

/*
 * Samples the clocks at the ends of at least CALIBRATION_COUNT cycles of the PIT. False: it ran out
 * before the second sample was there, or does not count.
 */
static bool measure(struct sample *first, struct sample *last)
{
    u8 gate = (u8)(inb(PIT_GATE) & ~(GATE_OPEN | GATE_SPEAKER));

    outb(PIT_GATE, gate);
    outb(PIT_COMMAND, PIT_ONE_SHOT_CHANNEL_2);
    outb(PIT_CHANNEL_2, PIT_START & 0xff);
    outb(PIT_CHANNEL_2, PIT_START >> 8);
    apic_timer_start_counting();
    outb(PIT_GATE, gate | GATE_OPEN);

    *first = take_sample();
    for (int i = 0; i < CALIBRATION_POLLS_MAX; i++) {
        *last = take_sample();
        if (pit_expired())
            return false;
        if (last->pit + CALIBRATION_COUNT <= first->pit)
            return true;
    }
    return false;
}

void timer_init(void)
{
    struct sample first = { 0 }, last = { 0 };
    bool measured = false;
    u8 vector;

    for (int i = 0; i < CALIBRATION_ROUNDS && !measured; i++)
        measured = measure(&first, &last);
    if (!measured)
        panic("timer: the PIT does not count, time is unknown");

    u64 pit_cycles = first.pit - last.pit;
    hertz = (last.tsc - first.tsc) * PIT_HERTZ / pit_cycles;
    u32 apic_cycles =
        (u32)((u64)(last.apic - first.apic) * CALIBRATION_COUNT / pit_cycles);
    if (hertz == 0 || apic_cycles == 0)
        panic("timer: the time stamp counter or the APIC timer stands still");

    start = cpu_timestamp();
    scale = (MICROSECONDS_PER_SECOND << 32) / hertz;
    if (interrupt_allocate(tick, NULL, &vector) != OK)
        panic("timer: no interrupt vector");
    apic_timer_start_periodic(vector, apic_cycles);
    log_debug("timer: tsc %lu kHz, apic timer %u cycles a tick", hertz / 1000,
              apic_cycles);
}
