/*
 * Starts itself again and again, as do those that it has started, until the time is over.
 *
 *   bomb [SECONDS]
 */
#include "kernel/user/user.h"

int main(int count, char **arguments)
{
    char until[24];
    char *words[] = { "bomb", "--until", until };
    bool first = count < 3;
    u64 started = 0, refused = 0;
    u64 end = first ? time_now() + argument_number(count, arguments, 1, 3) * MICROSECONDS
                    : argument_number(count, arguments, 2, 0);

    format_text(until, sizeof until, "%lu", end);
    while (time_now() < end) {
        if (program_spawn(3, words) < 0) {
            refused++;
            process_yield();
        } else {
            started++;
        }
    }
    if (first)
        print("bomb: %lu started, %lu refused\n", started, refused);
    return 0;
}
