/*
 * System calls with arguments drawn at random: good ones, hostile ones, and everything at the edges.
 *
 *   calls SEED COUNT      the same seed makes the same calls
 *
 * The kernel may refuse them, or do what they say. What would end the program or make it wait for ever
 * is left out.
 */
#include "kernel/user/user.h"

enum { ARENA_SIZE = 4 * PAGE_SIZE, RARELY = 5000 };

static _Alignas(PAGE_SIZE) u8 arena[ARENA_SIZE]; /* what a call may write */
static long child, self;

static u64 draw_address(u64 *seed)
{
    static const u64 edges[] = {
        0,         USER_IMAGE_LOWEST,  USER_STACK_LOWEST,  USER_END,
        1UL << 47, 0xffff800000000000, 0xffffc00000000000, 0xffffffff80000000
    };
    u64 kind = random_draw(seed) % 8, near = random_draw(seed) % 64 - 64;

    if (kind < 4)
        return (u64)arena + random_draw(seed) % ARENA_SIZE;
    if (kind < 6)
        return edges[random_draw(seed) % ARRAY_LENGTH(edges)] + near;
    return kind == 6 ? (u64)memory_grow(0) + near : random_draw(seed);
}

static u64 draw_size(u64 *seed)
{
    u64 kind = random_draw(seed) % 4;

    if (kind == 0)
        return random_draw(seed) >> random_draw(seed) % 64;
    return random_draw(seed) % (kind == 1 ? 4 : PAGE_SIZE);
}

static u64 draw_process(u64 *seed)
{
    u64 kind = random_draw(seed) % 4;

    return kind == 0   ? (u64)child
           : kind == 1 ? random_draw(seed)
                       : random_draw(seed) % 100;
}

/* Mostly of a program that is not there; the one that is ends at once. */
static long spawn(u64 *seed)
{
    static const char text[] = "calls\0001\0000";
    u64 kind = random_draw(seed) % 20;

    if (kind < 10)
        return process_spawn((const char *)draw_address(seed), text, sizeof text);
    if (kind < 19)
        return process_spawn(kind < 15 ? "/bin" : "/bin/nothing",
                             (const char *)draw_address(seed), draw_size(seed));
    child = process_spawn("/bin/calls", text, sizeof text);
    return child;
}

/* A read past the arena would be written over what the program needs. */
static u64 size_at(u64 address, u64 size)
{
    u64 offset = address - (u64)arena;

    return offset < ARENA_SIZE && size > ARENA_SIZE - offset ? ARENA_SIZE - offset : size;
}

static long call_one(u64 *seed)
{
    u64 number = random_draw(seed) % (CALL_END + 2), address = draw_address(seed);
    u64 size = draw_size(seed), process = draw_process(seed);

    switch (number) {
    case CALL_EXIT:
        return system_call(random_draw(seed) | 1UL << 32, address, size, process);
    case CALL_SLEEP:
        return system_call(number, size % 64, address, process);
    case CALL_READ:
        return system_call(number, address, size_at(address, size),
                           READ_KEYS_NOW + size % 3);
    case CALL_WRITE: /* a dot now and then, else what is none of its business */
        return random_draw(seed) % 64 == 0
                   ? system_call(number, (u64) ".", 1, process)
                   : system_call(number, address | USER_END << 6, size, process);
    case CALL_SPAWN:
        return spawn(seed);
    case CALL_WAIT:
    case CALL_KILL:
        return process == (u64)self ? 0 : system_call(number, process, address, size);
    case CALL_LIST:
        return system_call(number, address,
                           size_at(address, size) / sizeof(struct process_info), 0);
    case CALL_INFO:
        return size_at(address, sizeof(struct system_info)) < sizeof(struct system_info)
                   ? 0
                   : system_call(number, address, size, process);
    case CALL_GENERATION:
        return random_draw(seed) % RARELY == 0 ? generation_create() : 0;
    default:
        return system_call(number, address, size, process);
    }
}

int main(int count, char **arguments)
{
    u64 first = argument_number(count, arguments, 1, 1), seed = first;
    u64 calls = argument_number(count, arguments, 2, 10000), refused = 0;
    struct system_info info;

    system_info(&info);
    self = info.process;
    for (u64 at = 0; at < calls; at++)
        refused += call_one(&seed) < 0;
    if (calls > 0)
        print("calls: %lu made from seed %lu, %lu refused\n", calls, first, refused);
    return 0;
}
