/*
 * Walks every page table that is loaded and looks for what must not be (X3): a page that is writable
 * and executable, a writable alias of the kernel's code and constants, a page of the kernel that
 * ring 3 may use.
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

/* What the entries above and this one permit together. */
struct rights {
    bool writable, executable, user;
};

static struct rights narrowed(struct rights above, page_entry entry)
{
    return (struct rights){
        .writable = above.writable && entry & PTE_WRITABLE,
        .executable = above.executable && !(entry & PTE_NO_EXECUTE),
        .user = above.user && entry & PTE_USER,
    };
}

static void check_leaf(struct paging_report *report, page_entry entry, u64 size,
                       struct rights rights, bool user_half)
{
    report->pages++;
    if (rights.writable && rights.executable)
        report->writable_executable++;
    if (rights.writable && is_constant(entry & PTE_ADDRESS_MASK & ~(size - 1), size))
        report->writable_constants++;
    if (rights.user != user_half)
        report->open_kernel++;
}

/* Recursion of four levels at most. */
static void check_table(struct paging_report *report, const page_entry *table, int level,
                        struct rights above, bool user_half)
{
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        struct rights rights = narrowed(above, table[i]);

        if (!(table[i] & PTE_PRESENT))
            continue;
        if (level == 0 || table[i] & PTE_LARGE)
            check_leaf(report, table[i], 1ULL << (PAGE_SHIFT + 9 * level), rights,
                       user_half);
        else
            check_table(report, paging_table(table[i]), level - 1, rights, user_half);
    }
}

void paging_check(const page_entry *root, struct paging_report *report)
{
    const struct rights all = { true, true, true };

    for (unsigned i = 0; i < TABLE_ENTRIES; i++)
        if (root[i] & PTE_PRESENT)
            check_table(report, paging_table(root[i]), 2, narrowed(all, root[i]),
                        i < TABLE_ENTRIES / 2);
}
