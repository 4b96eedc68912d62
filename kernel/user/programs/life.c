/*
 * The game of life on the console. The line below the field tells what it is, to whoever wants to
 * compute it again.
 *
 *   life [SEED [PAUSE]]     a pause in microseconds after each step, 200000
 */
#include "kernel/user/logic/life.h"
#include "kernel/user/user.h"

/* From the upper left corner, so that one picture covers the other. */
static void draw(const struct life *life)
{
    char row[LIFE_COLUMNS + 1];

    print_text("\x1b[H");
    row[LIFE_COLUMNS] = '\n';
    for (int number = 0; number < LIFE_ROWS; number++) {
        for (int column = 0; column < LIFE_COLUMNS; column++)
            row[column] = life->cells[number][column] ? 'O' : ' ';
        print_bytes(row, sizeof row);
    }
    print("life: step %lu, %lu alive, hash %#018lx   \n", life->step, life_count(life),
          life_hash(life));
}

int main(int count, char **arguments)
{
    u64 seed = argument_number(count, arguments, 1, 1);
    u64 pause = argument_number(count, arguments, 2, MICROSECONDS / 5);
    struct life life;

    print_text("\x1b[2J");
    life_init(&life, seed);
    for (;;) {
        draw(&life);
        process_sleep(pause);
        life_step(&life);
    }
}
