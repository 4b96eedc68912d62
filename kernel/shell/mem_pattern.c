#include "kernel/shell/mem_pattern.h"

enum { PAGE_WORDS = PAGE_SIZE / sizeof(u64) };

/* The odd constants are those of a 64-bit mixer: each bit of the input moves half of the output. */
static u64 mix(u64 value)
{
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ULL;
    value = (value ^ value >> 27) * 0x94d049bb133111ebULL;
    return value ^ value >> 31;
}

static u64 first_word(u64 seed, u64 number)
{
    return mix(mix(seed) + number);
}

/* Cheap from word to word, because pages are filled by the ten thousand. */
static u64 next_word(u64 word)
{
    return word * 6364136223846793005ULL + 1442695040888963407ULL;
}

void mem_pattern_fill(void *page, u64 seed, u64 number)
{
    u64 *words = page;
    u64 word = first_word(seed, number);

    for (size_t i = 0; i < PAGE_WORDS; i++) {
        words[i] = word;
        word = next_word(word);
    }
}

bool mem_pattern_check(const void *page, u64 seed, u64 number, size_t *offset)
{
    const u64 *words = page;
    u64 word = first_word(seed, number);

    for (size_t i = 0; i < PAGE_WORDS; i++) {
        if (words[i] != word) {
            *offset = i * sizeof(u64);
            return false;
        }
        word = next_word(word);
    }
    return true;
}
