/*
 * Builds the kernel's own page tables while the boot loader's world is still in use: nothing here
 * is visible before the new root is loaded.
 */
#include "kernel/arch/cpu.h"
#include "kernel/arch/gdt.h"
#include "kernel/arch/image.h"
#include "kernel/arch/paging.h"
#include "kernel/arch/panic.h"
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/mm/memory_range.h"

enum { KERNEL_STACK_SIZE = 64 * KIB, EXCEPTION_STACK_SIZE = 16 * KIB };
#define LARGE_PAGE_SIZE (2ULL * MIB)
#define HUGE_PAGE_SIZE GIB
#define KERNEL_DATA_FLAGS (PTE_PRESENT | PTE_WRITABLE | PTE_NO_EXECUTE | PTE_GLOBAL)
#define KERNEL_CONSTANT_FLAGS (PTE_PRESENT | PTE_NO_EXECUTE | PTE_GLOBAL)

struct memory_map {
    const struct memory_range *ranges;
    size_t count;
};

static page_entry *new_table(physical_address *frame)
{
    if (frame_alloc(frame) != OK)
        panic("paging: no frames for the kernel's page tables");
    return memset(physical_to_virtual(*frame), 0, PAGE_SIZE);
}

/* The table one level below `table[index]`, made if absent. */
static page_entry *child_table(page_entry *table, u64 index)
{
    if (!(table[index] & PTE_PRESENT)) {
        physical_address frame;
        new_table(&frame);
        table[index] = frame | PTE_PRESENT | PTE_WRITABLE;
    }
    return paging_table(table[index]);
}

/* Sets the entry for `address` in a page of size 4 KiB << 9 * level. */
static void set_entry(page_entry *root, u64 address, int level, page_entry entry)
{
    page_entry *table = root;

    for (int i = 3; i > level; i--)
        table = child_table(table, address >> (PAGE_SHIFT + 9 * i) & (TABLE_ENTRIES - 1));
    table[address >> (PAGE_SHIFT + 9 * level) & (TABLE_ENTRIES - 1)] = entry;
}

/* The rights of an image page at its linked address. */
static u64 image_flags(u64 address)
{
    if (address < (u64)image_rodata_start)
        return PTE_PRESENT | PTE_GLOBAL;
    return address < (u64)image_data_start ? KERNEL_CONSTANT_FLAGS : KERNEL_DATA_FLAGS;
}

static void map_image(page_entry *root)
{
    for (u64 at = (u64)image_text_start; at < (u64)image_end; at += PAGE_SIZE)
        set_entry(root, at, 0, (at - KERNEL_BASE) | image_flags(at));
}

static bool touches_range(const struct memory_map *map, u64 base, u64 size,
                          bool usable_only)
{
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_range *range = &map->ranges[i];
        if ((range->usable || !usable_only) && range->base < base + size &&
            base < range->base + range->size)
            return true;
    }
    return false;
}

/* Is all of it one usable range, with no part of the image or of the first MiB in it? */
static bool is_plain_memory(const struct memory_map *map, u64 base, u64 size)
{
    if (base < image_physical(image_end))
        return false;
    for (size_t i = 0; i < map->count; i++) {
        const struct memory_range *range = &map->ranges[i];
        if (range->usable && range->base <= base &&
            range_inside(base - range->base, size, range->size))
            return true;
    }
    return false;
}

static bool is_image_constant(u64 physical)
{
    return physical >= image_physical(image_text_start) &&
           physical < image_physical(image_data_start);
}

/*
 * 2 MiB in single pages: those that the memory map lists, usable or not (firmware tables are next to
 * memory), and the whole first MiB.
 */
static void map_direct_pages(page_entry *root, const struct memory_map *map, u64 base)
{
    for (u64 at = base; at < base + LARGE_PAGE_SIZE; at += PAGE_SIZE) {
        if (at >= MIB && !touches_range(map, at, PAGE_SIZE, false))
            continue;
        set_entry(
            root, DIRECT_MAP_BASE + at, 0,
            at | (is_image_constant(at) ? KERNEL_CONSTANT_FLAGS : KERNEL_DATA_FLAGS));
    }
}

static void map_direct(page_entry *root, const struct memory_map *map)
{
    u64 end = frame_limit() * PAGE_SIZE;
    u64 at = 0;

    while (at < end) {
        if (cpu_features()->gigabyte_pages && at % HUGE_PAGE_SIZE == 0 &&
            is_plain_memory(map, at, HUGE_PAGE_SIZE)) {
            set_entry(root, DIRECT_MAP_BASE + at, 2, at | KERNEL_DATA_FLAGS | PTE_LARGE);
            at += HUGE_PAGE_SIZE;
            continue;
        }
        if (is_plain_memory(map, at, LARGE_PAGE_SIZE))
            set_entry(root, DIRECT_MAP_BASE + at, 1, at | KERNEL_DATA_FLAGS | PTE_LARGE);
        else if (touches_range(map, at, LARGE_PAGE_SIZE, true))
            map_direct_pages(root, map, at);
        at += LARGE_PAGE_SIZE;
    }
}

static u64 create_stack(size_t size)
{
    u64 top;
    if (paging_stack_create(size, &top) != OK)
        panic("paging: no frames for the kernel's stacks");
    return top;
}

void paging_init(const struct memory_range *ranges, size_t count, u64 *stack_top)
{
    const u64 shared_areas[] = { PERSISTENT_BASE, DEVICE_BASE, STACK_BASE };
    struct memory_map map = { ranges, count };
    physical_address root_frame;
    page_entry *root = new_table(&root_frame);

    map_image(root);
    map_direct(root, &map);
    for (size_t i = 0; i < ARRAY_LENGTH(shared_areas); i++)
        child_table(root, shared_areas[i] >> 39 & (TABLE_ENTRIES - 1));

    /* The boot tables use no global pages, so this drops every old translation. */
    cpu_write_cr3(root_frame);

    *stack_top = create_stack(KERNEL_STACK_SIZE);
    for (int i = EXCEPTION_STACK_NONE + 1; i < EXCEPTION_STACKS_END; i++)
        gdt_set_exception_stack((enum exception_stack)i,
                                create_stack(EXCEPTION_STACK_SIZE));
    gdt_set_kernel_stack(*stack_top);
}
