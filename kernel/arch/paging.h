/*
 * x86-64 page tables: the bits, the walk, and the kernel's own mappings.
 *
 * W^X holds everywhere: pte_flags for executable pages never contain PTE_WRITABLE.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/mm/frame.h"

typedef u64 page_entry; /* an entry of a table of any of the four levels */

enum { TABLE_ENTRIES = 512 };

#define PTE_PRESENT (1ULL << 0)
#define PTE_WRITABLE (1ULL << 1)
#define PTE_USER (1ULL << 2)
#define PTE_UNCACHED (1ULL << 4 | 1ULL << 3)
#define PTE_ACCESSED (1ULL << 5)
#define PTE_DIRTY (1ULL << 6)
#define PTE_LARGE (1ULL << 7)
#define PTE_GLOBAL (1ULL << 8)
#define PTE_SOFTWARE_0                                                                   \
    (1ULL << 9) /* the ones that the CPU ignores; meanings: persist/page_space.h */
#define PTE_SOFTWARE_1 (1ULL << 10)
#define PTE_SOFTWARE_2 (1ULL << 11)
#define PTE_NO_EXECUTE (1ULL << 63)
#define PTE_ADDRESS_MASK 0x000ffffffffff000ULL

/*
 * Replaces the boot loader's world by the kernel's own map (kernel/mm/layout.h): image with its
 * rights, direct map of `ranges`, the entries of the shared upper half. Frames must be available.
 * Also puts the exception stacks behind guard pages, and gives the kernel its stack: `stack_top`.
 */
struct memory_range;
void paging_init(const struct memory_range *ranges, size_t count, u64 *stack_top);

/* The top-level table that is loaded; its upper half is the same in all spaces. */
page_entry *paging_root(void);

/* The one table under the persistent window's PML4 entry, the same in all spaces. */
page_entry *paging_window_pdpt(void);

/* The table that a present, not large entry points to. */
page_entry *paging_table(page_entry entry);

/*
 * The entry that maps `address` at whatever level it does so (`*size`: 4 KiB, 2 MiB or 1 GiB), or
 * NULL if it is unmapped.
 */
page_entry *paging_lookup(u64 address, u64 *size);

/* Maps one page; creates tables as needed. The address must be unmapped. */
enum status paging_map(u64 address, physical_address frame, u64 flags);
void paging_unmap(u64 address);

/* What a walk through all tables under a root finds; all but `pages` must be 0. */
struct paging_report {
    u64 pages; /* of any size */
    u64 writable_executable;
    u64 writable_constants; /* mappings through which kernel code or constants can be written */
    u64 open_kernel; /* of the kernel's half that ring 3 may use, or of the user's that it may not */
};
/* Adds to the report. */
void paging_check(const page_entry *root, struct paging_report *report);

/* A kernel stack of `size` bytes with an unmapped guard page below it. Never freed. */
enum status paging_stack_create(size_t size, u64 *top);
/* Is it in the guard page of such a stack, or elsewhere in the unmapped part of their area? */
bool paging_is_stack_guard(u64 address);

/* Maps device registers, uncached, into the device area; never unmapped. */
enum status paging_map_device(physical_address base, size_t size,
                              volatile void **registers);

/*
 * The fault hook of the persistent window (kernel/persist): called with interrupts off for a page
 * fault inside it. False: not resolved, the fault is fatal.
 */
void paging_set_window_fault(bool (*hook)(u64 address, u64 error_code));
/* The same for a user address that a copy of user.h met. False: the copy fails. */
void paging_set_user_fault(bool (*hook)(u64 address, u64 error_code));
enum {
    FAULT_PRESENT = 1,
    FAULT_WRITE = 2,
    FAULT_USER = 4,
    FAULT_RESERVED = 8,
    FAULT_FETCH = 16
};

static inline void invalidate_page(u64 address)
{
    __asm__ volatile("invlpg (%0)" ::"r"(address) : "memory");
}

static inline void reload_page_tables(void)
{
    u64 root;
    __asm__ volatile("mov %%cr3, %0; mov %0, %%cr3" : "=r"(root)::"memory");
}
