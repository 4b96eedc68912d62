/*
 * The towers of Hanoi by recursion, on a stack as deep as it gets: each level keeps a page of its own,
 * written when the level begins and read when it ends, however many power cuts were in between.
 *
 *   hanoi [DISKS [EVERY [PAUSE]]]      20 disks; a line and a rest of PAUSE microseconds, if told so,
 *                                      after every 100000 moves
 */
#include "kernel/user/user.h"

enum { DISKS_MAX = 62, PEGS = 3, WITNESS = 512 };

struct towers {
    u64 moves, every, pause;
    u64 hash; /* of all moves so far: lost or repeated ones change it */
    int height[PEGS];
    u8 disks[PEGS][DISKS_MAX]; /* from the bottom up */
};

static void fail(const struct towers *towers, const char *what)
{
    print("hanoi: wrong: %s after %lu moves\n", what, towers->moves);
    process_exit(1);
}

static void move(struct towers *towers, int from, int to)
{
    if (towers->height[from] == 0)
        fail(towers, "an empty peg");
    u8 disk = towers->disks[from][--towers->height[from]];
    if (towers->height[to] > 0 && towers->disks[to][towers->height[to] - 1] < disk)
        fail(towers, "a larger disk on a smaller one");
    towers->disks[to][towers->height[to]++] = disk;
    towers->moves++;
    towers->hash = (towers->hash ^ (u64)(disk * 16 + from * 4 + to)) * 0x100000001b3;
    if (towers->moves % towers->every != 0)
        return;
    print("hanoi: %lu moves, hash %#018lx\n", towers->moves, towers->hash);
    if (towers->pause > 0)
        process_sleep(towers->pause);
}

static void solve(struct towers *towers, int disks, int from, int to)
{
    volatile u64 witness[WITNESS];
    u64 seed = towers->moves * DISKS_MAX + (u64)disks;

    if (disks == 0)
        return;
    for (int at = 0; at < WITNESS; at++)
        witness[at] = seed + (u64)at;
    solve(towers, disks - 1, from, PEGS - from - to);
    move(towers, from, to);
    solve(towers, disks - 1, PEGS - from - to, to);
    for (int at = 0; at < WITNESS; at++) {
        if (witness[at] != seed + (u64)at)
            fail(towers, "a page of the stack");
    }
}

int main(int count, char **arguments)
{
    struct towers towers = { .hash = 0xcbf29ce484222325 };
    u64 disks = argument_number(count, arguments, 1, 20);

    towers.every = argument_number(count, arguments, 2, 100000);
    towers.pause = argument_number(count, arguments, 3, 0);
    if (disks == 0 || disks > DISKS_MAX || towers.every == 0) {
        print("usage: hanoi [DISKS [EVERY [PAUSE]]], 1 to %d disks\n", DISKS_MAX);
        return 2;
    }
    towers.height[0] = (int)disks;
    for (u64 at = 0; at < disks; at++)
        towers.disks[0][at] = (u8)(disks - at);
    solve(&towers, (int)disks, 0, PEGS - 1);
    print("hanoi: solved, %lu moves, hash %#018lx\n", towers.moves, towers.hash);
    return 0;
}
