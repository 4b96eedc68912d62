#include "tests/machine/machine.h"

#include "drivers/rtc.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/io.h"
#include "kernel/arch/mmio.h"
#include "kernel/arch/paging.h"
#include "kernel/base/checked.h"
#include "kernel/mm/heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { CALLS_MAX = 300000, BLOCKS_MAX = 64, MAPPINGS_MAX = 8, TICK = 100000 };
enum { CONFIG_ADDRESS = 0xCF8, CONFIG_DATA = 0xCFC };

/* Addresses for registers, never memory: whoever goes around mmio.h crashes. */
#define REGISTER_SPACE (64 * GIB)

static struct machine {
    struct lie lies[LIES_MAX];
    size_t lie_count;
    u32 told;                   /* kinds, a bit each */
    bool deaf, clock_is_broken; /* deaf: no interrupts */
    u64 calls, now;
    u32 pci_address, shared_reads;
    void *blocks[BLOCKS_MAX]; /* to be freed at the end */
    u32 block_count, allocations;
    struct {
        u8 *memory;
        u64 base, size;
    } mappings[MAPPINGS_MAX];
    u32 mapping_count;
    u64 register_space_used;
} machine;

static u8 *register_space;

_Noreturn void machine_found(const char *what)
{
    fprintf(stderr, "machine: %s\n", what);
    abort();
}

static void count(void)
{
    if (++machine.calls > CALLS_MAX)
        machine_found("the driver finds no end");
}

/* --- lies --- */

static void draw_lie(struct damage_source *source, struct lie *lie)
{
    lie->kind = (enum lie_kind)damage_draw(source, LIE_KINDS);
    lie->at = (u32)damage_draw(source, 256);
    lie->limit = damage_draw(source, 2) ? 1 : UINT64_MAX;
    lie->manner = (u32)damage_draw(source, 16);
    lie->value = damage_draw(source, lie->manner & 8 ? 256 : 1ULL << 32);
}

void machine_start(const struct lie *lies, size_t count)
{
    memset(&machine, 0, sizeof machine);
    machine.now = 1000000;
    machine.lie_count = count;
    for (size_t i = 0; i < count; i++)
        machine.lies[i] = lies[i];
    if (register_space == NULL)
        register_space = mmap(NULL, REGISTER_SPACE, PROT_NONE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (register_space == MAP_FAILED)
        machine_found("the host has no addresses left");
    device_start();
}

void machine_start_drawn(struct damage_source *source)
{
    struct lie lies[LIES_MAX];
    size_t count = damage_draw(source, LIES_MAX + 1);
    u64 odd = damage_draw(source, 16);

    for (size_t i = 0; i < count; i++)
        draw_lie(source, &lies[i]);
    machine_start(lies, count);
    machine.deaf = odd == 1;
    machine.clock_is_broken = odd == 2;
}

void machine_stop(void)
{
    while (machine.block_count > 0)
        free(machine.blocks[--machine.block_count]);
}

bool machine_has_lied(void)
{
    return machine.told != 0;
}

bool machine_has_lied_about(enum lie_kind kind)
{
    return machine.told >> kind & 1;
}

const struct lie *machine_lie(enum lie_kind kind, u32 at)
{
    for (size_t i = 0; i < machine.lie_count; i++) {
        struct lie *lie = &machine.lies[i];
        if (lie->kind != kind || lie->at != at || lie->limit == 0)
            continue;
        lie->limit--;
        machine.told |= 1u << kind;
        return lie;
    }
    return NULL;
}

u64 machine_lie_about(enum lie_kind kind, u32 at, u64 value)
{
    static const u64 limits[] = { 0,          1,          2,     0x7F,   0x80,
                                  0xFF,       0x100,      0x400, 0x7FFF, 0xFFFF,
                                  0x7FFFFFFF, 0xFFFFFFFF, ~0ULL, 511 };
    const struct lie *lie = machine_lie(kind, at);

    if (lie == NULL)
        return value;
    switch (lie->manner & 3) {
    case 0:
        return limits[lie->value % ARRAY_LENGTH(limits)];
    case 1:
        return value + lie->value % 17 - 8;
    case 2:
        return value ^ 1ULL << lie->value % 32;
    default:
        return lie->value;
    }
}

/* --- memory --- */

static void *allocate(size_t alignment, size_t size, int content)
{
    count();
    if (machine_lie(LIE_MEMORY, machine.allocations++) != NULL)
        return NULL;
    if (size > 16 * MIB || machine.block_count == BLOCKS_MAX)
        machine_found("the driver takes more memory than any device is worth");
    void *memory = aligned_alloc(alignment, align_up(size, alignment));
    if (memory == NULL)
        machine_found("the host has no memory left");
    memset(memory, content, size);
    machine.blocks[machine.block_count++] = memory;
    return memory;
}

void *heap_alloc(size_t size)
{
    return allocate(16, size, 0);
}

void heap_free(void *memory)
{
    for (u32 i = 0; i < machine.block_count; i++)
        if (machine.blocks[i] == memory) {
            machine.blocks[i] = machine.blocks[--machine.block_count];
            free(memory);
            return;
        }
    machine_found("memory is freed that is not in use");
}

enum status frame_alloc_contiguous(size_t frames, physical_address *first)
{
    /* Frames hold what they held before. */
    void *memory = allocate(PAGE_SIZE, frames * PAGE_SIZE, 0xA5);

    *first = (physical_address)memory;
    return memory ? OK : ERR_NO_MEMORY;
}

enum status frame_alloc(physical_address *frame)
{
    return frame_alloc_contiguous(1, frame);
}

enum status paging_map_device(physical_address base, size_t size,
                              volatile void **registers)
{
    u64 end;

    count();
    if (size == 0 || !checked_add(base, size, &end) || end > PTE_ADDRESS_MASK)
        return ERR_INVALID_ARGUMENT;
    if (machine.mapping_count == MAPPINGS_MAX ||
        size + 2 * PAGE_SIZE > REGISTER_SPACE - machine.register_space_used)
        return ERR_NO_SPACE;
    u8 *memory = register_space + machine.register_space_used + base % PAGE_SIZE;
    machine.register_space_used += align_up(size + 2 * PAGE_SIZE, PAGE_SIZE);
    machine.mappings[machine.mapping_count].memory = memory;
    machine.mappings[machine.mapping_count].base = base;
    machine.mappings[machine.mapping_count++].size = size;
    *registers = memory;
    return OK;
}

/* --- what a driver reads and writes --- */

/* False: it is memory. Otherwise the offset in the device's BAR, or behind it if it is nowhere. */
static bool is_register(const volatile void *at, u64 width, u64 *offset)
{
    const u8 *byte = (const u8 *)(uintptr_t)at;

    count();
    if (byte < register_space || byte >= register_space + REGISTER_SPACE)
        return false;
    for (u32 i = 0; i < machine.mapping_count; i++) {
        u64 inside = (u64)(byte - machine.mappings[i].memory);
        if (byte < machine.mappings[i].memory ||
            !range_inside(inside, width, machine.mappings[i].size))
            continue;
        u64 address = machine.mappings[i].base + inside;
        *offset = address >= DEVICE_BAR && address - DEVICE_BAR < DEVICE_BAR_SIZE
                      ? address - DEVICE_BAR
                      : DEVICE_BAR_SIZE;
        return true;
    }
    machine_found("a register is used that was not mapped");
}

static u32 read_shared(const volatile void *at, u32 width)
{
    u32 value = 0;

    device_run();
    memcpy(&value, (const void *)(uintptr_t)at, width);
    return (u32)machine_lie_about(LIE_SHARED, machine.shared_reads++, value);
}

u8 mmio_read8(const volatile void *at)
{
    u64 offset;
    return (u8)(is_register(at, 1, &offset) ? device_read(offset) : read_shared(at, 1));
}

u16 mmio_read16(const volatile void *at)
{
    u64 offset;
    return (u16)(is_register(at, 2, &offset) ? device_read(offset) : read_shared(at, 2));
}

u32 mmio_read32(const volatile void *at)
{
    u64 offset;
    return is_register(at, 4, &offset) ? device_read(offset) : read_shared(at, 4);
}

static void write(volatile void *at, u32 width, u32 value)
{
    u64 offset;

    if (is_register(at, width, &offset))
        device_write(offset, value);
    else
        memcpy((void *)(uintptr_t)at, &value, width);
}

void mmio_write8(volatile void *at, u8 value)
{
    write(at, 1, value);
}

void mmio_write16(volatile void *at, u16 value)
{
    write(at, 2, value);
}

void mmio_write32(volatile void *at, u32 value)
{
    write(at, 4, value);
}

/* --- ports: one function on the bus, at 00:03.0 --- */

void outl(u16 port, u32 value)
{
    count();
    if (port == CONFIG_ADDRESS)
        machine.pci_address = value;
}

u32 inl(u16 port)
{
    u8 offset = (u8)(machine.pci_address & 0xFC);

    count();
    if (port != CONFIG_DATA || (machine.pci_address >> 8 & 0xFFFF) != 3 << 3)
        return UINT32_MAX;
    return (u32)machine_lie_about(LIE_PCI, offset, device_pci_read(offset));
}

void outw(u16 port, u16 value)
{
    count();
    if ((machine.pci_address >> 8 & 0xFFFF) == 3 << 3)
        device_pci_write((u8)((machine.pci_address & 0xFC) + (port & 2)), value);
}

/* --- time and interrupts --- */

u64 timer_microseconds(void)
{
    count();
    return machine.now += TICK;
}

enum status rtc_read(u64 *microseconds)
{
    count();
    *microseconds = machine.now += TICK;
    return machine.clock_is_broken ? ERR_CORRUPT : OK;
}

enum status interrupt_allocate(void (*handler)(void *context), void *context, u8 *vector)
{
    (void)handler, (void)context;
    if (machine_lie(LIE_MEMORY, machine.allocations++) != NULL)
        return ERR_NO_SPACE;
    *vector = 0x40;
    return OK;
}

void interrupt_message(u8 vector, u64 *address, u32 *data)
{
    *address = 0xFEE00000;
    *data = vector;
}

bool interrupts_save(void)
{
    return !machine.deaf;
}

void interrupts_restore(bool enabled)
{
    (void)enabled;
}

void interrupts_wait(void)
{
    count();
    machine.now += TICK;
    device_run();
}
