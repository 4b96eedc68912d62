#include "kernel/symbols.h"

#include "kernel/arch/image.h"

/* Ascending by address; made by scripts/symbols, empty in the first link pass. */
extern const u64 symbol_count;
extern const u32 symbol_addresses[]; /* from KERNEL_BASE */
extern const u32 symbol_name_offsets[];
extern const char symbol_names[];

const char *symbol_find(u64 address, u64 *offset)
{
    if (!image_is_text(address) || symbol_count == 0)
        return NULL;

    u64 wanted = address - KERNEL_BASE;
    u64 low = 0, high = symbol_count; /* the last one at or below it is in [low, high) */
    while (high - low > 1) {
        u64 middle = low + (high - low) / 2;
        if (symbol_addresses[middle] <= wanted)
            low = middle;
        else
            high = middle;
    }
    if (symbol_addresses[low] > wanted)
        return NULL;
    *offset = wanted - symbol_addresses[low];
    return symbol_names + symbol_name_offsets[low];
}
