#include "kernel/persist/mark.h"

#include "kernel/arch/interrupts.h"

u64 mark_demarcate(struct page_space *space)
{
    bool enabled = interrupts_save();
    u64 start = cpu_timestamp();
    page_space_demarcate(space);
    u64 end = cpu_timestamp();
    interrupts_restore(enabled);
    return end - start;
}
