#include "kernel/persist/mark.h"

#include "kernel/arch/interrupts.h"

void mark_line(struct spaces *spaces, struct page_space *running)
{
    bool enabled = interrupts_save();
    u64 start = cpu_timestamp();
    spaces_draw_line(spaces, running);
    spaces->line_cycles = cpu_timestamp() - start;
    interrupts_restore(enabled);
}
