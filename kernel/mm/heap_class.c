#include "kernel/mm/heap_class.h"

#include "kernel/base/string.h"

enum { SLAB_MAGIC = 0x534c4142 };

/* As many slots as fit behind the header, in sizes that waste little of the page. */
static const u16 slot_sizes[HEAP_CLASS_COUNT] = { 16,  32,  48,  64,  96,   128,  192,
                                                  256, 368, 496, 672, 1008, 1344, 2016 };

u16 heap_class_of(size_t size)
{
    u16 i = 0;
    while (i < HEAP_CLASS_COUNT && slot_sizes[i] < size)
        i++;
    return i;
}

u16 heap_class_slot_size(u16 class_index)
{
    return slot_sizes[class_index];
}

struct slab *slab_init(void *page, u16 class_index)
{
    struct slab *slab = page;

    *slab = (struct slab){
        .magic = SLAB_MAGIC,
        .slot_size = slot_sizes[class_index],
        .class_index = class_index,
        .slots = (u16)((PAGE_SIZE - SLAB_HEADER_SIZE) / slot_sizes[class_index]),
    };
    return slab;
}

void *slab_take(struct slab *slab)
{
    for (unsigned word = 0; word < SLAB_BITMAP_WORDS; word++) {
        if (slab->taken[word] == ~0ULL)
            continue;
        unsigned bit = (unsigned)__builtin_ctzll(~slab->taken[word]);
        unsigned slot = word * 64 + bit;
        if (slot >= slab->slots)
            break;
        slab->taken[word] |= 1ULL << bit;
        slab->used++;
        return (u8 *)slab + SLAB_HEADER_SIZE + (size_t)slot * slab->slot_size;
    }
    return NULL;
}

bool slab_give(struct slab *slab, void *memory)
{
    size_t offset = (size_t)((u8 *)memory - (u8 *)slab);

    if (slab->magic != SLAB_MAGIC || offset < SLAB_HEADER_SIZE)
        return false;
    size_t slot = (offset - SLAB_HEADER_SIZE) / slab->slot_size;
    if ((offset - SLAB_HEADER_SIZE) % slab->slot_size != 0 || slot >= slab->slots)
        return false;
    if (!(slab->taken[slot / 64] >> (slot % 64) & 1))
        return false;

    slab->taken[slot / 64] &= ~(1ULL << (slot % 64));
    slab->used--;
    return true;
}
