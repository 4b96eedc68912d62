#include "tests/support/process_image.h"

#include "kernel/base/string.h"

static struct process *add(struct process_table *table, const char *name, u32 parent)
{
    struct process *process = &table->of[table->next_id - 1];
    struct region regions[] = {
        { 0x400, 2, PAGE_EXECUTABLE, 0 },
        { 0x402, 1, PAGE_READABLE, 0 },
        { 0x403, 4, PAGE_WRITABLE, 0 },
        { 0x407, 100, PAGE_WRITABLE, 0 },
        { USER_STACK_LOWEST / PAGE_SIZE, USER_STACK_SIZE / PAGE_SIZE, PAGE_WRITABLE, 0 },
    };

    process->id = table->next_id++;
    process->space = table->next_space++;
    process->parent = parent;
    process->state = PROCESS_READY;
    process->page_limit = 1000;
    memcpy(process->regions, regions, sizeof regions);
    process->region_count = ARRAY_LENGTH(regions);
    user_frame_begin(&process->registers, 0x400123, USER_END - 64);
    user_fx_begin(process->fx);
    memcpy(process->name, name, strlen(name) + 1);
    return process;
}

void process_image_make(struct process_table *table)
{
    memset(table, 0, sizeof *table);
    process_table_initialize(table);

    struct process *parent = add(table, "parent", 0);
    struct process *child = add(table, "child", parent->id);
    add(table, "runs", 0);

    parent->state = child->state = PROCESS_WAITING;
    parent->wait = WAIT_CHILD;
    child->wait = WAIT_INPUT;
    table->foreground = child->id;
}
