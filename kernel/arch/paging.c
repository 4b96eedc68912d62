#include "kernel/arch/paging.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/panic.h"
#include "kernel/base/checked.h"
#include "kernel/base/string.h"

/* Bump pointers: what they hand out is never taken back. */
static u64 device_next = DEVICE_BASE;
static u64 stack_next = STACK_BASE;

enum { LEVEL_TOP = 3 };

static unsigned index_at(u64 address, int level)
{
    return (unsigned)(address >> (PAGE_SHIFT + 9 * level)) % TABLE_ENTRIES;
}

page_entry *paging_root(void)
{
    return physical_to_virtual(cpu_read_cr3() & PTE_ADDRESS_MASK);
}

page_entry *paging_table(page_entry entry)
{
    return physical_to_virtual(entry & PTE_ADDRESS_MASK);
}

page_entry *paging_window_pdpt(void)
{
    return paging_table(paging_root()[index_at(PERSISTENT_BASE, LEVEL_TOP)]);
}

page_entry *paging_lookup(u64 address, u64 *size)
{
    page_entry *table = paging_root();

    for (int level = LEVEL_TOP; level >= 0; level--) {
        page_entry *entry = &table[index_at(address, level)];

        if (!(*entry & PTE_PRESENT))
            return NULL;
        if (level == 0 || *entry & PTE_LARGE) {
            *size = 1ULL << (PAGE_SHIFT + 9 * level);
            return entry;
        }
        table = paging_table(*entry);
    }
    return NULL;
}

/* The lowest-level entry for `address`, with all tables above it present. */
static enum status reach_leaf(u64 address, page_entry **leaf)
{
    page_entry *table = paging_root();

    for (int level = LEVEL_TOP; level > 0; level--) {
        page_entry *entry = &table[index_at(address, level)];
        physical_address frame;

        if (!(*entry & PTE_PRESENT)) {
            enum status status = frame_alloc(&frame);
            if (status != OK)
                return status;
            memset(physical_to_virtual(frame), 0, PAGE_SIZE);
            *entry = frame | PTE_PRESENT | PTE_WRITABLE;
        }
        table = paging_table(*entry);
    }
    *leaf = &table[index_at(address, 0)];
    return OK;
}

enum status paging_map(u64 address, physical_address frame, u64 flags)
{
    page_entry *leaf;
    enum status status = reach_leaf(address, &leaf);

    if (status != OK)
        return status;
    if (*leaf & PTE_PRESENT)
        panic("paging: 0x%lx is mapped already", address);
    if (flags & PTE_WRITABLE && !(flags & PTE_NO_EXECUTE))
        panic("paging: 0x%lx would be writable and executable", address);
    *leaf = frame | flags | PTE_PRESENT;
    return OK;
}

void paging_unmap(u64 address)
{
    u64 size = 0;
    page_entry *leaf = paging_lookup(address, &size);

    if (size != PAGE_SIZE)
        panic("paging: 0x%lx is not a mapped page", address);
    *leaf = 0;
    invalidate_page(address);
}

enum status paging_map_device(physical_address base, size_t size,
                              volatile void **registers)
{
    physical_address first = align_down(base, PAGE_SIZE);
    u64 offset = base - first;
    u64 end;

    if (size == 0 || !checked_add(base, size, &end) || end > PTE_ADDRESS_MASK)
        return ERR_INVALID_ARGUMENT;

    u64 pages = divide_up(offset + size, PAGE_SIZE);
    u64 address = device_next;
    if (pages > (STACK_BASE - device_next) / PAGE_SIZE)
        return ERR_NO_SPACE;

    /* An unmapped page stays between two devices. On an error the addresses are lost, no more. */
    device_next += (pages + 1) * PAGE_SIZE;
    for (u64 i = 0; i < pages; i++) {
        enum status status =
            paging_map(address + i * PAGE_SIZE, first + i * PAGE_SIZE,
                       PTE_WRITABLE | PTE_NO_EXECUTE | PTE_UNCACHED | PTE_GLOBAL);
        if (status != OK)
            return status;
    }
    *registers = (volatile void *)(address + offset);
    return OK;
}

enum status paging_stack_create(size_t size, u64 *top)
{
    u64 bottom = stack_next + PAGE_SIZE; /* above the guard page */
    u64 end = bottom + align_up(size, PAGE_SIZE);
    physical_address frame;

    stack_next = end;
    for (u64 address = bottom; address < end; address += PAGE_SIZE) {
        enum status status = frame_alloc(&frame);
        if (status != OK)
            return status;
        status = paging_map(address, frame, PTE_WRITABLE | PTE_NO_EXECUTE | PTE_GLOBAL);
        if (status != OK)
            return status;
    }
    *top = end;
    return OK;
}

bool paging_is_stack_guard(u64 address)
{
    u64 size;

    return address >= STACK_BASE && address < stack_next &&
           paging_lookup(address, &size) == NULL;
}

physical_address virtual_to_physical(const void *address)
{
    u64 at = (u64)address;
    u64 size;

    if (at >= DIRECT_MAP_BASE && at < PERSISTENT_BASE)
        return at - DIRECT_MAP_BASE;

    const page_entry *entry = paging_lookup(at, &size);
    if (!entry)
        panic("paging: 0x%lx has no physical address, it is unmapped", at);
    return (*entry & PTE_ADDRESS_MASK & ~(size - 1)) | (at & (size - 1));
}
