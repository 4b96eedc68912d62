/*
 * The Mandelbrot set, drawn row by row in floating point; every row says how many steps it took up to
 * its end, so that a register that came back wrong shows, and a row lost or drawn twice.
 *
 *   mandel [STEPS [ROWS]]      the more steps, the slower; 1000 and 24
 */
#include "kernel/user/user.h"

enum { COLUMNS = 72 };

static const double LEFT = -2.2, WIDTH = 3.2, TOP = 1.2, HEIGHT = 2.4;

/* Steps until the point escapes, at most `limit`. */
static u64 escape(double x, double y, u64 limit)
{
    double a = 0, b = 0;

    for (u64 step = 0; step < limit; step++) {
        double next = a * a - b * b + x;
        b = 2 * a * b + y;
        a = next;
        if (a * a + b * b > 4)
            return step;
    }
    return limit;
}

/* The steps so far go in, those with this row come out. */
static u64 draw_row(u64 row, u64 rows, u64 limit, u64 sum)
{
    static const char shades[] = ".,:;-~+=ox*%#&@";
    char text[COLUMNS + 1] = { 0 };

    for (int column = 0; column < COLUMNS; column++) {
        u64 steps = escape(LEFT + WIDTH * column / COLUMNS,
                           TOP - HEIGHT * (double)row / (double)rows, limit);
        text[column] = steps == limit ? ' ' : shades[steps % (sizeof shades - 1)];
        sum += steps;
    }
    print("%s %lu\n", text, sum);
    return sum;
}

int main(int count, char **arguments)
{
    u64 limit = argument_number(count, arguments, 1, 1000);
    u64 rows = argument_number(count, arguments, 2, 24);
    u64 sum = 0;

    for (u64 row = 0; row < rows; row++)
        sum = draw_row(row, rows, limit, sum);
    print("mandel: %lu rows, %lu steps\n", rows, sum);
    return 0;
}
