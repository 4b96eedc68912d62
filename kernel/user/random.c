#include "kernel/user/user.h"

/* A Weyl sequence, each of its numbers mixed until no bit tells of another. */
u64 random_draw(u64 *seed)
{
    *seed += 0x9e3779b97f4a7c15;
    u64 mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
}
