/*
 * A pointer to the start of a page is a run of frames, any other lies in a slab: slots never start
 * at a page, the slab's header is there.
 */
#include "kernel/mm/heap.h"

#include "kernel/arch/interrupts.h"
#include "kernel/arch/panic.h"
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/heap_class.h"

static struct list classes[HEAP_CLASS_COUNT]; /* slabs with a free slot */
static u32 *run_lengths; /* by frame number: frames of the run that starts there, or 0 */
static u64 used_bytes, most_bytes;

void heap_init(void)
{
    u64 frames = divide_up(frame_limit() * sizeof *run_lengths, PAGE_SIZE);
    physical_address first;

    frame_keep_runs_apart();
    if (frame_alloc_contiguous(frames, &first) != OK)
        panic("heap: no %lu frames for its bookkeeping", frames);
    run_lengths = memset(physical_to_virtual(first), 0, frames * PAGE_SIZE);
    for (size_t i = 0; i < HEAP_CLASS_COUNT; i++)
        list_init(&classes[i]);
}

static void count_used(u64 bytes)
{
    used_bytes += bytes;
    most_bytes = max_u64(most_bytes, used_bytes);
}

static void *alloc_run(size_t size)
{
    u64 frames = divide_up(size, PAGE_SIZE);
    physical_address first;

    if (frames > UINT32_MAX || frame_alloc_contiguous(frames, &first) != OK)
        return NULL;
    run_lengths[first / PAGE_SIZE] = (u32)frames;
    count_used(frames * PAGE_SIZE);
    return memset(physical_to_virtual(first), 0, frames * PAGE_SIZE);
}

static void free_run(void *memory)
{
    physical_address first = virtual_to_physical(memory);
    u32 frames = run_lengths[first / PAGE_SIZE];

    if (frames == 0)
        panic("heap: %p is freed but not allocated", memory);
    run_lengths[first / PAGE_SIZE] = 0;
    used_bytes -= (u64)frames * PAGE_SIZE;
    frame_free_contiguous(first, frames);
}

static struct slab *slab_with_room(u16 class_index)
{
    struct list *list = &classes[class_index];
    physical_address frame;

    if (!list_is_empty(list))
        return CONTAINER_OF(list_first(list), struct slab, link);
    if (frame_alloc(&frame) != OK)
        return NULL;
    struct slab *slab = slab_init(physical_to_virtual(frame), class_index);
    list_prepend(list, &slab->link);
    return slab;
}

static void *alloc_slot(u16 class_index)
{
    struct slab *slab = slab_with_room(class_index);
    if (!slab)
        return NULL;
    void *memory = slab_take(slab);
    if (slab_is_full(slab))
        list_remove(&slab->link);
    count_used(slab->slot_size);
    return memset(memory, 0, slab->slot_size);
}

void *heap_alloc(size_t size)
{
    u16 class_index = heap_class_of(size);

    if (size == 0)
        return NULL;
    if (class_index == HEAP_CLASS_COUNT)
        return alloc_run(size); /* its frames are nobody else's */

    bool enabled = interrupts_save();
    void *memory = alloc_slot(class_index);
    interrupts_restore(enabled);
    return memory;
}

static void give_slot(void *memory)
{
    struct slab *slab = (struct slab *)align_down((u64)memory, PAGE_SIZE);
    bool was_full = slab_is_full(slab);
    if (!slab_give(slab, memory))
        panic("heap: %p is freed but not allocated", memory);
    used_bytes -= slab->slot_size;
    if (was_full)
        list_append(&classes[slab->class_index], &slab->link);
    if (slab->used > 0)
        return;
    list_remove(&slab->link);
    slab->magic = 0;
    frame_free(virtual_to_physical(slab));
}

void heap_free(void *memory)
{
    if (!memory)
        return;
    if ((u64)memory < DIRECT_MAP_BASE ||
        (u64)memory - DIRECT_MAP_BASE >= frame_limit() * PAGE_SIZE)
        panic("heap: %p is freed but lies outside", memory);
    if ((u64)memory % PAGE_SIZE == 0) {
        free_run(memory);
        return;
    }

    bool enabled = interrupts_save();
    give_slot(memory);
    interrupts_restore(enabled);
}

u64 heap_used_bytes(void)
{
    return used_bytes;
}

u64 heap_most_bytes(void)
{
    return most_bytes;
}
