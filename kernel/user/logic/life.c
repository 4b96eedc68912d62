#include "kernel/user/logic/life.h"

#include "kernel/user/user.h"

void life_init(struct life *life, u64 seed)
{
    life->step = 0;
    for (int row = 0; row < LIFE_ROWS; row++) {
        for (int column = 0; column < LIFE_COLUMNS; column++)
            life->cells[row][column] = random_draw(&seed) % 3 == 0;
    }
}

static int neighbours(const struct life *life, int row, int column)
{
    int sum = -life->cells[row][column];

    for (int down = LIFE_ROWS - 1; down <= LIFE_ROWS + 1; down++) {
        for (int right = LIFE_COLUMNS - 1; right <= LIFE_COLUMNS + 1; right++)
            sum += life->cells[(row + down) % LIFE_ROWS][(column + right) % LIFE_COLUMNS];
    }
    return sum;
}

void life_step(struct life *life)
{
    struct life next = { .step = life->step + 1 };

    for (int row = 0; row < LIFE_ROWS; row++) {
        for (int column = 0; column < LIFE_COLUMNS; column++) {
            int around = neighbours(life, row, column);
            next.cells[row][column] =
                around == 3 || (around == 2 && life->cells[row][column]);
        }
    }
    *life = next;
}

u64 life_count(const struct life *life)
{
    u64 count = 0;

    for (size_t at = 0; at < sizeof life->cells; at++)
        count += (&life->cells[0][0])[at];
    return count;
}

u64 life_hash(const struct life *life)
{
    u64 hash = 0xcbf29ce484222325;

    for (size_t at = 0; at < sizeof life->cells; at++)
        hash = (hash ^ (&life->cells[0][0])[at]) * 0x100000001b3;
    return hash;
}
