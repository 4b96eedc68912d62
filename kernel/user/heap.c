/*
 * Blocks of powers of two, each behind a header of 16 bytes that tells which; released ones wait in
 * a list per size. What the kernel gives is cut from the front, in steps of a few pages.
 */
#include "kernel/user/user.h"

enum { SMALLEST = 5, SIZES = 34, STEP = 64 * KIB };

struct block {
    u64 size;           /* its power of two */
    struct block *next; /* while it waits; in use the memory begins right behind */
};

static struct block *waiting[SIZES];
static u8 *fresh;
static size_t fresh_left;

static bool make_room(size_t size)
{
    if (size <= fresh_left)
        return true;
    size_t bytes = (size - fresh_left + STEP - 1) / STEP * STEP;
    long address = memory_grow(bytes);
    if (address < 0)
        return false;
    if (fresh_left == 0)
        fresh = (u8 *)address;
    fresh_left += bytes;
    return true;
}

static struct block *block_cut(u64 power)
{
    if (!make_room(1UL << power))
        return NULL;
    struct block *block = (struct block *)fresh;
    block->size = power;
    fresh += 1UL << power;
    fresh_left -= 1UL << power;
    return block;
}

void *heap_allocate(size_t size)
{
    u64 power = SMALLEST;

    while (power < SIZES && (1UL << power) < size + sizeof(struct block))
        power++;
    if (power >= SIZES || size > 1UL << SIZES)
        return NULL;
    struct block *block = waiting[power];
    if (block)
        waiting[power] = block->next;
    else
        block = block_cut(power);
    if (!block)
        return NULL;
    return memset(block + 1, 0, (1UL << power) - sizeof *block);
}

void heap_release(void *memory)
{
    if (!memory)
        return;
    struct block *block = (struct block *)memory - 1;
    block->next = waiting[block->size];
    waiting[block->size] = block;
}
