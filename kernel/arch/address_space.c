#include "kernel/arch/address_space.h"

#include "kernel/arch/cpu.h"
#include "kernel/base/string.h"

static physical_address kernel_root; /* 0: no program has been loaded yet */

enum status address_space_create(struct address_space *space, physical_address top)
{
    physical_address root;

    enum status status = frame_alloc(&root);
    if (status)
        return status;

    page_entry *table = physical_to_virtual(root);
    memcpy(table, paging_root(), PAGE_SIZE);
    memset(table, 0, PAGE_SIZE / 2); /* the lower half of whoever is loaded */
    table[0] = top | PTE_PRESENT | PTE_WRITABLE | PTE_USER;
    space->root = root;
    return OK;
}

static bool is_loaded(physical_address root)
{
    return (cpu_read_cr3() & PTE_ADDRESS_MASK) == root;
}

void address_space_destroy(struct address_space *space)
{
    if (is_loaded(space->root))
        address_space_load_kernel();
    frame_free(space->root);
    space->root = 0;
}

void address_space_load(const struct address_space *space)
{
    if (!kernel_root)
        kernel_root = cpu_read_cr3() & PTE_ADDRESS_MASK;
    if (!is_loaded(space->root))
        cpu_write_cr3(space->root);
}

void address_space_load_kernel(void)
{
    if (kernel_root && !is_loaded(kernel_root))
        cpu_write_cr3(kernel_root);
}

const page_entry *address_space_root(const struct address_space *space)
{
    return physical_to_virtual(space->root);
}
