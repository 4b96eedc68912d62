/*
 * Walks every page table that is loaded and looks for what must not be (X3): a page that is writable
 * and executable, and a writable alias of the kernel's code and constants.
 *
 * Rights of all levels add up: a page is writable if all its entries are, executable if none forbids.
 */
#include "kernel/arch/image.h"
#include "kernel/arch/paging.h"

static bool is_constant(physical_address frame, u64 size)
{
    return frame < image_physical(image_data_start) &&
           image_physical(image_text_start) < frame + size;
}

static void check_leaf(struct paging_report *report, page_entry entry, u64 size,
                       bool writable, bool executable)
{
    report->pages++;
    if (writable && executable)
        report->writable_executable++;
    if (writable && is_constant(entry & PTE_ADDRESS_MASK & ~(size - 1), size))
        report->writable_constants++;
}

/* Recursion of four levels at most. */
static void check_table(struct paging_report *report, const page_entry *table, int level,
                        bool writable, bool executable)
{
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        page_entry entry = table[i];
        bool entry_writable = writable && entry & PTE_WRITABLE;
        bool entry_executable = executable && !(entry & PTE_NO_EXECUTE);

        if (!(entry & PTE_PRESENT))
            continue;
        if (level == 0 || entry & PTE_LARGE)
            check_leaf(report, entry, 1ULL << (PAGE_SHIFT + 9 * level), entry_writable,
                       entry_executable);
        else
            check_table(report, paging_table(entry), level - 1, entry_writable,
                        entry_executable);
    }
}

struct paging_report paging_check(void)
{
    struct paging_report report = { 0 };

    check_table(&report, paging_root(), 3, true, true);
    return report;
}
