#include "kernel/arch/apic.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/io.h"
#include "kernel/arch/paging.h"
#include "kernel/arch/panic.h"
#include "kernel/arch/trap.h"

/* 8259: command and data ports, four initialization words. */
enum { PIC_1 = 0x20, PIC_2 = 0xa0, PIC_INIT = 0x11, PIC_8086 = 0x01 };

/* Local APIC registers, byte offsets. */
enum {
    LOCAL_ID = 0x20,
    LOCAL_TASK_PRIORITY = 0x80,
    LOCAL_END_OF_INTERRUPT = 0xb0,
    LOCAL_SPURIOUS = 0xf0,
    LOCAL_TIMER_ENTRY = 0x320,
    LOCAL_TIMER_INITIAL = 0x380,
    LOCAL_TIMER_CURRENT = 0x390,
    LOCAL_TIMER_DIVIDE = 0x3e0,
    LOCAL_SIZE = 0x400,
};
enum {
    SPURIOUS_ENABLE = 1 << 8,
    TIMER_MASKED = 1 << 16,
    TIMER_PERIODIC = 1 << 17,
    TIMER_DIVIDE_BY_16 = 3
};

/* The I/O APIC: an index register, a data window, and indexed registers. */
enum { IO_SELECT = 0x00, IO_WINDOW = 0x10, IO_SIZE = 0x20 };
enum { IO_VERSION = 0x01, IO_REDIRECTION = 0x10 };
enum { REDIRECTION_MASKED = 1 << 16 };

#define LOCAL_APIC_GLOBAL_ENABLE (1ULL << 11)
#define LOCAL_APIC_X2 (1ULL << 10)
/* Where every PC chipset has the first one, which takes the ISA lines. */
#define IO_APIC_BASE 0xfec00000ULL

static volatile u8 *local;
static volatile u8 *io;
static u32 io_inputs; /* 0: there is no I/O APIC */

static u32 read_local(u32 at)
{
    return *(volatile u32 *)(local + at);
}

static void write_local(u32 at, u32 value)
{
    *(volatile u32 *)(local + at) = value;
}

static u32 read_io(u32 index)
{
    *(volatile u32 *)(io + IO_SELECT) = index;
    return *(volatile u32 *)(io + IO_WINDOW);
}

static void write_io(u32 index, u32 value)
{
    *(volatile u32 *)(io + IO_SELECT) = index;
    *(volatile u32 *)(io + IO_WINDOW) = value;
}

static void rest_pics(void)
{
    const u8 commands[] = { PIC_1, PIC_2 };
    const u8 wiring[] = { 1 << 2, 2 }; /* the second one is on line 2 of the first */

    for (int i = 0; i < 2; i++) {
        u16 data = commands[i] + 1;
        outb(commands[i], PIC_INIT);
        outb(data, (u8)(VECTOR_PIC + 8 * i));
        outb(data, wiring[i]);
        outb(data, PIC_8086);
        outb(data, 0xff);
    }
}

static volatile u8 *map_registers(u64 base, size_t size)
{
    volatile void *registers;

    if (paging_map_device(base, size, &registers) != OK)
        panic("apic: no memory to map the registers at 0x%lx", base);
    return registers;
}

static void init_local(void)
{
    u64 base = cpu_read_msr(MSR_APIC_BASE);

    if (base & LOCAL_APIC_X2)
        panic("apic: the firmware left it in x2APIC mode, which is not supported");
    cpu_write_msr(MSR_APIC_BASE, base | LOCAL_APIC_GLOBAL_ENABLE);
    local = map_registers(base & PTE_ADDRESS_MASK, LOCAL_SIZE);
    write_local(LOCAL_TASK_PRIORITY, 0);
    write_local(LOCAL_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
}

static void init_io(void)
{
    io = map_registers(IO_APIC_BASE, IO_SIZE);
    u32 version = read_io(IO_VERSION);
    if (version == 0 || version == UINT32_MAX)
        return;
    io_inputs = (version >> 16 & 0xff) + 1;
    for (u32 i = 0; i < io_inputs; i++)
        write_io(IO_REDIRECTION + 2 * i, REDIRECTION_MASKED);
}

void apic_init(void)
{
    rest_pics();
    init_local();
    init_io();
}

u32 apic_id(void)
{
    return read_local(LOCAL_ID) >> 24;
}

void apic_end_of_interrupt(void)
{
    write_local(LOCAL_END_OF_INTERRUPT, 0);
}

enum status io_apic_route(u8 line, u8 vector)
{
    /* The PIT alone is wired elsewhere: line 0 arrives at input 2. */
    u32 input = line == 0 ? 2 : line;

    if (input >= io_inputs)
        return ERR_NO_DEVICE;
    write_io(IO_REDIRECTION + 2 * input + 1, apic_id() << 24);
    write_io(IO_REDIRECTION + 2 * input, vector);
    return OK;
}

void apic_timer_start_counting(void)
{
    write_local(LOCAL_TIMER_DIVIDE, TIMER_DIVIDE_BY_16);
    write_local(LOCAL_TIMER_ENTRY, TIMER_MASKED);
    write_local(LOCAL_TIMER_INITIAL, UINT32_MAX);
}

u32 apic_timer_counted(void)
{
    return UINT32_MAX - read_local(LOCAL_TIMER_CURRENT);
}

void apic_timer_start_periodic(u8 vector, u32 count)
{
    write_local(LOCAL_TIMER_DIVIDE, TIMER_DIVIDE_BY_16);
    write_local(LOCAL_TIMER_ENTRY, TIMER_PERIODIC | vector);
    write_local(LOCAL_TIMER_INITIAL, count);
}
