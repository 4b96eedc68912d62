#include "kernel/proc/process.h"

#include "kernel/base/string.h"

enum { PAGE_LIMIT_DEFAULT = 1 << 20 }; /* 4 GiB */

static struct process_table *table;

void process_table_initialize(void *object)
{
    struct process_table *empty = object;

    empty->next_id = 1;
    empty->next_space = PROCESS_SPACE_FIRST;
}

void process_table_use(struct process_table *used)
{
    table = used;
}

struct process_table *process_table(void)
{
    return table;
}

u32 process_slot(const struct process *process)
{
    return (u32)(process - table->of);
}

struct process *process_find(u32 id)
{
    for (u32 i = 0; id && i < PROCESSES_MAX; i++)
        if (table->of[i].id == id && table->of[i].state != PROCESS_FREE)
            return &table->of[i];
    return NULL;
}

struct process *process_next(u32 *cursor)
{
    while (*cursor < PROCESSES_MAX) {
        struct process *process = &table->of[(*cursor)++];
        if (process->state != PROCESS_FREE)
            return process;
    }
    return NULL;
}

static struct process *free_slot(void)
{
    for (u32 i = 0; i < PROCESSES_MAX; i++)
        if (table->of[i].state == PROCESS_FREE)
            return &table->of[i];
    return NULL;
}

static bool is_terminated(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\0')
            return true;
    return false;
}

enum status program_request_check(const struct program_request *request)
{
    u32 size = request->arguments_size;

    if (request->path[0] != '/' || !is_terminated(request->path, sizeof request->path))
        return ERR_INVALID_ARGUMENT;
    if (size == 0 || size > ARGUMENTS_MAX || request->arguments[0] == '\0' ||
        request->arguments[size - 1] != '\0')
        return ERR_INVALID_ARGUMENT;
    return OK;
}

/* What `ps` shows goes to a terminal. */
static void copy_name(char *to, const char *from)
{
    size_t length = 0;

    for (; length < PROCESS_NAME_MAX && from[length]; length++)
        to[length] = from[length] > ' ' && from[length] <= '~' ? from[length] : '?';
    to[length] = '\0';
}

/* Numbers of spaces are never used twice: an archive may still list the old one's pages. */
static bool number_process(struct process *process)
{
    if (table->next_space >= PROCESS_SPACE_END || table->next_id == UINT32_MAX)
        return false;
    process->id = table->next_id++;
    process->space = table->next_space++;
    return true;
}

enum status process_create(const struct program_request *request, u32 parent,
                           struct process **created)
{
    enum status status = program_request_check(request);
    if (status)
        return status;
    struct process *process = free_slot();
    if (!process)
        return ERR_NO_SPACE;

    memset(process, 0, sizeof *process);
    if (!number_process(process))
        return ERR_NO_SPACE;
    process->parent = parent;
    process->page_limit = PAGE_LIMIT_DEFAULT;
    copy_name(process->name, request->arguments);
    process_wait(process, WAIT_LOAD);
    *created = process;
    return OK;
}

void process_free(struct process *process)
{
    process->state = PROCESS_FREE;
    process->id = 0;
}

void process_wait(struct process *process, enum process_wait reason)
{
    process->state = PROCESS_WAITING;
    process->wait = reason;
}

void process_wake(struct process *process)
{
    process->state = PROCESS_READY;
    process->wait = WAIT_NOTHING;
}

void process_wake_all(enum process_wait reason)
{
    for (u32 i = 0; i < PROCESSES_MAX; i++)
        if (table->of[i].state == PROCESS_WAITING && table->of[i].wait == reason)
            process_wake(&table->of[i]);
}

const struct region *process_region(const struct process *process, u64 page)
{
    for (u32 i = 0; i < process->region_count; i++) {
        const struct region *region = &process->regions[i];
        if (page >= region->first_page && page - region->first_page < region->page_count)
            return region;
    }
    return NULL;
}

struct region *process_heap(struct process *process)
{
    return &process->regions[process->region_count - 2];
}

u64 process_pages_claimed(const struct process *process)
{
    u64 pages = 0;

    for (u32 i = 0; i + 1 < process->region_count; i++)
        pages += process->regions[i].page_count;
    return pages;
}
