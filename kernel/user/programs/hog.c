/*
 * Takes memory, fills every page of it, and looks again and again whether it still holds what it was
 * filled with.
 *
 *   hog [MEGABYTES [ROUNDS]]      64 and, without ROUNDS, for ever
 */
#include "kernel/user/user.h"

enum { WORDS = PAGE_SIZE / sizeof(u64) };

static u64 word_of(u64 page, u64 round, u64 at)
{
    return (page + 1) * 0x9e3779b97f4a7c15 + round * 0xff51afd7ed558ccd + at;
}

static void fill(u64 *memory, u64 page, u64 round)
{
    for (u64 at = 0; at < WORDS; at++)
        memory[page * WORDS + at] = word_of(page, round, at);
}

static bool holds(const u64 *memory, u64 page, u64 round)
{
    for (u64 at = 0; at < WORDS; at++) {
        if (memory[page * WORDS + at] != word_of(page, round, at))
            return false;
    }
    return true;
}

int main(int count, char **arguments)
{
    u64 pages = argument_number(count, arguments, 1, 64) * (MIB / PAGE_SIZE);
    u64 rounds = argument_number(count, arguments, 2, UINT64_MAX);
    long address = memory_grow(pages * PAGE_SIZE);
    u64 *memory = (u64 *)address;

    if (address < 0) {
        print("hog: no memory for %lu pages\n", pages);
        return 1;
    }
    for (u64 page = 0; page < pages; page++)
        fill(memory, page, 0);
    print("hog: %lu pages filled\n", pages);
    for (u64 round = 0; round < rounds; round++) {
        for (u64 page = 0; page < pages; page++) {
            if (!holds(memory, page, round)) {
                print("hog: wrong: page %lu in round %lu\n", page, round);
                return 1;
            }
            fill(memory, page, round + 1);
        }
        print("hog: round %lu: %lu pages ok\n", round + 1, pages);
    }
    return 0;
}
